"""Which link joins the devices of a node, as a link id of the hardware database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.documents.inventory import GpuDevice, Node

if TYPE_CHECKING:
    from hwdb.database import Database


def node_link(node: Node, db: Database) -> str | None:
    """The weakest common link: scale-up links if every device has them, else PCIe as negotiated; None if unknown."""
    usable = [device for device in node.devices if device.error is None]
    if len(usable) < 2:
        return None
    kinds = {device.link_kind for device in usable}
    if len(kinds) == 1 and None not in kinds:
        return kinds.pop()
    ids = {pcie_link(device) for device in usable}
    known = sorted(name for name in ids if name)
    return known[0] if len(known) == len(ids) and known else None


def pcie_link(device: GpuDevice) -> str | None:
    """``pcie4-x16``. Idle cards lower their generation, so the best that card and slot reach is taken; the width is the
    negotiated one."""
    generation = device.pcie_gen_max or device.pcie_gen
    width = device.pcie_width or device.pcie_width_max
    return f"pcie{generation}-x{width}" if generation and width else None
