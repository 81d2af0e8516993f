"""Continuous batching in closed form: what requests see when many share one engine.

Symbols of one replica: N requests in flight, isl prompt and osl answer tokens each; D seconds of a decode step with
the running batch n; M the marginal seconds that one prompt adds to the steps it shares. While a request decodes, n
others finish and are replaced, so that it meets n prompts: its next token takes D + n/osl · M on the mean. A chunked
engine passes at most ``budget`` prompt tokens a step, which bounds n at budget · osl / isl. By Little's law
n = N · decode time / (time to first token + decode time).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from planner.performance.rounds import Rounds
from planner.performance.step import Load, Step, StepModel

_OFFLINE_REQUESTS = 1000.0
"""What the engines' own benchmark tools send when nobody says otherwise."""
_OFFLINE_TOKENS = 2e6
"""Tokens at most of an offline run: tests with long prompts send fewer requests (100-500 in published tables)."""
_CHAT = (220.0, 195.0)
"""Mean prompt and answer of ShareGPT as the engines' benchmark tools sample it: the usual load of varied lengths."""
_ALL_VARIED = 0.97
"""Share from which equal lengths no longer matter."""
_CHAT_WIDTH = 0.4
"""How far (log) mean lengths may lie from it to be taken as varied."""


_SETTLED = 3e-4
"""Relative change of the running batch at which the fixed point is taken as found."""


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
    pool: float
    """Tokens that the KV pool holds in requests of this length."""
    pp: int = 1
    draft: float = 0.0
    accepted: float = 1.0
    """Tokens that one step yields per request."""
    drafting: float = 1.0
    """Layers that drafting a token takes."""
    images_s: float = 0.0
    """Seconds of the vision tower before each prompt."""
    late: float = 0.0
    """Requests of a closed loop that wait for a slot at all times (``Overheads.late_slots``)."""

    @property
    def prompt(self) -> float:
        """Tokens to compute per prompt."""
        return max(self.isl - self.cached, 1.0)


class Waits(NamedTuple):
    """What comes before the first token, seconds: mean parts and how they vary."""

    own: float
    """One's own prompt."""
    residual: float = 0.0
    """Rest of the step that runs when a request comes."""
    queue: float = 0.0
    """Prompts of others."""
    variance: float = 0.0
    """Of both, s²."""
    slot: float = 0.0
    """Until engine and pool have room."""
    slot_share: float = 1.0
    """Of requests, those that wait for it."""

    @property
    def mean(self) -> float:
        return self.own + self.residual + self.queue + self.slot


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
    added_s: float = 0.0
    """What one prompt, of whichever lane, adds to a step."""
    shared_s: float = 0.0
    """Of a pipeline: what prompts add to a round that has any."""
    slot_s: float = 0.0
    """Of the time to the first token: mean wait until engine and pool have room."""
    load: float = 0.0
    """Of an open loop: its rate as a share of the largest stable one; from 1 the queue grows without bound."""
    waits: Waits | None = None
    """Of an open loop: what the time to the first token is made of."""

    @property
    def request_s(self) -> float:
        """Requests per second of the replica."""
        return self.in_flight / self.cycle_s


class Batching:
    """Closed, saturated and open loops over one step model."""

    def __init__(self, model: StepModel, demand: Demand) -> None:
        self.model, self.demand = model, demand
        self.groups = model.layout.attention_dp
        self.alone, self.prefill = self._prompt_alone()
        """Seconds of one prompt on an idle engine, and its last step."""
        self.lanes = self.groups * demand.pp
        """Batches that run side by side: attention groups, and one micro-batch per pipeline stage."""
        self.crowded = False
        """Prompts wait in every group at all times: in pipelines, each batch carries as many as the others."""

    def decode(self, running: float) -> Step:
        """One decode step with ``running`` requests in the replica."""
        d = self.demand
        context = d.context + d.isl + d.osl / 2
        return self.model.step(
            Load(max(running / self.lanes, 1.0), context=context, draft=d.draft, drafting=d.drafting)
        )

    def _prompt_alone(self) -> tuple[float, Step]:
        d = self.demand
        chunks = max(math.ceil(d.prompt / d.budget), 1)
        size = d.prompt / chunks
        start = d.context + d.cached + (d.prompt - size) / 2
        step = self.model.step(Load(0.0, tokens=size, start=start, prompt=size, share=1 / self.groups))
        overlap = 1.0 if d.pp == 1 else (chunks + d.pp - 1) / (chunks * d.pp)
        return chunks * step.seconds * overlap + d.images_s, step

    def marginal(self, running: float, together: float, plain_s: float = 0.0) -> tuple[float, float]:
        """(seconds that one prompt adds for all others, seconds of a step that carries prompts).

        ``plain_s`` is the step without prompts, where it is known.

        Attention groups go in step: a prompt of one group holds up all, unless theirs come at the same time, as
        they do where prompts always wait.
        """
        d = self.demand
        requests = running / self.lanes
        room = d.budget if self.model.over.prefill_first else max(d.budget - requests, d.budget / 4)
        count = min(max(together, 1.0), max(room / d.prompt, 1.0))
        chunks = max(math.ceil(d.prompt / room), 1)
        size = d.prompt / chunks
        start = d.context + d.cached + (d.prompt - size) / 2
        share = 1.0 if self.groups == 1 or self.crowded else min(max(together, 1 / self.groups), 1.0)
        if self.model.over.prefill_first or requests < 1:
            mixed = self.model.step(Load(0.0, tokens=size * count, start=start, prompt=size, share=share)).seconds
            return (mixed * chunks / count + d.images_s) / (share * d.pp), mixed + d.images_s
        context = d.context + d.isl + d.osl / 2
        load = Load(requests, context, size * count, start, size, d.draft, share, d.drafting)
        mixed = self.model.step(load).seconds
        plain = plain_s or self.model.step(Load(requests, context, draft=d.draft, drafting=d.drafting)).seconds
        return (max(mixed - plain, 0.0) * chunks / count + d.images_s) / (share * d.pp), mixed + d.images_s

    def rounds(self, running: float, plain: float) -> Rounds:
        """Rounds of a pipeline whose batches hold ``running`` requests; one takes ``plain`` seconds without prompts."""
        d, pp, groups = self.demand, self.demand.pp, self.groups
        room = d.budget if self.model.over.prefill_first else max(d.budget - running / self.lanes, d.budget / 4)
        chunks = max(math.ceil(d.prompt / room), 1)

        def added(together: float) -> float:
            share = min(max(together / groups, 1 / groups), 1.0)
            each, _ = self.marginal(max(running, self.lanes), together / groups, plain)
            return each * share * pp / chunks

        return Rounds(pp, chunks, groups, plain, added)

    def closed(self, concurrency: float, together: float = 0.0) -> Outcome:
        """``concurrency`` requests always in flight.

        The API process takes its time per request: beyond its rate requests wait there, not in the engine.
        """
        flight = min(concurrency, self.demand.slots)
        outcome = self._engine(flight, together)
        limit = self.model.over.frontend_request_s
        if limit and outcome.request_s * limit > 1:
            low, high = 1.0, flight
            for _ in range(12):
                middle = (low * high) ** 0.5
                outcome = self._engine(middle, together)
                low, high = (middle, high) if outcome.request_s * limit < 1 else (low, middle)
            ttft = outcome.ttft_s + flight * limit - outcome.cycle_s
            outcome = replace(outcome, ttft_s=ttft, cycle_s=flight * limit, in_flight=flight)
        if concurrency <= flight and not self.demand.late:
            return outcome
        each, late = outcome.cycle_s / flight, min(self.demand.late, max(flight - 1, 0.0))
        wait = each * (late + max(concurrency - flight, 0.0))
        cycle = outcome.cycle_s + each * late
        return replace(outcome, ttft_s=outcome.ttft_s + wait, cycle_s=cycle, in_flight=flight, slot_s=wait)

    def _engine(self, flight: float, together: float = 0.0) -> Outcome:
        """``flight`` requests always inside the engine.

        ``together`` is the share of a run's requests that start at once: their prompts queue before them, and on the
        mean only half of those prompts pass while one of them decodes.
        """
        d = self.demand
        alone, prefill = self.alone, self.prefill
        steps = max((d.osl - 1) / d.accepted, 0.0)
        if not steps:
            added, _ = self.marginal(0.0, flight / self.lanes)
            cycle = max(alone + self.model.over.prefill_s, flight / self.lanes * added)
            return Outcome(cycle, 0.0, cycle, flight, self.decode(1.0), prefill, 1.0)
        ceiling = max(self.lanes * d.budget * steps / d.prompt, 1.0)
        running, ttft, pace = min(flight, ceiling), alone, 0.0
        decode, added, held, shared = self.decode(running), 0.0, 0.0, 0.0
        for _ in range(6):
            before = running
            decode = self.decode(max(running, 1.0))
            lane = max(running / self.lanes - 1 / d.pp, 0.0)
            rate = running / max(steps * max(pace, decode.seconds), alone)
            together_now = rate / self.lanes * decode.seconds
            if running < self.lanes + 1:
                added, mixed = self.marginal(max(running - 1, 0.0), together_now)
            else:
                added, mixed = self.marginal(running, together_now, decode.seconds)
            streamed = running * self.model.over.frontend_token_s * d.accepted
            held, shared = self._held(running, lane / steps, added, decode.seconds)
            pace = max(decode.seconds + (1 - together / 2) * held, streamed)
            own = mixed - (mixed - alone) * 0.5
            ttft = self._first(flight, added, own, decode.seconds, steps * pace, together)
            running = min(flight * steps * pace / (ttft + steps * pace), ceiling)
            if abs(running - before) < _SETTLED * running:
                break
        cycle = ttft + steps * pace
        if running >= ceiling:
            cycle = max(cycle, steps * pace * flight / running)
            ttft = cycle - steps * pace
        tpot = steps * pace / (d.osl - 1)
        share = (pace - decode.seconds) / pace
        met = max(running - self.groups, 0.0) / steps
        each = added / self.groups if d.pp == 1 or not met else held / met
        return Outcome(ttft, tpot, cycle, flight, decode, prefill, share, each, shared)

    def _held(self, running: float, met: float, added: float, plain: float) -> tuple[float, float]:
        """(what prompts of others add to the mean step, to one that has any); each lane meets ``met`` of them in it."""
        if self.demand.pp == 1 or self.crowded:
            return met * self.demand.pp * added, 0.0
        mean, shared = self.rounds(max(running, 1.0), plain).with_prompts(met * self.lanes)
        return mean - plain, shared

    def _first(self, flight: float, added: float, own: float, step_s: float, decoding: float, together: float) -> float:
        """Mean seconds to the first token: rest of the running step, queue of prompts, own prompt.

        Prompts queue as random arrivals (Pollaczek-Khinchine with fixed service), but a share of them arrives
        together, as all of a test's first ones do.
        """
        over = self.model.over
        others = max(flight / self.lanes - 1 / self.demand.pp, 0.0) * self.demand.pp
        busy = min(others * added / (decoding + own + others * added), 0.95)
        burst = max(over.burst, together)
        queue = burst * others * added / 2 + (1 - burst) * added * busy / (2 * (1 - busy))
        residual = 0.5 * step_s if flight > 1 else 0.0
        return own + over.prefill_s + queue + residual

    def saturated(self) -> Outcome:
        """As many in flight as the engine and its KV pool hold, in a finite run of requests that start together.

        With varied lengths the wait for prompts weighs on short answers (the mean of a ratio is above the ratio of
        means), and long ones end alone. The run's own start (connections, first captures) takes its time once.
        """
        d, over = self.demand, self.model.over
        self.crowded = True
        if over.endless or not over.offline_tail:
            return self.closed(d.slots)
        requests = max(min(_OFFLINE_REQUESTS, _OFFLINE_TOKENS / (d.isl + d.osl)), 1.0)
        flight, varied = min(d.slots, requests), self._varied()
        full = self.closed(flight, together=flight / requests)
        if over.prefill_first and d.osl > 1 and varied < _ALL_VARIED:
            full = _between(self._wave(flight), full, varied)
        tail = varied * over.offline_tail * d.osl / d.accepted * self.decode(1.0).seconds
        stretch = 1 + (tail + over.offline_s) * full.request_s / requests
        waiting = full.prefill_share * full.tpot_s * varied * over.short_answers
        return replace(full, cycle_s=full.cycle_s * stretch, tpot_s=full.tpot_s + waiting)

    def _wave(self, flight: float) -> Outcome:
        """Equal requests where prompts go first: all prompts of a wave pass, then all answers run in step."""
        d = self.demand
        steps = (d.osl - 1) / d.accepted
        added, _ = self.marginal(0.0, flight / self.lanes)
        prompts = max(flight / self.groups * added, self.alone)
        decode = self.decode(flight)
        token = decode.seconds + prompts / 2 / steps
        ttft = self.alone + self.model.over.prefill_s + prompts / 2
        cycle = prompts + steps * decode.seconds + self.model.over.prefill_s
        share = prompts / 2 / steps / token
        return Outcome(ttft, token * steps / (d.osl - 1), cycle, flight, decode, self.prefill, share)

    def _varied(self) -> float:
        """Near 1 for mean lengths of chat, which vary; 0 for those of synthetic tests, which do not."""
        off = math.log(self.demand.isl / _CHAT[0]) ** 2 + math.log(self.demand.osl / _CHAT[1]) ** 2
        return math.exp(-off / _CHAT_WIDTH**2)


def _between(first: Outcome, second: Outcome, share: float) -> Outcome:
    """Geometric mean of two outcomes of the same requests in flight; ``share`` goes to the second."""

    def mean(a: float, b: float) -> float:
        return math.exp((1 - share) * math.log(a) + share * math.log(b))

    return replace(
        second,
        ttft_s=mean(first.ttft_s, second.ttft_s),
        tpot_s=mean(first.tpot_s, second.tpot_s),
        cycle_s=mean(first.cycle_s, second.cycle_s),
    )
