"""Which of several models an expert would start first: published human preference, or an estimate fitted on it.

The scale is points of the Arena text leaderboard (blind comparisons by people; Bradley-Terry, 70 points ≈ 60:40).
Models that are not listed get ``a + b · log2(capacity) + c · months since 2023-01``, fitted by least squares on the
listed models of this catalogue. Capacity is the dense-equivalent size sqrt(total × active) in 10^9, the geometric mean
that is commonly used to compare a mixture of experts with a dense model. A test refits and compares. An estimate is
taken down by ``UNLISTED`` so that a listed model wins a tie, and base models by ``UNTUNED`` more: they do not chat.
"""

from __future__ import annotations

from math import log2, sqrt

from planner.units import GIGA

INTERCEPT, PER_DOUBLING, PER_MONTH = 1001.0, 24.0, 7.4
DEVIATION = 33.0
"""Standard deviation of the fit over 119 models, points."""
UNLISTED, UNTUNED = DEVIATION, 200.0
CEILING = 1440.0
"""An estimate claims no place among the leaders."""
EPOCH_MONTHS = 2023 * 12
LEAST_CAPACITY = 0.02
TIERS = (("frontier", 100.0), ("large", 40.0), ("medium", 15.0), ("small", 4.0), ("tiny", 0.0))
"""Name and least capacity in 10^9."""


def capacity(total: int | None, active: int | None) -> float:
    """Dense-equivalent parameters in 10^9; 0 when the total is not known."""
    return sqrt(total * (active or total)) / GIGA if total else 0.0


def tier_of(total: int | None, active: int | None) -> str:
    """The class of size: frontier, large, medium, small, tiny."""
    size = capacity(total, active)
    return next(name for name, least in TIERS if size >= least)


def months(released: str | None) -> int:
    """Months from January 2023 to a date; 0 when that is not known or earlier."""
    if not released:
        return 0
    year, month = (int(part) for part in released.split("-")[:2])
    return max(0, year * 12 + month - 1 - EPOCH_MONTHS)


def estimated_score(total: int | None, active: int | None, released: str | None, *, tuned: bool = True) -> float:
    """Arena points that a model of this size and age would be given, cautiously; ± ``DEVIATION``."""
    size = log2(max(capacity(total, active), LEAST_CAPACITY))
    score = min(CEILING, INTERCEPT + PER_DOUBLING * size + PER_MONTH * months(released) - UNLISTED)
    return score if tuned else score - UNTUNED
