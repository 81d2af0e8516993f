"""What a fleet still carries with one device, or one server, down."""

from __future__ import annotations

import math
from collections.abc import Sequence

from planner.buying.carriers import keeps, speed_at
from planner.buying.errand import Errand
from planner.buying.pools import Part
from planner.cost.document import Outage
from planner.estimate import Estimate


def outages_of(errand: Errand, parts: Sequence[Part]) -> tuple[Outage, ...]:
    """A copy that loses a device stops; a set that loses a server loses its copies there. The worst case of each."""
    return (
        _worst(errand, parts, "one device", [1 for _ in parts]),
        _worst(errand, parts, "one server", [math.ceil(part.unit.copies / part.unit.nodes) for part in parts]),
    )


def _worst(errand: Errand, parts: Sequence[Part], missing: str, lost: Sequence[int]) -> Outage:
    """Where the loss takes away the most."""

    def weight(index: int) -> float:
        unit = parts[index].unit
        return lost[index] * errand.capacity.of(unit) / max(unit.copies, 1)

    worst = max(range(len(parts)), key=weight)
    copies = [part.copies - (lost[i] if i == worst else 0) for i, part in enumerate(parts)]
    return _left(errand, parts, missing, [max(count, 0) for count in copies])


def _left(errand: Errand, parts: Sequence[Part], missing: str, copies: Sequence[int]) -> Outage:
    """So many copies of each part share all users by what they carry."""
    running = [(part.unit, count) for part, count in zip(parts, copies, strict=True) if count > 0]
    if not running:
        return Outage(missing, 0, 0.0, None, holds=False)
    weights = [errand.capacity.of(unit) / unit.copies * count for unit, count in running]
    whole = sum(weights)
    holds, slowest = True, None
    for (unit, count), weight in zip(running, weights, strict=True):
        share = weight / whole if whole > 0 else 1 / len(running)
        performance = speed_at(unit.candidate, errand.users * share / count * unit.copies, errand.tools)
        holds = holds and performance is not None and keeps(performance, errand.question.task)
        slowest = _slower(slowest, performance.tpot_s if performance else None)
    users = sum(unit.candidate.users / unit.copies * count for unit, count in running)
    return Outage(missing, sum(copies), users, slowest, holds and users >= errand.users)


def _slower(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda figure: figure.value)
