"""Simulated hardware in a few words: ``8xH200-SXM``, ``2x8xH100`` (nodes × GPUs), ``2xRTX-4090+rtx-3090``, ``cpu``.

Memory and processors of the machine stand beside the cards or alone: ``rtx-4090+64GB``, ``2xEPYC-9654+768GB``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.detect.links import weakest_pcie
from planner.detect.matching import look_up
from planner.detect.spec_host import with_memory, with_processor
from planner.documents.inventory import GpuDevice, HostInfo, Inventory, Node
from planner.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from hwdb.database import Database
    from hwdb.schema import Accelerator

CPU = "cpu"
MAX_SPEC = 400
MAX_NODES = 10_000
MAX_PER_NODE = 1024
EXAMPLES = "write for example 8xH200-SXM, 2x8xH100 (nodes × GPUs), rtx-4090+64GB, 2xEPYC-9654+768GB or cpu"

_PART = re.compile(r"(?:(\d{1,6})\s*[x×*]\s*)?(?:(\d{1,6})\s*[x×*]\s*)?(\S(?:.*\S)?)", re.IGNORECASE)

_JOIN = re.compile(r"\s+\+\s+|\+(?=\S)")
"""Between groups; the plus of ``Ryzen AI Max+ 395`` joins nothing."""

FILE_ENDINGS = (".json", ".toml", ".xml", ".txt", ".csv", ".log")


@dataclass(frozen=True, slots=True)
class Group:
    """``nodes`` machines with ``per_node`` equal devices; ``joined`` when the node count was left out."""

    nodes: int
    per_node: int
    name: str
    joined: bool


def load_hardware(text: str, db: Database) -> Inventory:
    """What ``--hardware`` names: a file (an inventory or saved tool output) or else a spec."""
    if _is_file(text):
        from planner.detect.recorded import read_recorded

        return read_recorded([text], db)
    return inventory_from_spec(text, db)


def _is_file(text: str) -> bool:
    """An existing file, or what can only be meant as one."""
    try:
        exists = Path(text).is_file()
    except (OSError, ValueError):
        exists = False
    path_like = ("/" in text and " / " not in text) or "\\" in text
    return exists or path_like or text.lower().endswith(FILE_ENDINGS)


def inventory_from_spec(spec: str, db: Database, host: HostInfo | None = None) -> Inventory:
    """The inventory that a spec describes. Raises BadInput or UnknownName, with the nearest names."""
    around, rest = _host_of(_parts(spec), db, host or HostInfo())
    groups = tuple(_group(part, spec) for part in rest)
    nodes = [_node([group], db, around) for group in groups if not group.joined]
    joined = [group for group in groups if group.joined]
    if joined:
        nodes.insert(0, _node(joined, db, around))
    return Inventory(nodes=tuple(nodes), origin="simulated")


def parse_spec(spec: str) -> tuple[Group, ...]:
    """The groups of a spec, counts checked, names not yet looked up."""
    return tuple(_group(part, spec) for part in _parts(spec))


def _parts(spec: str) -> list[str]:
    if not spec.strip() or len(spec) > MAX_SPEC:
        raise BadInput("hardware", f"{spec[:60]!r} is no hardware", EXAMPLES)
    return [part.strip() for part in _JOIN.split(spec)]


def _host_of(parts: list[str], db: Database, host: HostInfo) -> tuple[HostInfo, list[str]]:
    """The machine as the spec describes it, and what else it names; a card wins over a processor of the same name.

    Raises BadInput for processors alone: without memory nothing can be placed.
    """
    rest = []
    for part in parts:
        described = with_memory(host, part) or (None if _is_card(part, db) else with_processor(host, part, db))
        if described is None:
            rest.append(part)
        else:
            host = described
    if not rest and host.ram_bytes is None:
        raise BadInput("hardware", f"{parts[0][:60]!r} is a processor without memory", f"write {parts[0][:60]}+768GB")
    return host, rest or [CPU]


def _is_card(part: str, db: Database) -> bool:
    match = _PART.fullmatch(part)
    try:
        return match is not None and look_up(match[3], db) is not None
    except UnknownName:
        return False
    except BadInput:
        return True


def _group(part: str, spec: str) -> Group:
    match = _PART.fullmatch(part)
    if match is None:
        raise BadInput("hardware", f"{spec[:60]!r} is no hardware", EXAMPLES)
    first, second, name = match.groups()
    nodes, per_node = (int(first), int(second)) if first and second else (1, int(first or 1))
    if not 1 <= nodes <= MAX_NODES or not 1 <= per_node <= MAX_PER_NODE:
        limits = f"1 … {MAX_NODES} nodes of 1 … {MAX_PER_NODE} devices"
        raise BadInput("hardware", f"{part[:60]!r}: {limits} can be planned with", EXAMPLES)
    return Group(nodes, per_node, name, joined=not second)


def _node(groups: list[Group], db: Database, host: HostInfo) -> Node:
    devices: list[GpuDevice] = []
    link: str | None = None
    for group in groups:
        if group.name.lower() != CPU:
            accelerator = look_up(group.name, db)
            link = accelerator.link or _slot(accelerator, db)
            devices += [_device(len(devices) + i, accelerator, host) for i in range(group.per_node)]
    alike = len({device.accelerator for device in devices}) == 1
    count = groups[0].nodes if devices or len(groups) > 1 else groups[0].nodes * groups[0].per_node
    return Node(
        host=host,
        devices=tuple(devices),
        link=link if alike else weakest_pcie(devices, db),
        count=count,
    )


def _slot(accelerator: Accelerator, db: Database) -> str | None:
    """The PCIe link of a card without a scale-up link, in a slot that is as fast as the card."""
    if not accelerator.pcie_gen or not accelerator.pcie_lanes:
        return None
    found = db.find_link(f"pcie{accelerator.pcie_gen}-x{accelerator.pcie_lanes}")
    return found.id if found else None


def _device(index: int, accelerator: Accelerator, host: HostInfo) -> GpuDevice:
    """A card as its driver would report it, idle; without memory of its own it has the machine's."""
    total = accelerator.driver_memory_bytes or accelerator.memory_bytes
    if accelerator.unified_memory and host.ram_bytes is not None:
        total = host.ram_bytes
    capability = accelerator.compute_capability
    return GpuDevice(
        index=index,
        vendor=accelerator.vendor,
        name=accelerator.driver_names[0] if accelerator.driver_names else accelerator.name,
        accelerator=accelerator.id,
        match="exact",
        total_bytes=total,
        free_bytes=total,
        used_bytes=0 if total is not None else None,
        unified_memory=accelerator.unified_memory,
        compute_capability=f"{capability[0]}.{capability[1]}" if capability else accelerator.gfx_arch,
        link_kind=accelerator.link,
        pcie_gen=accelerator.pcie_gen,
        pcie_width=accelerator.pcie_lanes,
        pcie_gen_max=accelerator.pcie_gen,
        pcie_width_max=accelerator.pcie_lanes,
        power_limit_w=accelerator.tdp_w,
        power_limit_default_w=accelerator.tdp_w,
    )
