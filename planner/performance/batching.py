"""Continuous batching in closed form: what requests see when many share one engine.

Symbols of one replica: N requests in flight, each isl prompt and osl answer tokens; D seconds of a decode step with
the mean batch; M the marginal seconds that one prompt adds to the steps it shares; groups of data-parallel attention
work side by side. A request's cycle is T = osl · D + N/groups · M, because while it runs every other request passes
one prefill; throughput is N / T. The rest is how T splits between waiting, first token and the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.performance.step import Load, Step, StepModel


@dataclass(frozen=True, slots=True)
class Demand:
    """One replica's load."""

    isl: float
    osl: float
    cached: float
    """Tokens of the prompt found in the prefix cache."""
    context: float
    """Tokens in the cache before the first one counted."""
    budget: float
    """Tokens of one step (chunk of prefill)."""
    slots: float
    """Requests that may run at once: engine limit and KV pool."""
    pp: int = 1
    draft: float = 0.0
    accepted: float = 1.0
    """Tokens that one step yields per request."""

    @property
    def prompt(self) -> float:
        """Tokens to compute per prompt."""
        return max(self.isl - self.cached, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Means per request of one replica."""

    ttft_s: float
    tpot_s: float
    cycle_s: float
    in_flight: float
    decode: Step
    prefill: Step
    prefill_share: float
    """Of a cycle: seconds that go to other requests' prompts."""

    @property
    def request_s(self) -> float:
        """Requests per second of the replica."""
        return self.in_flight / self.cycle_s


class Batching:
    """Closed, saturated and open loops over one step model."""

    def __init__(self, model: StepModel, demand: Demand) -> None:
        self.model, self.demand = model, demand
        self.groups = model.layout.attention_dp
        self.lanes = self.groups * demand.pp
        """Batches that run side by side: attention groups, and one micro-batch per pipeline stage."""

    def decode(self, running: float) -> Step:
        """One decode step with ``running`` requests in the replica."""
        d = self.demand
        context = d.context + d.isl + d.osl / 2
        return self.model.step(Load(max(running / self.lanes, 1.0), context=context, draft=d.draft))

    def prompt_alone(self) -> tuple[float, Step]:
        """Seconds of one prompt on an idle engine, and its last step."""
        d = self.demand
        chunks = max(math.ceil(d.prompt / d.budget), 1)
        size = d.prompt / chunks
        start = d.context + d.cached + (d.prompt - size) / 2
        step = self.model.step(Load(0.0, tokens=size, start=start, prompt=size))
        overlap = 1.0 if d.pp == 1 else (chunks + d.pp - 1) / (chunks * d.pp)
        return chunks * step.seconds * overlap, step

    def marginal(self, running: float, together: float) -> tuple[float, float]:
        """(seconds that one prompt adds to shared steps, seconds of a step that carries prompts)."""
        d = self.demand
        context = d.context + d.isl + d.osl / 2
        room = max(d.budget - running / self.lanes, d.budget / 4)
        count = min(max(together, 1.0), max(room / d.prompt, 1.0))
        chunks = max(math.ceil(d.prompt / room), 1)
        size = d.prompt / chunks
        start = d.context + d.cached + (d.prompt - size) / 2
        requests = running / self.lanes
        load = Load(requests, context, size * count, start, size, d.draft)
        mixed = self.model.step(load).seconds
        plain = self.model.step(Load(requests, context, draft=d.draft)).seconds if requests >= 1 else 0.0
        return max(mixed - plain, 0.0) * chunks / count / d.pp, mixed

    def closed(self, concurrency: float) -> Outcome:
        """``concurrency`` requests always in flight."""
        d, over = self.demand, self.model.over
        flight = min(concurrency, d.slots)
        alone, prefill = self.prompt_alone()
        running, share = flight, 1.0
        steps = max(d.osl / d.accepted, 1.0)
        cycle = ttft = 0.0
        decode = self.decode(running)
        for _ in range(4):
            decode = self.decode(max(running, 1.0))
            lane = flight / self.lanes
            arrivals = lane * decode.seconds / max(cycle, steps * decode.seconds + alone)
            added, mixed = self.marginal(max(running - self.lanes, 0.0), arrivals)
            others = max(lane * d.pp - 1, 0.0) * added
            cycle = steps * decode.seconds + others + alone + over.prefill_s
            busy = min(others / cycle, 0.95)
            queue = over.burst * others / 2 + (1 - over.burst) * added * busy / (2 * (1 - busy))
            residual = 0.5 * decode.seconds * min(others and 1.0, 1.0)
            ttft = min(alone + over.prefill_s + queue + residual + self._shared(mixed, alone, flight), cycle)
            share = others / cycle
            running = flight * max(cycle - ttft, 0.0) / cycle if d.osl > 1 else 0.0
        wait = cycle / flight * max(concurrency - flight, 0.0)
        tpot = max(cycle - ttft, 0.0) / max(d.osl - 1, 1.0)
        return Outcome(ttft + wait, tpot, cycle, flight, decode, prefill, share)

    def _shared(self, mixed: float, alone: float, flight: float) -> float:
        """Decodes of others in the steps that carry the own prompt."""
        return 0.0 if flight <= 1 else max(mixed - alone, 0.0) * 0.5

    def saturated(self) -> Outcome:
        """As many in flight as the engine and its KV pool hold."""
        return self.closed(self.demand.slots)

    def open(self, rate: float) -> Outcome:
        """Poisson arrivals at ``rate`` per second: the concurrency of Little's law, plus the wait for a slot."""
        low, high = 0.0, self.demand.slots
        full = self.closed(high)
        if full.request_s <= rate:
            return full
        for _ in range(12):
            middle = (low + high) / 2
            outcome = self.closed(max(middle, 1e-6))
            low, high = (middle, high) if outcome.request_s < rate else (low, middle)
        outcome = self.closed(max(high, 1e-6))
        busy = rate / full.request_s
        wait = busy / (1 - busy) * outcome.prefill.seconds / 2
        return Outcome(
            outcome.ttft_s + wait, outcome.tpot_s, outcome.cycle_s, rate * outcome.cycle_s,
            outcome.decode, outcome.prefill, outcome.prefill_share,
        )  # fmt: skip
