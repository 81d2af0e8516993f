"""Open loop: requests come at a rate, whether or not earlier ones are answered.

Symbols of one replica: λ requests per second; d(n) seconds of a decode step with n requests; M seconds that one
prompt adds to a step; k decode steps of an answer. A step of S seconds meets λ·S prompts: S = d(n) + λ·S·M. By
Little's law λ·k·S decode at a time; one of them sees these beside itself, n = λ·k·S + 1. The rate that n requests
sustain is n / (k·d(n) + n·M), the largest stable one that of as many as engine and KV pool hold at once; above it the
queue grows without bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from planner.performance.batching import Batching
from planner.performance.demand import Outcome, Waits
from planner.performance.step import Step
from planner.performance.waits import BUSIEST, Steps, one_server, prompt_waits, slot_wait

_CLOSE = 3e-4
_GROUP_STEPS = 6


@dataclass(frozen=True, slots=True)
class _State:
    """A working point: decoding requests, their plain step, and what a prompt adds to it."""

    running: float
    decode: Step
    added_s: float
    step_s: float
    shared_s: float = 0.0
    """What prompts of several attention groups add to a step that has any."""


class OpenLoop:
    """One replica at arrival rates; ``isl_cv`` is the coefficient of variation of its prompts' lengths."""

    def __init__(self, batching: Batching, isl_cv: float = 0.0) -> None:
        self.batching, self.demand, self.over = batching, batching.demand, batching.model.over
        self.isl_cv = isl_cv
        self.steps = max((self.demand.osl - 1) / self.demand.accepted, 0.0)
        self.capacity = self._capacity()
        """Requests per second at which the queue begins to grow without bound."""

    def at(self, rate: float) -> Outcome:
        """The replica at ``rate``; at or above capacity its figures are those just below it."""
        load, rate = rate / self.capacity, min(rate, BUSIEST * self.capacity)
        state, batching = self._state(rate), self.batching
        waits = self._waits(rate, state)
        decoding = self.steps * state.step_s
        ttft = waits.mean + self.over.prefill_s
        return Outcome(
            ttft_s=ttft,
            tpot_s=decoding / (self.demand.osl - 1) if self.steps else 0.0,
            cycle_s=ttft + decoding,
            in_flight=rate * (ttft + decoding),
            decode=state.decode,
            prefill=batching.prefill,
            prefill_share=1 - state.decode.seconds / state.step_s if self.steps else 1.0,
            added_s=state.added_s,
            shared_s=state.shared_s if self.demand.pp > 1 else 0.0,
            slot_s=waits.slot,
            load=load,
            waits=waits,
        )

    def pace(self, rate: float) -> float:
        """Seconds of a step at a rate, at most that at capacity."""
        return self._state(min(rate, BUSIEST * self.capacity)).step_s

    def _capacity(self) -> float:
        batching, demand = self.batching, self.demand
        crowded, batching.crowded = batching.crowded, True
        ceiling = max(batching.lanes * demand.budget * self.steps / demand.prompt, 1.0)
        running = min(demand.slots, ceiling) if self.steps else 1.0
        rate = 0.0
        for _ in range(3):
            rate = self._sustained(max(running, 1.0))
            running = min(max(demand.slots - rate * batching.alone, 1.0), ceiling)
        batching.crowded = crowded
        frontend = self.over.frontend_s(demand.osl)
        return min(rate, 1 / frontend) if frontend > 0 else rate

    def _sustained(self, running: float) -> float:
        """Requests per second that ``running`` decoding ones make room for."""
        batching = self.batching
        if not self.steps:
            return batching.groups / max(batching.marginal(0.0, self.demand.slots / batching.lanes).more, 1e-12)
        decode = batching.decode(running).seconds
        if self.demand.pp > 1:
            return running / (self.steps * batching.rounds(running, decode).with_prompts(running / self.steps)[0])
        prompt = batching.marginal(running, running / batching.lanes / self.steps, decode)
        each = max(
            self.steps * decode + running * prompt.more / batching.groups, running / batching.lanes * prompt.whole
        )
        return running / each

    def _state(self, rate: float) -> _State:
        """The working point: Illinois' variant of regula falsi for n = λ·k·S(n) + 1, between idle and all slots."""
        low = self._point(1.0, rate)
        if not self.steps:
            return low
        below, high = self._missing(low, rate), self._point(self.demand.slots, rate)
        above = self._missing(high, rate)
        if below <= 0 or above >= 0:
            return low if below <= 0 else high
        point = high
        for _ in range(12):
            running = (low.running * above - high.running * below) / (above - below)
            point = self._point(running, rate)
            missing = self._missing(point, rate)
            if abs(missing) < _CLOSE * running:
                break
            if missing > 0:
                low, below, above = point, missing, above / 2
            else:
                high, above, below = point, missing, below / 2
        return point

    def _missing(self, point: _State, rate: float) -> float:
        """Requests that Little's law wants beside those of a point."""
        return rate * self.steps * point.step_s + 1 - point.running

    def _point(self, running: float, rate: float) -> _State:
        batching = self.batching
        decode = batching.decode(running)
        if self.demand.pp > 1:
            step, shared = batching.rounds(running, decode.seconds).at_rate(rate)
            added = (step - decode.seconds) / max(rate * step, 1e-12)
        elif batching.groups > 1:
            added, step, shared = self._in_step(running, rate, decode.seconds)
        else:
            together = rate / batching.lanes * decode.seconds
            added, shared = batching.marginal(max(running, batching.lanes), together, decode.seconds).more, 0.0
            step = decode.seconds / max(1 - rate * added, 1 - BUSIEST)
        return _State(running, decode, added, step, shared)

    def _in_step(self, running: float, rate: float, plain: float) -> tuple[float, float, float]:
        """(seconds a prompt adds, seconds of the mean step, of what prompts add to one that has any): groups in step.

        A group has a prompt in a step with probability q = 1 − exp(−a), a = λ·S/groups; the step of all takes longer
        with probability 1 − (1 − q)^groups, by what a prompt in that share of the groups takes.
        """
        batching, groups = self.batching, self.batching.groups
        chunks = max(math.ceil(self.demand.prompt / self.demand.budget), 1)
        step, longer = plain, 0.0
        for _ in range(_GROUP_STEPS):
            met = rate / batching.lanes * step * chunks
            own = -math.expm1(-met)
            some = max(1 - (1 - own) ** groups, 1e-12)
            share = max(own / some, 1 / groups)
            together = share if met <= 1 else met / chunks
            added = batching.marginal(running, together, plain).more
            longer = added * share * self.demand.pp * max(met / chunks, 1.0) / chunks
            step = plain + some * longer
        return (step - plain) / max(rate * step, 1e-12), step, longer

    def _waits(self, rate: float, state: _State) -> Waits:
        steps = Steps(state.decode.seconds, state.added_s, state.shared_s)
        waits = prompt_waits(self.batching, rate, steps, self.isl_cv)
        streamed = min(rate * self.over.frontend_token_s * self.demand.osl, BUSIEST)
        front = one_server(rate, self.over.frontend_request_s / (1 - streamed))
        waits = waits._replace(queue=waits.queue + front.queue, variance=waits.variance + front.variance)
        if not self.steps:
            return waits
        cycle = waits.mean + self.steps * state.step_s
        slowed = state.step_s / self.batching.decode(1.0).seconds
        slot, share = slot_wait(rate / self.capacity, self.demand.slots, rate * cycle, cycle, slowed)
        return waits._replace(slot=slot, slot_share=share)


def overrun(full: Outcome, rate: float, requests: float, slots: float, load: float) -> Outcome:
    """Requests that come faster than they are answered, ``full`` being the engine with all slots taken.

    Of a run of so many requests (0: nobody knows, and the wait is that of ``full``) the first ``slots`` begin at once;
    request k begins at (k − slots)/C and came at k/λ, C being the rate answered.
    """
    if not requests:
        return replace(full, load=load)
    lag = 1 / full.request_s - 1 / rate
    behind = requests - slots / full.request_s / lag if lag > 0 else 0.0
    wait = lag * behind**2 / (2 * requests) if behind > 0 else 0.0
    return replace(full, ttft_s=full.ttft_s + wait, slot_s=wait, load=load)
