"""The order of training jobs, and which of them are worth showing."""

from __future__ import annotations

from collections.abc import Sequence

from planner.documents.result import (
    EstimateDocument,
)
from planner.memory.finetune_verdict import HEAVY
from planner.search.pareto import Point
from planner.training.candidate import TrainingCandidate
from planner.training.grid import per_method

QUALITY = {"full": 3.0, "dora": 2.0, "lora": 1.9, "qlora": 1.0}
"""Only orders what is otherwise equal: what a method can learn."""


def order_of(candidate: TrainingCandidate, goal: str) -> tuple[float, ...]:
    """What is ranked by, smallest first."""
    result, choice = candidate.result, candidate.choice
    time, memory, gpus = candidate.seconds_per_token, result.allocated.value, float(choice.gpus)
    quality = -QUALITY.get(choice.method, 0.0)
    unproved = float(_needs_unknown_host(candidate))
    orders = {
        "time": (time, gpus, memory),
        "memory": (memory * gpus, memory, time),
        "fewest-gpus": (gpus, time, memory),
    }
    return (unproved, *orders[goal], quality)


def _needs_unknown_host(candidate: TrainingCandidate) -> bool:
    """It rests on host memory, and nobody said how much there is: behind what surely fits."""
    ram = candidate.result.host_ram
    return candidate.resolved.cluster.host.ram_bytes is None and ram is not None and bool(set(ram.terms) & HEAVY)


def selected(order: Sequence[TrainingCandidate], limit: int) -> list[TrainingCandidate]:
    """The best of each kind: no two that differ in details, not more than a few of one method."""
    kinds: set[tuple[object, ...]] = set()
    counts: dict[str, int] = {}
    kept: list[TrainingCandidate] = []
    for candidate in order:
        choice = candidate.choice
        kind = (choice.method, choice.gpus, choice.precision, choice.offload, choice.grid.trainer)
        if kind in kinds or counts.get(choice.method, 0) >= per_method():
            continue
        kinds.add(kind)
        counts[choice.method] = counts.get(choice.method, 0) + 1
        kept.append(candidate)
    return _cut(kept, limit)


def _cut(kept: list[TrainingCandidate], limit: int) -> list[TrainingCandidate]:
    """The first of each method stay, then as many as there is room for, in their order."""
    firsts = {c.choice.method: i for i, c in reversed(list(enumerate(kept)))}
    wanted = sorted(firsts.values())[:limit]
    rest = [i for i in range(len(kept)) if i not in wanted]
    return [kept[i] for i in sorted([*wanted, *rest[: max(0, limit - len(wanted))]])]


def point_of(candidate: TrainingCandidate, estimate: EstimateDocument) -> Point:
    """What no other job may beat in every respect: speed, fewer GPUs, what it learns, less memory."""
    result = estimate.finetune
    speed = result.tok_s.value if result and result.tok_s else None
    peak = result.allocated.value if result else None
    quality = QUALITY.get(candidate.choice.method, 0.0)
    return (speed, -float(candidate.choice.gpus), quality, None if peak is None else -peak)
