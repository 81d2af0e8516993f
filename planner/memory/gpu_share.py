"""How much of a memory that it shares with the system a GPU is given unasked: macOS wires about three quarters."""

from __future__ import annotations

import math

from planner.documents.result import Finding, ServingMemory, Verdict
from planner.resolved import Resolved
from planner.units import human_bytes

SLACK = 1.01
"""How much is given is known to about a per cent."""
FIX = (
    "raise the GPU's share first (macOS: sudo sysctl iogpu.wired_limit_mb=…; Linux: ttm.pages_limit, amdgpu.gttsize; "
    "or the firmware's setting), or take smaller weights"
)


def given_bytes(resolved: Resolved) -> float | None:
    """Of the machine's memory, as much as the database's row has of the largest machine's; None: all, or not known."""
    row, hardware = resolved.cluster.device.accelerator, resolved.deployment.hardware
    if row is None or not row.unified_memory or not row.memory_bytes or not row.max_memory_bytes:
        return None
    stated = hardware.memory_bytes if hardware else None
    if stated is None or stated == row.memory_bytes:
        return None
    return stated * row.memory_bytes / row.max_memory_bytes


def given_share(resolved: Resolved) -> float:
    """The same as a share of the device's memory; 1 where nothing is known."""
    given = given_bytes(resolved)
    return 1.0 if given is None else math.floor(given / resolved.cluster.device.memory_bytes * 100) / 100


def beyond_share(
    resolved: Resolved, memory: ServingMemory, verdict: Verdict
) -> tuple[Verdict, tuple[Finding, ...]] | None:
    """Tight, with what to do first, where the GPU is to hold more than it is given; None otherwise."""
    given, wanted = given_bytes(resolved), memory.per_gpu.total.value
    if verdict not in ("fits", "tight") or given is None or wanted <= SLACK * given:
        return None
    message = (
        f"the GPU is to hold {human_bytes(wanted)}; of this machine's memory it is given about {human_bytes(given)}"
    )
    return "tight", (Finding("gpu-share", message, FIX, "warning"),)
