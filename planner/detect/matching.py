"""From a driver's words to a row of the hardware database; a miss keeps the nearest names and is never guessed away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hwdb.errors import AmbiguousRow, LookupProblem
from planner.documents.inventory import GpuDevice, HostInfo, Node
from planner.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from hwdb.database import Database

    from hwdb.schema import Accelerator


def look_up(name: str, db: Database) -> Accelerator:
    """An accelerator by id or alias. Raises UnknownName with the nearest names, BadInput where several carry the name."""
    try:
        return db.accelerator(name)
    except AmbiguousRow as error:
        raise BadInput("hardware", str(error), f"for example {error.candidates[0]}") from None
    except LookupProblem as error:
        raise UnknownName("accelerator", name[:80], error.nearest) from None


def identify(device: GpuDevice, db: Database) -> GpuDevice:
    """The device with its hwdb id, or with the nearest ids."""
    if device.name is None and device.pci_device_id is None:
        return device
    found = db.match(driver_name=device.name, memory_bytes=device.total_bytes, pci_device_id=device.pci_device_id)
    row = found.accelerator
    return replace(
        device,
        accelerator=row.id if row else None,
        match=found.state,
        nearest=tuple(found.nearest),
        unified_memory=device.unified_memory or bool(row and row.unified_memory),
    )


def identify_host(host: HostInfo, db: Database) -> HostInfo:
    """The host with its hwdb id and memory bandwidth, where the processor is known."""
    row = db.match_host(host.cpu) if host.cpu else None
    if row is None:
        return host
    bandwidth = row.memory_bandwidth_bytes_s
    return replace(host, cpu_id=row.id, memory_bandwidth_bytes_s=bandwidth * (host.sockets or 1) if bandwidth else None)


def identify_node(node: Node, db: Database) -> Node:
    """A node with devices and host looked up."""
    return replace(
        node, host=identify_host(node.host, db), devices=tuple(identify(device, db) for device in node.devices)
    )
