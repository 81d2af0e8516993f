"""Which of several models an expert would start first, derived from published figures alone.

Capacity is the dense-equivalent size sqrt(total × active): the geometric mean that is commonly used to compare a
mixture of experts with a dense model (a rule of thumb; for dense models both are equal).
Training improves: the size that reaches a given score halves every few months ("Densing Law of LLMs", Xiao et al.,
Nature Machine Intelligence 2025, about 3.5 months at the frontier of small models). Between families the effect is
weaker, so one doubling per ``MONTHS_PER_DOUBLING`` months is counted, and only to order models of a similar size: a new
27B model does not displace a 671B one of the year before when both fit.

prominence = log2(capacity / 1e9) + age bonus + 1 (reasoning) + 1 (flagship, chosen by hand) − 4 (not tuned for chat)
"""

from __future__ import annotations

from math import log2, sqrt

from planner.units import GIGA

MONTHS_PER_DOUBLING = 9.0
EPOCH_MONTHS = 2023 * 12
MAX_AGE_BONUS = 6.0
TIERS = (("frontier", 100.0), ("large", 40.0), ("medium", 15.0), ("small", 4.0), ("tiny", 0.0))
"""Name and least capacity in 10^9."""


def capacity(total: int | None, active: int | None) -> float:
    """Dense-equivalent parameters in 10^9; 0 when the total is not known."""
    return sqrt(total * (active or total)) / GIGA if total else 0.0


def tier_of(total: int | None, active: int | None) -> str:
    """The class of size: frontier, large, medium, small, tiny."""
    size = capacity(total, active)
    return next(name for name, least in TIERS if size >= least)


def prominence(
    total: int | None, active: int | None, released: str | None, *, reasoning: bool, tuned: bool, flagship: bool
) -> float:
    """A rank without unit; higher is started first. See the module's docstring for its terms."""
    size = log2(max(capacity(total, active), 0.05))
    return size + age_bonus(released) + reasoning + flagship - (0 if tuned else 4)


def age_bonus(released: str | None) -> float:
    """Doublings gained since 2023 by the date of release; 0 when that is not known."""
    if not released:
        return 0.0
    year, month = (int(part) for part in released.split("-")[:2])
    return min(MAX_AGE_BONUS, max(0.0, (year * 12 + month - 1 - EPOCH_MONTHS) / MONTHS_PER_DOUBLING))
