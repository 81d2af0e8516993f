"""A copy of the hardware with another card, count, memory, link: what is planned with is then "simulated"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.units import GIB

if TYPE_CHECKING:
    from planner.documents.inventory import GpuDevice, Inventory, Node
    from planner.library import Library

LINKS = ("nvlink4", "nvlink5", "nvlink3", "pcie5-x16", "pcie4-x16", "pcie4-x8")
"""Links that are offered; the one that is there stands beside them."""


@dataclass(frozen=True, slots=True)
class Rig:
    """Equal machines, as far as a form can say."""

    accelerator: str
    """hwdb id; empty: the card that is there, whatever it is."""
    per_node: int
    nodes: int
    memory_gib: int | None
    """Of each card; None: as the database has it."""
    link: str


def rig_of(inventory: Inventory) -> Rig:
    """What there is: the first machine stands for all."""
    node = inventory.nodes[0]
    device = node.devices[0] if node.devices else None
    return Rig(
        accelerator=(device.accelerator or "") if device else "",
        per_node=len(node.devices),
        nodes=sum(n.count for n in inventory.nodes),
        memory_gib=round(device.total_bytes / GIB) if device and device.total_bytes else None,
        link=node.link or "",
    )


def rigged(inventory: Inventory, rig: Rig, library: Library) -> Inventory:
    """The inventory as the form says; the host stays. Raises PlannerError for a card that is not known."""
    node = inventory.nodes[0]
    devices, link = _devices(node, rig, library)
    size = None if rig.memory_gib is None or rig == rig_of(inventory) else rig.memory_gib * GIB
    kept = rig_of(inventory).memory_gib == rig.memory_gib and rig_of(inventory).accelerator == rig.accelerator
    if size is not None and not kept:
        devices = tuple(replace(d, total_bytes=size, used_bytes=0, free_bytes=size) for d in devices)
    changed = replace(
        node, devices=devices, count=rig.nodes, topology=(), link=rig.link or link if len(devices) > 1 else None
    )
    return replace(inventory, nodes=(changed,), origin="simulated", warnings=())


def with_cards(inventory: Inventory, count: int) -> Inventory:
    """The inventory with another number of the cards that are there in each machine."""
    node = inventory.nodes[0]
    devices = _copies(node.devices[0], count)
    changed = replace(node, devices=devices, topology=(), link=node.link if count > 1 else None)
    return replace(inventory, nodes=(changed,), origin="simulated", warnings=())


def _copies(here: GpuDevice, count: int) -> tuple[GpuDevice, ...]:
    """A card as many times, nobody on it."""
    plain = replace(here, uuid=None, pci_bus_id=None, processes=(), used_bytes=0, free_bytes=here.total_bytes)
    return tuple(replace(plain, index=n) for n in range(count))


def _devices(node: Node, rig: Rig, library: Library) -> tuple[tuple[GpuDevice, ...], str | None]:
    """As many cards as wanted, of the kind wanted, and the link that they have among each other."""
    here = node.devices[0] if node.devices else None
    if here is not None and (not rig.accelerator or rig.accelerator == here.accelerator):
        return _copies(here, rig.per_node), node.link
    if not rig.accelerator or not rig.per_node:
        return (), None
    from planner.detect.spec import inventory_from_spec

    made = inventory_from_spec(f"{rig.per_node}x{rig.accelerator}", library.database).nodes[0]
    return made.devices, made.link


def in_words(rig: Rig) -> str:
    """``2×4×h200-sxm-141gb``, as a name for the header."""
    nodes = f"{rig.nodes}×" if rig.nodes > 1 else ""
    return f"{nodes}{rig.per_node}×{rig.accelerator or 'card'}" if rig.per_node else f"{nodes}cpu"
