"""Whether a serving deployment starts, and the nearest changes that would make it start. Computed, not canned."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from planner.documents.result import Finding, ServingMemory, Verdict
from planner.memory.budget import capacity_bytes
from planner.memory.gpu_share import beyond_share
from planner.memory.host import shares_memory
from planner.memory.obstacle import TIGHT_SHARE, obstacle, share_beside, shared_left, starts
from planner.memory.remedies import changes
from planner.resolved import Resolved
from planner.units import human_bytes

_MOST_CHANGES = 3


def serving_verdict(
    resolved: Resolved, memory: ServingMemory, *, suggest: bool = True
) -> tuple[Verdict, tuple[Finding, ...]]:
    """``does-not-fit`` when weights, or one request of max_model_len, or all parts together exceed what there is.

    ``suggest`` looks for the nearest changes that make it fit; a search that only counts refusals does without.
    """
    problem = obstacle(resolved, memory)
    if problem is None:
        room = _room(resolved, memory)
        return beyond_share(resolved, memory, room[0]) or room
    found = list(islice(changes(resolved, memory), _MOST_CHANGES)) if suggest else []
    first = found[0] if found else ("more or larger devices", {})
    findings = [Finding("does-not-fit", problem, first[0], "error", first[1])]
    findings += [Finding("does-not-fit", f"would also fit: {text}", text, "warning", c) for text, c in found[1:]]
    return "does-not-fit", tuple(findings)


def _room(resolved: Resolved, memory: ServingMemory) -> tuple[Verdict, tuple[Finding, ...]]:
    """Fits or tight; where GPU and host share memory, what the host takes counts."""
    ram = memory.host_ram.value if memory.host_ram else 0.0
    short = TIGHT_SHARE * capacity_bytes(resolved) - shared_left(resolved, memory, ram)
    if short <= 0:
        return "fits", ()
    if not shares_memory(resolved):
        return "tight", ()
    share = _roomier(resolved, memory)
    message = (
        f"GPU and host share one memory: {human_bytes(memory.per_gpu.total.value)} for the GPU and "
        f"{human_bytes(ram)} for the engine's processes leave little for the system and the page cache"
    )
    change = {"serving.gpu_memory_utilization": share} if share else {}
    tables = bool(memory.host_ram and memory.host_ram.terms.get("tables"))
    otherwise = "map the lookup tables from the disk" if tables else "take a smaller model"
    fix = f"gpu_memory_utilization {share}" if share else otherwise
    return "tight", (Finding("shared-memory", message, fix, "warning", change),)


def _roomier(resolved: Resolved, memory: ServingMemory) -> float | None:
    """The share of memory that leaves enough beside it, if the deployment still starts there."""
    share = share_beside(resolved, memory)
    if not 0 < share < resolved.serving.gpu_memory_utilization:
        return None
    serving = replace(resolved.serving, gpu_memory_utilization=share)
    return share if starts(replace(resolved, serving=serving)) else None
