"""Which servers of which accelerators could hold a model at all: by bytes alone, before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hwdb.schema import Accelerator
from planner.cost.fleet import make_fleet
from planner.cost.terms import Terms
from planner.documents.inventory import HostInfo
from planner.documents.result import Finding
from planner.models.quality import level_of
from planner.models.source import ModelSource
from planner.search.groups import Group
from planner.search.policy import Policy
from planner.units import human_bytes

USABLE = 0.94
"""Share of a device's memory that weights may take at most: engines leave the rest to themselves."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Servers that together hold one copy or more of the model."""

    row: Accelerator
    per_node: int
    nodes: int

    @property
    def devices(self) -> int:
        return self.per_node * self.nodes


def least_bytes(source: ModelSource, floor: str, allowed: tuple[str, ...], policy: Policy) -> float:
    """Bytes of the smallest published format at or above the floor; 16 bits a weight where none is listed."""
    row = source.row
    if row is None or row.parameters_total is None:
        return float(source.exact_bytes or 0.0)
    lowest = policy.bytes_per_parameter(level_of(floor) or "bf16")
    checkpoints = [c for c in row.checkpoints if not allowed or c.weights in allowed]
    levels = [policy.bytes_per_parameter(level) for c in checkpoints if (level := level_of(c.weights))]
    kept = [size for size in levels if size >= lowest]
    return 0.95 * row.parameters_total * min(kept, default=lowest)


def shapes_of(row: Accelerator, need: float, terms: Terms) -> list[Shape] | Finding:
    """The smallest servers that hold ``need`` bytes, fewest devices first, or why there are none."""
    if row.announced:
        return Finding("not-shipping", f"{row.name} is announced, not sold", "wait, or add its row to your own data")
    if {row.vendor, row.id} & terms.not_sold:
        return Finding("not-sold", f"{row.name} is rented, not sold", "see the cost verb for renting")
    if not row.memory_bytes or not row.bandwidth_bytes_s:
        return Finding("facts-missing", f"memory or bandwidth of {row.name} is not known", "add them to your own data")
    server = terms.server(make_fleet(row, 1, 1).form_factor)
    each = float(row.driver_memory_bytes or row.memory_bytes) * USABLE
    devices = max(1, math.ceil(need / each))
    most = max(server.per_node)
    if devices > most * server.span:
        message = f"{human_bytes(need)} need {devices} × {row.name}, more than {server.span} server(s) of {most} hold"
        return Finding("too-small", message, "smaller weights or larger devices")
    single = [Shape(row, n, 1) for n in sorted(server.per_node) if n >= devices]
    several = [Shape(row, most, n) for n in range(2, server.span + 1) if most * n >= devices]
    return single + several


def group_of(shape: Shape, fabric: str | None) -> Group:
    """The servers as the search sees hardware: idle, nothing known of the host but that it is bought to fit."""
    row = shape.row
    total = float(row.driver_memory_bytes or row.memory_bytes or 0)
    return Group(
        accelerator=row.id,
        per_node=shape.per_node,
        nodes=shape.nodes,
        total_bytes=total,
        free_bytes=total,
        slice=None,
        unified=row.unified_memory,
        link=row.link,
        fabric=fabric if shape.nodes > 1 else None,
        host=HostInfo(),
    )


def kinds(rows: Iterator[Accelerator] | tuple[Accelerator, ...]) -> list[Accelerator]:
    """Accelerators in a fixed order, the newest and largest first."""
    return sorted(rows, key=lambda row: (-(row.memory_bytes or 0), row.id))
