"""What a simulation saw: times of requests and gaps between tokens, as distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_RESOLUTION = 200.0
"""Classes of gaps per factor e: half a per cent each."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution by its mean and its quantiles (per cent → value)."""

    mean: float
    quantiles: Mapping[float, float]

    def at(self, percentile: float) -> float:
        """A quantile that was asked for."""
        return self.quantiles[percentile]


def spread_of(values: list[float], percentiles: tuple[float, ...]) -> Spread | None:
    """Of single values; None without any. Nearest rank."""
    if not values:
        return None
    ordered, count = sorted(values), len(values)
    found = {p: ordered[min(max(math.ceil(p / 100 * count) - 1, 0), count - 1)] for p in percentiles}
    return Spread(math.fsum(ordered) / count, found)


@dataclass(slots=True)
class Record:
    """Everything measured, seconds and tokens. Requests outside the measured numbers leave no times."""

    first_number: int
    last_number: int
    ttft: list[float] = field(default_factory=list)
    tpot: list[float] = field(default_factory=list)
    e2e: list[float] = field(default_factory=list)
    pairs: list[tuple[float, float]] = field(default_factory=list)
    """(time to the first token, mean time per token) of each."""
    ended: list[tuple[float, float, float]] = field(default_factory=list)
    """(when, prompt tokens, answer tokens) of every request that ended, measured or not."""
    begun_s: float = math.inf
    """When the first measured request was sent."""
    clock_s: float = 0.0
    busy_s: float = 0.0
    steps: int = 0
    peak_running: int = 0
    peak_waiting: int = 0
    peak_pool: float = 0.0
    gaps: dict[int, float] = field(default_factory=dict)

    def measures(self, number: int) -> bool:
        """Whether a request counts."""
        return self.first_number <= number <= self.last_number

    def gap(self, seconds: float, tokens: float) -> None:
        """So many tokens came ``seconds`` after the one before them."""
        if seconds > 0 and tokens > 0:
            key = int(math.log(seconds) * _RESOLUTION)
            self.gaps[key] = self.gaps.get(key, 0.0) + tokens

    def warm(self) -> int:
        """How many of those that ended belong to the warm-up."""
        return min(self.first_number, len(self.ended) // 2)

    def rate(self) -> float:
        """Requests per second between the end of the warm-up and the last measured end."""
        if len(self.ended) < 2:
            return 1 / self.ended[0][0] if self.ended and self.ended[0][0] > 0 else 0.0
        first = self.warm()
        span = self.ended[-1][0] - (self.ended[first - 1][0] if first else 0.0)
        return (len(self.ended) - first) / span if span > 0 else 0.0


def joined_gaps(records: Sequence[Record], percentiles: tuple[float, ...]) -> Spread | None:
    """Distribution of the time between tokens over several replicas."""
    counts: dict[int, float] = {}
    for record in records:
        for key, tokens in record.gaps.items():
            counts[key] = counts.get(key, 0.0) + tokens
    total = sum(counts.values())
    if not total:
        return None
    ordered = sorted(counts.items())
    mean = sum(_value(key) * tokens for key, tokens in ordered) / total
    found, seen, position = {}, 0.0, 0
    for percentile in sorted(percentiles):
        while position < len(ordered) - 1 and seen + ordered[position][1] < percentile / 100 * total:
            seen += ordered[position][1]
            position += 1
        found[percentile] = _value(ordered[position][0])
    return Spread(mean, found)


def _value(key: int) -> float:
    """Middle of a class of gaps."""
    return math.exp((key + (0.5 if key >= 0 else -0.5)) / _RESOLUTION)
