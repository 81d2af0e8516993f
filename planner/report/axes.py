"""Round numbers for axes."""

from __future__ import annotations

import math

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def ticks(top: float, about: int = 5) -> list[float]:
    """Round values from 0 to the first at or above ``top``."""
    if not math.isfinite(top) or top <= 0:
        return [0.0, 1.0]
    rough = top / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in STEPS if s * power >= rough * (1 - 1e-9))
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def doublings(low: float, high: float, most: int = 9) -> list[float]:
    """Powers of two between two positive values, thinned to ``most``."""
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / most))
    return [2.0**i for i in range(first, last + 1, step)]
