"""Which link joins the devices of a node, as a link id of the hardware database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.documents.inventory import GpuDevice, Node

if TYPE_CHECKING:
    from hwdb.database import Database

SCALE_UP = ("NV", "XGMI", "HCCS", "UB")
"""First letters of what drivers call links other than PCIe: ``NV18``, ``XGMI``, ``HCCS``."""
UNSAID = ("", "N/A")


def settle_links(node: Node, db: Database) -> Node:
    """The node with ``link`` and each device's ``link_kind`` settled from driver, matrix and database."""
    devices = tuple(_with_kind(device, node, db) for device in node.devices)
    node = replace(node, devices=devices)
    return replace(node, link=node.link or _node_link(node, db))


def _with_kind(device: GpuDevice, node: Node, db: Database) -> GpuDevice:
    """A device with active links has those of its row: a card's generation is a fact, a driver's numbering is not."""
    linked = device.link_count or (_words(node) and _joined(node))
    if not linked or not device.accelerator:
        return device
    row = db.accelerator(device.accelerator)
    return replace(device, link_kind=row.link or row.bridge or device.link_kind)


def _words(node: Node) -> list[str]:
    """Words of the matrix off its diagonal, between devices that can be used."""
    lost = {place for place, device in enumerate(node.devices) if device.error is not None}
    return [
        word
        for one, row in enumerate(node.topology)
        for other, word in enumerate(row)
        if one != other and not {one, other} & lost
    ]


def _joined(node: Node) -> bool:
    return all(word.startswith(SCALE_UP) for word in _words(node))


def _node_link(node: Node, db: Database) -> str | None:
    """The weakest link between any two: scale-up only if every pair has it. None where the driver does not tell."""
    usable = [device for device in node.devices if device.error is None]
    if len(usable) < 2 or any(device.mig_enabled for device in usable):
        return None
    kinds = {device.link_kind for device in usable}
    words = [word for word in _words(node) if word not in UNSAID]
    if words and not _joined(node):
        return weakest_pcie(usable, db)
    if len(kinds) == 1 and None not in kinds:
        return kinds.pop()
    told_none = all(device.link_count == 0 for device in usable)
    return weakest_pcie(usable, db) if told_none or _only_pcie(usable, db) else None


def _only_pcie(devices: list[GpuDevice], db: Database) -> bool:
    """Cards that are known to have no scale-up link."""
    rows = [db.accelerator(device.accelerator) for device in devices if device.accelerator]
    return len(rows) == len(devices) and not any(row.link or row.bridge for row in rows)


def weakest_pcie(devices: list[GpuDevice], db: Database) -> str | None:
    """The slowest of their PCIe links, if all are known."""
    links = [db.find_link(name) if (name := pcie_link(device)) else None for device in devices]
    known = [link for link in links if link is not None]
    return min(known, key=lambda link: link.bytes_s).id if known and len(known) == len(links) else None


def pcie_link(device: GpuDevice) -> str | None:
    """``pcie4-x16``. Idle cards lower their generation, so the best that card and slot reach is taken; the width is
    the negotiated one."""
    generation = device.pcie_gen_max or device.pcie_gen
    width = device.pcie_width or device.pcie_width_max
    return f"pcie{generation}-x{width}" if generation and width else None
