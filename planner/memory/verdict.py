"""Whether a serving deployment starts, and the nearest changes that would make it start. Computed, not canned."""

from __future__ import annotations

from itertools import islice

from planner.documents.result import Finding, ServingMemory, Verdict
from planner.memory.budget import capacity_bytes
from planner.memory.obstacle import obstacle
from planner.memory.remedies import changes
from planner.resolved import Resolved

TIGHT_SHARE = 0.03
"""Less of the device than this left free is "tight"."""
_MOST_CHANGES = 3


def serving_verdict(
    resolved: Resolved, memory: ServingMemory, *, suggest: bool = True
) -> tuple[Verdict, tuple[Finding, ...]]:
    """``does-not-fit`` when weights, or one request of max_model_len, or all parts together exceed what there is.

    ``suggest`` looks for the nearest changes that make it fit; a search that only counts refusals does without.
    """
    problem = obstacle(resolved, memory)
    if problem is None:
        gpu = memory.per_gpu
        left = gpu.capacity.value - gpu.total.value
        tight = left < TIGHT_SHARE * capacity_bytes(resolved)
        return ("tight" if tight else "fits"), ()
    found = list(islice(changes(resolved, memory), _MOST_CHANGES)) if suggest else []
    first = found[0] if found else ("more or larger devices", {})
    findings = [Finding("does-not-fit", problem, first[0], "error", first[1])]
    findings += [Finding("does-not-fit", f"would also fit: {text}", text, "warning", c) for text, c in found[1:]]
    return "does-not-fit", tuple(findings)
