"""``[hardware]`` as a cluster: the card's row, the host's row, links and networks looked up."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from hwdb.errors import AmbiguousRow, LookupProblem
from hwdb.schema import Accelerator
from planner.documents.deployment import HardwareTable, HostTable
from planner.errors import BadInput, UnknownName
from planner.resolved import Cluster, Device, Host, Link
from planner.units import MICRO

if TYPE_CHECKING:
    from planner.library import Library

CPU = "cpu"
UNNAMED = Accelerator(id="unnamed", vendor="unknown", name="unnamed accelerator")
"""Stands for a card that the document does not name; its memory has no known end."""
_MARKETED_SPREAD = 0.03
"""Marketing GB taken as GiB: cards report up to 3 % less."""
_LINK_LATENCY_S = 5 * MICRO
_PCIE_LATENCY_S = 10 * MICRO
"""Assumed where no row gives one."""

Row = TypeVar("Row")


@lru_cache(maxsize=1024)
def cluster_of(table: HardwareTable, library: Library) -> Cluster:
    """The cluster of a ``[hardware]`` table. Raises UnknownName for a card, link or network that no row has."""
    host = _host(table.host or HostTable(), library)
    device = _device(table, host, library)
    link = _link(table, device, library) if table.per_node > 1 else None
    return Cluster(device, table.per_node, table.nodes, link, _fabric(table, library), host)


def _device(table: HardwareTable, host: Host, library: Library) -> Device:
    if table.accelerator == CPU:
        return Device(None, table.memory_bytes or host.ram_bytes or math.inf)
    if table.accelerator is None:
        return Device(UNNAMED, table.memory_bytes or math.inf)
    row = _look_up(lambda: library.database.accelerator(table.accelerator or ""))
    part = table.slice or row.id.partition(":")[2] or None
    if table.memory_bytes:
        return Device(row, table.memory_bytes, slice=part)
    if row.memory_bytes is None:
        return Device(row, host.ram_bytes or math.inf, memory_spread=_MARKETED_SPREAD)
    return Device(row, row.memory_bytes, 0.0 if row.memory_is_reported else _MARKETED_SPREAD, slice=part)


def _host(table: HostTable, library: Library) -> Host:
    row = library.database.host(table.cpu) if table.cpu else None
    bandwidth = table.memory_bandwidth_bytes_s
    sockets = table.sockets or (row.sockets if row else None)
    if bandwidth is None and row is not None and row.bandwidth_bytes_s:
        bandwidth = row.bandwidth_bytes_s * (sockets or 1)
    return Host(
        cpu=table.cpu,
        sockets=sockets,
        cores=table.cores,
        ram_bytes=table.ram_bytes,
        memory_bandwidth_bytes_s=bandwidth,
        disk_bytes_s=table.disk_bytes_s,
    )


def _link(table: HardwareTable, device: Device, library: Library) -> Link | None:
    row = device.accelerator
    if table.interconnect is not None:
        link = _look_up(lambda: library.database.link(table.interconnect or ""))
        return Link(link.id, link.bytes_s, link.latency_s, link.switched)
    if row is None:
        return None
    if row.link_bytes_s:
        known = library.database.find_link(row.link) if row.link else None
        return Link(
            row.link or "scale-up", row.link_bytes_s, known.latency_s if known else _LINK_LATENCY_S, row.link_switched
        )
    if row.pcie_bytes_s:
        return Link("pcie", row.pcie_bytes_s, _PCIE_LATENCY_S)
    return None


def _fabric(table: HardwareTable, library: Library) -> Link | None:
    if table.nodes == 1 or table.fabric is None:
        return None
    row = _look_up(lambda: library.database.fabric(table.fabric or ""))
    return Link(row.id, row.bytes_s, row.latency_s)


def _look_up(find: Callable[[], Row]) -> Row:
    """The row, or hwdb's miss as the planner's typed problem."""
    try:
        return find()
    except AmbiguousRow as several:
        raise BadInput(several.kind, str(several), "name one of them") from None
    except LookupProblem as miss:
        raise UnknownName(miss.kind, miss.name, miss.nearest) from None
