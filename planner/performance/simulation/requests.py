"""The load of a simulation: who asks, when, and for how many tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple


class Request(NamedTuple):
    """One request as its client sends it."""

    arrival_s: float
    isl: float
    osl: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Prompt and answer lengths: lognormal with these means, as chat and code traffic is; cv 0 is fixed.

    ``longest`` bounds prompt and answer together: an engine refuses what exceeds its max_model_len.
    """

    isl: float
    osl: float
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    longest: float = math.inf

    def draw(self, random: Random) -> tuple[float, float]:
        """One request's lengths, each at least one token."""
        osl = min(_lognormal(self.osl, self.osl_cv, random), max(self.longest - 1, 1.0))
        isl = min(_lognormal(self.isl, self.isl_cv, random), max(self.longest - osl, 1.0))
        return isl, osl


def _lognormal(mean: float, cv: float, random: Random) -> float:
    """Of a given mean and coefficient of variation: sigma² = ln(1 + cv²), mu = ln(mean) − sigma²/2."""
    if cv <= 0 or mean <= 0:
        return max(float(round(mean)), 1.0)
    sigma2 = math.log1p(cv * cv)
    return max(float(round(random.lognormvariate(math.log(mean) - sigma2 / 2, math.sqrt(sigma2)))), 1.0)


def open_loop(rate: float, lengths: Lengths, seed: int, *, arrival_cv: float = 1.0) -> Iterator[Request]:
    """Endless independent arrivals at ``rate`` per second.

    Gaps are gamma-distributed with coefficient of variation ``arrival_cv``: 1 is Poisson, more is bursty, 0 regular.
    Gaps and lengths have their own streams: another rate only stretches the same arrivals.
    """
    gaps, sizes = Random(f"gaps {seed}"), Random(f"lengths {seed}")
    shape = 1 / max(arrival_cv, 1e-3) ** 2
    now = 0.0
    while True:
        now += gaps.gammavariate(shape, 1 / shape) / rate if arrival_cv > 0 else 1 / rate
        yield Request(now, *lengths.draw(sizes))


def endless(lengths: Lengths, seed: int) -> Iterator[Request]:
    """Requests that are sent as soon as somebody is free: for closed loops and offline runs."""
    sizes = Random(f"lengths {seed}")
    while True:
        yield Request(0.0, *lengths.draw(sizes))


def recorded(rows: Sequence[Request], replicas: int = 1, replica: int = 0) -> Iterator[Request]:
    """The rows of a trace that one of several replicas gets, dealt in turn."""
    return iter(rows[replica::replicas])
