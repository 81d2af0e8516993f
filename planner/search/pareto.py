"""The Pareto set: proposals than which no other is better in one figure and at least as good in all."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float | None, ...]
"""Figures where more is better; None is unknown and compares as equal."""


def pareto(points: Sequence[Point]) -> list[bool]:
    """For each point, whether no other dominates it."""
    return [not any(dominates(other, point) for other in points) for point in points]


def dominates(left: Point, right: Point) -> bool:
    """At least as good in every figure known of both, and better in one."""
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
