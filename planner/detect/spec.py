"""Simulated hardware in a few words: ``8xH200-SXM``, ``2x8xH100`` (nodes × GPUs), ``2xRTX-4090+rtx-3090``, ``cpu``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.detect.matching import look_up
from planner.documents.inventory import GpuDevice, HostInfo, Inventory, Node
from planner.errors import BadInput

if TYPE_CHECKING:
    from hwdb.database import Database

    from hwdb.schema import Accelerator

MAX_SPEC = 400
MAX_NODES = 10_000
MAX_PER_NODE = 1024
EXAMPLES = "write for example 8xH200-SXM, 2x8xH100 (nodes × GPUs), 4xRTX-4090 or cpu"

_PART = re.compile(r"(?:(\d{1,6})\s*[x×*]\s*)?(?:(\d{1,6})\s*[x×*]\s*)?(\S(?:.*\S)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """``nodes`` machines with ``per_node`` equal devices; ``joined`` when the node count was left out."""

    nodes: int
    per_node: int
    name: str
    joined: bool


def inventory_from_spec(spec: str, db: Database, host: HostInfo | None = None) -> Inventory:
    """The inventory that a spec describes. Raises BadInput or UnknownName, with the nearest names."""
    groups = parse_spec(spec)
    nodes = [_node([group], db, host) for group in groups if not group.joined]
    joined = [group for group in groups if group.joined]
    if joined:
        nodes.insert(0, _node(joined, db, host))
    return Inventory(nodes=tuple(nodes), origin="simulated")


def parse_spec(spec: str) -> tuple[Group, ...]:
    """The groups of a spec, counts checked, names not yet looked up."""
    if not spec.strip() or len(spec) > MAX_SPEC:
        raise BadInput("hardware", f"{spec[:60]!r} is no hardware", EXAMPLES)
    return tuple(_group(part.strip(), spec) for part in spec.split("+"))


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


def _node(groups: list[Group], db: Database, host: HostInfo | None) -> Node:
    devices: list[GpuDevice] = []
    link: str | None = None
    for group in groups:
        if group.name.lower() != "cpu":
            accelerator = look_up(group.name, db)
            link = accelerator.link
            devices += [_device(len(devices) + i, accelerator) for i in range(group.per_node)]
    alike = len({device.accelerator for device in devices}) == 1
    count = groups[0].nodes if devices or len(groups) > 1 else groups[0].nodes * groups[0].per_node
    return Node(
        host=host or HostInfo(),
        devices=tuple(devices),
        link=link if alike else None,
        count=count,
    )


def _device(index: int, accelerator: Accelerator) -> GpuDevice:
    """A card as its driver would report it, idle."""
    total = accelerator.driver_memory_bytes or accelerator.memory_bytes
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
        power_limit_w=accelerator.tdp_w,
    )
