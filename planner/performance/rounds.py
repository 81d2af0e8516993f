"""Rounds of a pipeline in closed form: batches that follow one another through its stages.

Symbols: pp stages with as many batches in flight, d seconds of a batch without prompts, M seconds that one prompt (or
chunk) adds to the batch it is in. A batch cannot overtake the one before it and its requests' next tokens need its
own result, so that a round of all batches takes as long as the longest: T = d + k·M, k being the prompts of the batch
that has most. Prompts join the emptier batches; x of them in a round are spread like Poisson counts of mean x/pp each,
and E[k] = Σ_j 1 − F(j)^pp. (Were every batch alike, T would be the mean d + x·M/pp: the difference is the bubbles.)

A prompt of c > 1 chunks, each as large as a batch takes and in the next one, makes (c + pp − 1)/pp rounds long, or c/pp
where it follows another: chunks queue for batches, of which they keep a share ρ = λ·c·T/pp busy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

_MANY = 40.0
"""Mean from which a Poisson count is taken as normal."""
_NORMAL = NormalDist()
BUSIEST = 0.98
"""Load at which rounds are cut: beyond it they would not end."""
_OUTER, _INNER = 3, 8
_SETTLED = 1e-3


@dataclass(frozen=True, slots=True)
class Rounds:
    """Rounds of one pipeline with a running batch in each lane."""

    stages: int
    chunks: int
    groups: int
    """Attention groups of a batch, among which its prompts are spread."""
    plain_s: float
    added: Callable[[float], float]
    """Seconds that each of so many prompts (chunks) of a batch adds to it."""

    def at_rate(self, rate: float) -> tuple[float, float]:
        """(seconds of the mean round, what prompts add to one that has any) at ``rate`` prompts per second.

        More prompts come in a long round, so that rounds are a chain of short and long ones.
        """
        if self.chunks > 1:
            longer = self.added(1.0)
            return self._queued(longer, rate), longer
        longer, most, share = self.added(1.0), 1.0, 0.0
        for _ in range(_OUTER):
            each, before = self.added(most), longer
            for _ in range(_INNER):
                short, long = rate * self.plain_s, rate * (self.plain_s + longer)
                share = max(self._any(short) / (self._any(short) + 1 - self._any(long)), 1e-12)
                most = max(((1 - share) * self._dealt(short) + share * self._dealt(long)) / share, 1.0)
                longer, last = each * max(most / self.groups, 1.0), longer
                if abs(longer - last) < _SETTLED * longer:
                    break
            if abs(longer - before) < _SETTLED * longer:
                break
        return self.plain_s + share * longer, longer

    def with_prompts(self, prompts: float) -> tuple[float, float]:
        """The same where so many prompts come in a round on the mean, however long it is."""
        if self.chunks > 1:
            longer = self.added(1.0)
            step = self.plain_s + prompts * self.chunks / self.stages * longer
            for _ in range(_OUTER):
                step = self.plain_s + prompts * self._kept(longer, prompts / step) * longer
            return step, longer
        some = max(self._any(prompts), 1e-12)
        most = max(self._most(prompts) / some, 1.0)
        longer = self.added(most) * max(most / self.groups, 1.0)
        return self.plain_s + some * longer, longer

    def _queued(self, longer: float, rate: float) -> float:
        """Rounds at a rate where each prompt makes the same number of them long: S = d + λ·S·a·M."""
        held = min(rate * self._kept(longer, rate) * longer, BUSIEST)
        return self.plain_s / (1 - held)

    def _kept(self, longer: float, rate: float) -> float:
        """Rounds that a prompt of several chunks makes long."""
        busy = min(rate * self.chunks * (self.plain_s + longer) / self.stages, 1.0)
        return (self.chunks + (self.stages - 1) * (1 - busy)) / self.stages

    def _dealt(self, prompts: float) -> float:
        """Prompts of the batch that has most, where they come to the emptiest one."""
        return 0.5 * (self._most(prompts) + fullest(prompts, self.stages))

    def _any(self, prompts: float) -> float:
        """Chance that a round is long."""
        return -math.expm1(-prompts)

    def _most(self, prompts: float) -> float:
        """The same where they take the places of requests that left."""
        return busiest(prompts / self.stages, self.stages)


def busiest(mean: float, lanes: int) -> float:
    """Mean of the largest of several Poisson counts."""
    if mean > _MANY:
        return mean + _NORMAL.inv_cdf((lanes - 0.375) / (lanes + 0.25)) * math.sqrt(mean)
    term = below = math.exp(-mean)
    count, total = 0, 0.0
    while (above := 1 - below**lanes) > 1e-5:
        total += above
        count += 1
        term *= mean / count
        below = min(below + term, 1.0)
    return total


def fullest(mean: float, lanes: int) -> float:
    """Mean of a Poisson count dealt evenly over lanes, as the largest share: E[⌈N ÷ lanes⌉] = Σ P(N > k·lanes)."""
    if mean > _MANY:
        return mean / lanes + 0.5
    term = below = math.exp(-mean)
    count, total = 0, 0.0
    while (above := 1 - below) > 1e-5:
        total += above if count % lanes == 0 else 0.0
        count += 1
        term *= mean / count
        below = min(below + term, 1.0)
    return total
