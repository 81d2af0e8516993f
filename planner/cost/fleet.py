"""What is bought, rented or fed with power: equal devices in equal servers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hwdb.schema import Accelerator
from planner.documents.result import Performance
from planner.resolved import Resolved


class Fleet(NamedTuple):
    """Devices, and the servers that hold them."""

    accelerator: str
    """hwdb id."""
    devices: int
    nodes: int
    used: int
    """Devices that the layout keeps busy; the others idle."""
    tdp_w: float | None
    memory_type: str | None
    form_factor: str
    integrated: bool = False
    """The device is the computer: processor and memory are one with it."""

    @property
    def title(self) -> str:
        per_node = self.devices // max(self.nodes, 1)
        return f"{self.nodes}×{per_node}×{self.accelerator}" if self.nodes > 1 else f"{per_node}×{self.accelerator}"


def fleet_of(resolved: Resolved) -> Fleet | None:
    """The hardware that a deployment names; None on a machine without accelerators."""
    row = resolved.cluster.device.accelerator
    if row is None:
        return None
    cluster = resolved.cluster
    return make_fleet(row, cluster.num_devices, cluster.nodes, min(resolved.serving.gpus, cluster.num_devices))


@lru_cache(maxsize=1024)
def make_fleet(row: Accelerator, devices: int, nodes: int, used: int | None = None) -> Fleet:
    """A fleet of one kind of device."""
    return Fleet(
        accelerator=row.id,
        devices=devices,
        nodes=nodes,
        used=devices if used is None else used,
        tdp_w=row.tdp_w,
        memory_type=row.memory_type,
        form_factor=_form_factor(row),
        integrated=row.unified_memory,
    )


def _form_factor(row: Accelerator) -> str:
    """As written down; else that of what the device is like."""
    if row.unified_memory:
        return "IGP"
    domain = row.link_domain or 0
    if domain >= _RACK:
        return "Rack"
    return row.form_factor or ("Board" if domain >= _BOARD else "unknown")


_BOARD, _RACK = 8, 32
"""Devices linked to each other from which they are sold as a board, and as a rack."""


class Duty(NamedTuple):
    """What the devices do while they serve their load."""

    prompt_time: float
    """Share of their time that goes to prompts, 0 … 1."""
    batch: float | None
    """Requests of one decode step of one copy of the model; None: nobody knows."""


def duty_of(performance: Performance | None, copies: int = 1) -> Duty:
    """From a predicted speed. The batch is output tokens/s · seconds per token (Little's law), of one copy."""
    if performance is None:
        return Duty(0.0, None)
    step, output = performance.tpot_s, performance.output_tok_s
    if step is None or step.value <= 0:
        return Duty(1.0, None)
    prompts = min(max(step.terms.get("prompts_of_others", 0.0) / step.value, 0.0), 1.0)
    return Duty(prompts, output.value * step.value / max(copies, 1) if output else None)
