"""Saved output of vendor tools, read as an inventory: each file with devices is one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.detect.advice import advise
from planner.detect.links import settle_links
from planner.detect.matching import identify_node
from planner.detect.recorded.kinds import Part, read_part
from planner.detect.recorded.topo import bare_devices, with_topology
from planner.detect.recorded.xml import MAX_BYTES
from planner.detect.report import VendorReport, complete
from planner.detect.values import clean
from planner.documents.files import read_bounded
from planner.documents.inventory import Inventory, Node, Notice
from planner.errors import BadInput

if TYPE_CHECKING:
    from hwdb.database import Database

MAX_FILES = 10_000
MAX_PATH = 1000


def read_recorded(paths: Sequence[str | Path], db: Database) -> Inventory:
    """The machines of one or several files. Raises BadInput naming the file, what was expected and what to do.

    A topology, or usage figures without names, belong to the last machine with as many devices.
    """
    if not paths or len(paths) > MAX_FILES:
        raise BadInput("--from", f"takes 1 … {MAX_FILES:,} files", "name saved tool output or an inventory")
    parts = [read_part(read_bounded(Path(path), MAX_BYTES), clean(path, MAX_PATH)) for path in paths]
    written = [part.inventory for part in parts if part.inventory]
    reports = _machines(parts)
    nodes = [identify_node(node, db) for inventory in written for node in inventory.nodes]
    nodes += [settle_links(identify_node(_node(report), db), db) for report in reports]
    notices = tuple(notice for inventory in written for notice in inventory.warnings)
    notices += tuple(notice for report in reports for notice in report.warnings)
    notices += tuple(notice for node in nodes[len(nodes) - len(reports) :] for notice in advise(node, db))
    return Inventory(
        nodes=tuple(nodes),
        origin="recorded" if reports else "file",
        fabric=next((inventory.fabric for inventory in written if inventory.fabric), None),
        warnings=tuple(dict.fromkeys(notices)),
    )


def _node(report: VendorReport) -> Node:
    return Node(
        devices=report.devices,
        topology=report.topology,
        driver_version=report.driver_version,
        runtime_version=report.runtime_version,
    )


def _machines(parts: Sequence[Part]) -> list[VendorReport]:
    """One report a machine; parts without names complete another."""
    machines: list[VendorReport] = []
    for part in sorted(parts, key=lambda part: not _names(part.report)):
        report = part.report
        if report is not None:
            host = _same_machine(machines, report)
            if host is None:
                machines.append(report)
            else:
                machines[host] = complete(machines[host], report)
        if part.topology:
            _attach(machines, part)
    return machines


def _names(report: VendorReport | None) -> bool:
    return report is not None and any(device.name for device in report.devices)


def _same_machine(machines: Sequence[VendorReport], report: VendorReport) -> int | None:
    """The machine that a report completes: the same UUIDs, or no names of its own and as many devices."""
    uuids = {device.uuid for device in report.devices} - {None}
    for place in reversed(range(len(machines))):
        other = machines[place]
        alike = other.vendor == report.vendor and len(other.devices) == len(report.devices)
        if alike and (not _names(report) or (uuids and uuids == {device.uuid for device in other.devices})):
            return place
    return None


def _attach(machines: list[VendorReport], part: Part) -> None:
    """A topology goes to the last machine of as many devices that has none; alone it is a machine of unknown cards."""
    count = len(part.topology)
    for place in reversed(range(len(machines))):
        if len(machines[place].devices) == count and not machines[place].topology:
            machines[place] = with_topology(machines[place], part.topology)
            return
    if machines and all(len(machine.devices) != count for machine in machines):
        notice = Notice(
            part.where,
            f"shows links of {count} devices; no machine here has as many",
            "save both files on the same machine",
            "topology-unused",
        )
        machines[-1] = replace(machines[-1], warnings=(*machines[-1].warnings, notice))
        return
    machines.append(bare_devices(part.topology, part.where))
