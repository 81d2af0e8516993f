"""Percentiles of what requests see, in closed form; tests hold them against the simulation.

Time to the first token: one's own prompt, and a gamma-distributed wait of the known mean and variance. Time between
tokens: a step with j prompts of others takes d + j·M, j Poisson of mean λ·S, up to what one step carries. Mean time
per token of a request: steps at the rate that its own lifetime happens to meet, λ·(1 + z/√K) for K requests met.

All hold for an engine that has been running for a while. A mean of a closed loop also counts the wave of prompts at
the start of a test, which percentiles leave out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

from planner.performance.batching import Batching
from planner.performance.demand import Outcome, Waits
from planner.performance.waits import Steps, prompt_waits

_NORMAL = NormalDist()
_LAG = 0.4
"""Near full load an engine has not settled at a higher rate before the rate is lower again: share taken off a swing
at load 1 (from the simulation)."""


@lru_cache(maxsize=256)
def deviate(percentile: float) -> float:
    """Of the standard normal distribution: 1.645 at 95 %."""
    return _NORMAL.inv_cdf(min(max(percentile / 100, 1e-6), 1 - 1e-6))


def gamma_quantile(mean: float, variance: float, z: float) -> float:
    """Wilson and Hilferty's approximation: m·(1 − 1/(9k) + z/(3√k))³ with k = m²/v."""
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    shape = mean * mean / variance
    root = 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))
    return float(mean * max(root, 0.0) ** 3)


class Tails:
    """Percentiles of one replica at one load.

    ``pace`` gives the seconds of a step at a rate, in an open loop.
    """

    __slots__ = ("_waits", "batching", "isl_cv", "outcome", "pace")

    def __init__(
        self, outcome: Outcome, batching: Batching, isl_cv: float = 0.0, pace: Callable[[float], float] | None = None
    ) -> None:
        self.outcome, self.batching, self.isl_cv, self.pace = outcome, batching, isl_cv, pace
        self._waits = outcome.waits or self._inside()

    def _inside(self) -> Waits:
        """The waits of a closed loop as seen from inside."""
        outcome = self.outcome
        if outcome.in_flight <= 1:
            own = self.batching.alone
            return Waits(own, variance=(self.isl_cv * own) ** 2, slot=outcome.slot_s)
        steps = Steps(outcome.decode.seconds, outcome.added_s, outcome.shared_s)
        waits = prompt_waits(self.batching, outcome.request_s, steps, self.isl_cv)
        return waits._replace(slot=outcome.slot_s) if outcome.slot_s else waits

    def ttft(self, percentile: float) -> float:
        """Seconds to the first token."""
        waits, beyond = self._waits, 1 - percentile / 100
        fixed = 0.0 if self.isl_cv else waits.own
        mean = waits.own - fixed + waits.residual + waits.queue
        prompts = gamma_quantile(mean, waits.variance, deviate(percentile))
        slot = waits.slot
        if waits.slot_share < 1:
            slot *= math.log(max(waits.slot_share / beyond, 1.0)) / max(waits.slot_share, 1e-12)
        return self.batching.model.over.prefill_s + fixed + prompts + slot

    def itl(self, percentile: float) -> float:
        """Seconds between two tokens of a request."""
        plain, added, demand = self.outcome.decode.seconds, self.outcome.added_s, self.batching.demand
        first = self.batching.model.over.prefill_first
        chunks = 1 if first else max(math.ceil(demand.prompt / demand.budget), 1)
        room = math.inf if first else max(math.floor(demand.budget / demand.prompt), 1)
        met = self.outcome.request_s * self.outcome.tpot_s * demand.accepted * chunks
        if self.outcome.in_flight <= 1 and self.outcome.waits is None:
            met = 0.0
        others = _poisson_quantile(met, percentile / 100)
        varied = math.sqrt(1 + self.isl_cv**2)
        if demand.pp > 1:
            return (plain + math.ceil(min(others, room) / demand.pp) * varied * self.outcome.shared_s) / demand.accepted
        return (plain + min(others * varied, room) * added / chunks) / demand.accepted

    def tpot(self, percentile: float) -> float:
        """Mean seconds per token of a request."""
        outcome, demand, z = self.outcome, self.batching.demand, deviate(percentile)
        tokens = max(demand.osl - 1, 1.0)
        met = outcome.request_s * outcome.tpot_s * tokens
        if self.pace is None:
            swing = z * math.sqrt(met) * outcome.added_s / tokens
            return max(outcome.tpot_s + swing, outcome.decode.seconds / demand.accepted)
        swing = z / math.sqrt(max(met, 1.0))
        rate = outcome.request_s * max(1 + swing * (1 - _LAG * min(outcome.load, 1.0)) / (1 + abs(swing)), 0.05)
        return self.pace(rate) / demand.accepted


def _poisson_quantile(mean: float, share: float) -> int:
    """Smallest count that is reached with probability ``share``; the normal approximation above 50."""
    if mean > 50:
        return math.ceil(max(mean + deviate(share * 100) * math.sqrt(mean), 0.0))
    term = seen = math.exp(-mean)
    count = 0
    while seen < share and count < 200:
        count += 1
        term *= mean / count
        seen += term
    return count
