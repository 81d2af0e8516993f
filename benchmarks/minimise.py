"""A small optimiser for the curve fits: Nelder-Mead on a robust loss, in plain Python."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence


def minimise(loss: Callable[[Sequence[float]], float], start: Sequence[float], steps: int = 400) -> list[float]:
    """Nelder-Mead in plain Python."""
    size = len(start)
    points = [list(start)] + [[x + (0.4 if i == j else 0.0) for j, x in enumerate(start)] for i in range(size)]
    values = [loss(p) for p in points]
    for _ in range(steps):
        order = sorted(range(size + 1), key=values.__getitem__)
        points, values = [points[i] for i in order], [values[i] for i in order]
        centre = [statistics.fmean(p[j] for p in points[:-1]) for j in range(size)]
        worst = points[-1]
        trial = [2 * c - w for c, w in zip(centre, worst, strict=True)]
        value = loss(trial)
        if value < values[0]:
            far = [3 * c - 2 * w for c, w in zip(centre, worst, strict=True)]
            far_value = loss(far)
            trial, value = (far, far_value) if far_value < value else (trial, value)
        elif value >= values[-2]:
            trial = [(c + w) / 2 for c, w in zip(centre, worst, strict=True)]
            value = loss(trial)
            if value >= values[-1]:
                points = [points[0]] + [[(a + b) / 2 for a, b in zip(points[0], p, strict=True)] for p in points[1:]]
                values = [values[0]] + [loss(p) for p in points[1:]]
                continue
        points[-1], values[-1] = trial, value
    return points[min(range(size + 1), key=values.__getitem__)]


def robust(errors: Iterable[float]) -> float:
    """Mean log-cosh of log errors, in tenths so that 10 % is where it turns linear."""
    return statistics.fmean(math.log(math.cosh(min(e / 0.1, 300.0))) for e in errors)


def share(x: float, top: float = 1.0) -> float:
    """Unbounded → 0…top."""
    return top / (1.0 + math.exp(-min(max(x, -30.0), 30.0)))
