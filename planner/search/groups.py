"""An inventory as groups of equal devices: cards of different kinds, or slices, never form one group.

Budgets use what is free. A group is one way to use the inventory; groups may overlap (4 of the 8 cards of a node).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.documents.deployment import HardwareTable, HostTable
from planner.documents.inventory import GpuDevice, HostInfo, Inventory, MigSlice, Node
from planner.documents.result import Finding

BUSY_SHARE = 0.15
"""A device with more of its memory held by others is set apart from idle ones."""


class Unit(NamedTuple):
    """One device or slice that a plan may use."""

    accelerator: str | None
    """hwdb id; None: not recognised."""
    total_bytes: int | None
    free_bytes: int | None
    slice: str | None = None
    unified: bool = False
    name: str = ""

    @property
    def kind(self) -> tuple[str, str, str, bool]:
        """Equal units may share a group. Drivers report the memory of equal cards to a few MiB."""
        size = "" if self.total_bytes is None else str(round(self.total_bytes / 2**28))
        return (self.accelerator or f"?{self.name}", size, self.slice or "", self.unified)

    @property
    def busy(self) -> bool:
        if not self.total_bytes or self.free_bytes is None:
            return False
        return self.free_bytes < (1 - BUSY_SHARE) * self.total_bytes


class Group(NamedTuple):
    """Equal devices, equally many in each of ``nodes`` machines."""

    accelerator: str
    """hwdb id, or "cpu"."""
    per_node: int
    nodes: int
    total_bytes: float | None
    free_bytes: float | None
    """Of the fullest device."""
    slice: str | None
    unified: bool
    link: str | None
    fabric: str | None
    host: HostInfo

    @property
    def num_devices(self) -> int:
        return self.per_node * self.nodes

    @property
    def is_cpu(self) -> bool:
        return self.accelerator == "cpu"

    @property
    def title(self) -> str:
        count = f"{self.nodes}×{self.per_node}×" if self.nodes > 1 else f"{self.per_node}×"
        return "CPU" if self.is_cpu else f"{count}{self.accelerator}{f' {self.slice}' if self.slice else ''}"


def groups_of(inventory: Inventory) -> tuple[tuple[Group, ...], tuple[Finding, ...]]:
    """The groups, largest first, and what keeps devices out of them."""
    findings = tuple(_unusable(inventory))
    per_node = [(node, _units(node)) for node in inventory.nodes]
    kinds = list(dict.fromkeys(unit.kind for _, units in per_node for unit in units if unit.accelerator))
    groups = [group for kind in kinds for group in _groups_of_kind(kind, per_node, inventory)]
    groups.sort(key=lambda g: (-g.num_devices * (g.total_bytes or 0), -g.num_devices, g.accelerator, g.slice or ""))
    if any(len({unit.kind for unit in units}) > 1 for _, units in per_node):
        findings = (*findings, _mixed(inventory))
    if groups:
        return tuple(groups), findings
    return tuple(_cpu_groups(inventory)), findings


def cpu_group(inventory: Inventory) -> Group | None:
    """The first machine without its accelerators."""
    return next(_cpu_groups(inventory), None)


def _cpu_groups(inventory: Inventory) -> Iterator[Group]:
    for node in inventory.nodes[:1]:
        host = node.host
        total = _least(host.ram_bytes, host.memory_limit_bytes)
        free = _least(total, host.ram_available_bytes)
        yield Group("cpu", 1, 1, total, free, None, True, None, None, host)


def _least(*sizes: float | None) -> float | None:
    return min((size for size in sizes if size), default=None)


def _units(node: Node) -> list[Unit]:
    return [unit for device in node.devices if device.visible and not device.error for unit in _split(device)]


def _split(device: GpuDevice) -> Iterator[Unit]:
    """A card, or its slices when it is cut into some."""
    if device.slices:
        for part in device.slices:
            yield _slice_unit(device, part)
        return
    profile = (device.accelerator or "").partition(":")[2] or None
    yield Unit(device.accelerator, device.total_bytes, _free(device), profile, device.unified_memory, device.name or "")


def _slice_unit(device: GpuDevice, part: MigSlice) -> Unit:
    free = None if part.total_bytes is None else part.total_bytes - (part.used_bytes or 0)
    return Unit(part.accelerator or device.accelerator, part.total_bytes, free, part.profile, False, device.name or "")


def _free(device: GpuDevice) -> int | None:
    if device.free_bytes is not None:
        return device.free_bytes
    if device.total_bytes is None:
        return None
    return device.total_bytes - (device.used_bytes or 0)


def _groups_of_kind(
    kind: tuple[str, str, str, bool], per_node: list[tuple[Node, list[Unit]]], inventory: Inventory
) -> Iterator[Group]:
    """All devices of a kind, and the idle ones alone where some are busy; per number of devices in a node."""
    mine = [(node, [u for u in units if u.kind == kind]) for node, units in per_node]
    idle = [(node, [u for u in units if not u.busy]) for node, units in mine]
    for choice in (mine,) if idle == mine else (idle, mine):
        held = [(node, units) for node, units in choice if units]
        for size in sorted({len(units) for _, units in held}, reverse=True):
            yield _group([(node, units) for node, units in held if len(units) >= size], size, inventory)


def _group(held: list[tuple[Node, list[Unit]]], size: int, inventory: Inventory) -> Group:
    node, units = held[0]
    every = [unit for _, members in held for unit in sorted(members, key=lambda u: -(u.free_bytes or 0))[:size]]
    unit = units[0]
    return Group(
        accelerator=unit.accelerator or "",
        per_node=size,
        nodes=sum(n.count for n, _ in held),
        total_bytes=_least(*(u.total_bytes for u in every)),
        free_bytes=_least(*(u.free_bytes for u in every)),
        slice=unit.slice,
        unified=unit.unified,
        link=node.link,
        fabric=inventory.fabric,
        host=node.host,
    )


def _unusable(inventory: Inventory) -> Iterator[Finding]:
    for node in inventory.nodes:
        for device in node.devices:
            name = device.name or f"device {device.index}"
            if device.error:
                yield Finding("device-unusable", f"{name} cannot be used: {device.error}", "see detect")
            elif not device.visible:
                yield Finding(
                    "device-hidden", f"{name} is hidden by an environment variable", "unset it to plan with it"
                )
            elif device.accelerator is None:
                near = ", ".join(name for name, _ in device.nearest[:3])
                fix = (
                    f"name the nearest row in an inventory file: {near}" if near else "add it to your own accelerators"
                )
                yield Finding("device-unknown", f"{name} is not in the hardware database", fix)


def _mixed(inventory: Inventory) -> Finding:
    names = sorted({d.accelerator or d.name or "?" for node in inventory.nodes for d in node.devices})
    message = f"cards of different kinds never form one group: {', '.join(names)}"
    return Finding(
        "mixed-cards", message, "each kind is planned by itself; llama.cpp can split layers over mixed cards"
    )


def hardware_table(group: Group, known_bytes: float | None, nodes: int, per_node: int) -> HardwareTable:
    """``[hardware]`` of a deployment on part of a group. ``known_bytes``: what the database says of one device."""
    host = group.host
    ram, memory = _least(host.ram_bytes, host.memory_limit_bytes), _stated_memory(group, known_bytes)
    table = HostTable(
        cpu=host.cpu_id,
        sockets=host.sockets,
        cores=host.cores,
        ram_bytes=None if ram is None else float(ram),
        memory_bandwidth_bytes_s=host.memory_bandwidth_bytes_s,
    )
    return HardwareTable(
        accelerator=group.accelerator,
        per_node=per_node,
        nodes=nodes,
        memory_bytes=None if memory is None else float(memory),
        slice=group.slice,
        interconnect=None,
        fabric=group.fabric if nodes > 1 else None,
        host=table if table != HostTable() else None,
    )


def _stated_memory(group: Group, known_bytes: float | None) -> float | None:
    """Said only where it differs from what the database knows: slices, modified cards, unified memory, CPUs."""
    if group.is_cpu or group.unified:
        return group.free_bytes or group.total_bytes
    if group.total_bytes is None or (known_bytes and abs(group.total_bytes / known_bytes - 1) < 0.03):
        return None
    return group.total_bytes
