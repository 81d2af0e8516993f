"""Continuous batching in closed form: what requests see when many share one engine.

Symbols of one replica: N requests in flight, isl prompt and osl answer tokens each; D seconds of a decode step with
the running batch n; M the marginal seconds that one prompt adds to the steps it shares. While a request decodes, n
others finish and are replaced, so that it meets n prompts: its next token takes D + n/osl · M on the mean. A chunked
engine passes at most ``budget`` prompt tokens a step, which bounds n at budget · osl / isl. By Little's law
n = N · decode time / (time to first token + decode time).
"""

from __future__ import annotations

import math
from dataclasses import replace

from planner.performance.demand import Added, Demand, Outcome
from planner.performance.rounds import Rounds
from planner.performance.step import Load, Step, StepModel

_BACKLOG = 0.6
"""Of the wait for a busy API process, the share that comes before the first token; the rest holds up the others
(0.3-0.95 of the runs of TensorRT-LLM 1.0 that pass 35 requests or 9,000 tokens a second)."""
_IDLE, _SHARP = 0.6, 20.0
"""Load of the API process below which nobody waits for it, and how sharply its limit bends the rate (assumed: a
smooth maximum, sharp enough that what waits far from the limit is no more than rounding)."""
_FULL = 0.8
"""Share of an engine's time that prompts take from which its limit is worked out with all that it can decode beside."""
_SETTLED = 3e-4
"""Relative change of the running batch at which the fixed point is taken as found."""


class Batching:
    """Closed loops over one step model."""

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

    def marginal(self, running: float, together: float, plain_s: float = 0.0) -> Added:
        """What one prompt adds to the steps that carry it.

        ``plain_s`` is the step without prompts, where it is known.

        Attention groups go in step: a prompt of one group holds up all, unless theirs come at the same time, as
        they do where prompts always wait.
        """
        d = self.demand
        requests = running / self.lanes
        room = d.budget if self.model.over.prefill_first else max(d.budget - requests, d.budget / 4)
        count = min(max(together, 1.0), max(room / d.prompt, 1.0))
        chunks = max(d.prompt / room, 1.0)
        size = d.prompt / chunks
        start = d.context + d.cached + (d.prompt - size) / 2
        share = 1.0 if self.groups == 1 or self.crowded else min(max(together, 1 / self.groups), 1.0)
        alone = self.model.over.prefill_first or requests < 1
        requests, context = 0.0 if alone else requests, d.context + d.isl + d.osl / 2
        load = Load(requests, context, size * count, start, size, d.draft, share, d.drafting)
        mixed, plain = self.model.step(load).seconds, 0.0
        if not alone:
            plain = plain_s or self.model.step(Load(requests, context, draft=d.draft, drafting=d.drafting)).seconds
        more = max(mixed - plain, 0.0) * chunks / count + d.images_s
        return Added(more / (share * d.pp), mixed * chunks + d.images_s, (more + plain * d.prompt / room) / share)

    def rounds(self, running: float, plain: float) -> Rounds:
        """Rounds of a pipeline whose batches hold ``running`` requests; one takes ``plain`` seconds without prompts."""
        d, pp, groups = self.demand, self.demand.pp, self.groups
        room = d.budget if self.model.over.prefill_first else max(d.budget - running / self.lanes, d.budget / 4)
        chunks = max(math.ceil(d.prompt / room), 1)

        def added(together: float) -> float:
            share = min(max(together / groups, 1 / groups), 1.0)
            each = self.marginal(max(running, self.lanes), together / groups, plain).more
            return each * share * pp / chunks

        return Rounds(pp, chunks, groups, plain, added)

    def closed(
        self, concurrency: float, together: float = 0.0, *, direct: bool = False, outside: float = 0.0
    ) -> Outcome:
        """``concurrency`` requests always in flight; ``direct`` ones are handed to the engine without its API.

        ``outside`` are more that wait for a slot, but are not counted. The API process takes its time per request and
        per streamed token: beyond its rate requests wait there.
        """
        flight = min(concurrency, self.demand.slots)
        started = self.started(concurrency, flight)
        outcome = self._engine(flight, together, outside + concurrency - started)
        if not direct:
            outcome = self._served(outcome)
        if concurrency <= flight and not self.demand.late:
            return outcome
        each, late = outcome.cycle_s / flight, min(self.demand.late, max(flight - 1, 0.0))
        wait = each * (late + max(concurrency - started, 0.0))
        cycle, tpot = outcome.cycle_s + each * late, outcome.tpot_s + self.longer(each * (started - flight))
        return replace(outcome, ttft_s=outcome.ttft_s + wait, tpot_s=tpot, cycle_s=cycle, in_flight=flight, slot_s=wait)

    def _served(self, outcome: Outcome) -> Outcome:
        """With the wait for the API process, where requests and tokens come faster than it passes them on."""
        busy = outcome.in_flight * self.model.over.frontend_s(self.demand.osl) / outcome.cycle_s
        if busy < _IDLE:
            return outcome
        backlog = outcome.cycle_s * ((1 + busy**_SHARP) ** (1 / _SHARP) - 1)
        before = _BACKLOG if self.demand.osl > 1 else 1.0
        tpot = outcome.tpot_s + self.longer((1 - before) * backlog)
        first, cycle = outcome.ttft_s + before * backlog, outcome.cycle_s + backlog
        return replace(outcome, ttft_s=first, tpot_s=tpot, cycle_s=cycle, api=busy)

    def longer(self, seconds: float) -> float:
        """What a wait in the middle of an answer adds to its mean time per token."""
        return seconds / (self.demand.osl - 1) if self.demand.osl > 1 else 0.0

    def started(self, waiting: float, running: float) -> float:
        """Requests that have their first token and not their last, of so many that want in, ``running`` at once.

        Admission that counts less than whole answers starts more requests than the pool holds to their end; those
        that came last are evicted, and wait for room in the middle of their answers. Equal requests grow and end
        together, so that all their growth is evicted; of varied ones some end while others grow.
        """
        d = self.demand
        if waiting <= running or d.limit <= running or d.osl <= 1:
            return running
        grown = (d.isl + d.osl / 2) / d.isl
        more = math.pow(grown, self.model.over.evicted * (1 - d.varied))
        return max(min(waiting, d.limit, running * more), running)

    def _engine(self, flight: float, together: float = 0.0, outside: float = 0.0) -> Outcome:
        """``flight`` requests always inside the engine, and ``outside`` it those that wait for a slot: they get one
        when the step has room for their prompt, so that the queue of prompts is theirs.

        ``together`` is the share of a run's requests that start at once: their prompts queue before them, and on the
        mean only half of those prompts pass while one of them decodes.
        """
        d = self.demand
        steps = max((d.osl - 1) / d.accepted, 0.0)
        if not steps:
            return self._only_prompts(flight)
        ceiling = max(self.lanes * d.budget * steps / d.prompt, 1.0)
        running, ttft, pace = min(flight, ceiling), self.alone, 0.0
        for _ in range(6):
            before = running
            decode = self.decode(max(running, 1.0))
            added = self._joined(running, steps * max(pace, decode.seconds), decode.seconds)
            own = (added.own + self.alone) / 2
            met = self._met(running, flight / self.lanes * own / (ttft + steps * pace))
            held, shared = self._held(running, steps, decode.seconds, added, met)
            pace = decode.seconds + (1 - together / 2) * held
            least, queue = self._first(flight, added.more, own, decode.seconds, steps * pace, together)
            ttft = least + queue
            if outside and queue:
                ttft = least + max(queue - outside * (ttft + steps * pace) / flight, 0.0)
            running = min(flight * steps * pace / (ttft + steps * pace), ceiling)
            if abs(running - before) < _SETTLED * running:
                break
        cycle = ttft + steps * pace
        if running >= ceiling:
            cycle = max(cycle, steps * pace * flight / running)
            ttft = cycle - steps * pace
        if (busy := flight / self.lanes * added.whole) > _FULL * cycle:
            busy = flight / self.lanes * self.marginal(min(ceiling, d.slots), d.budget, 0.0).whole
        if busy > cycle:
            ttft, pace, cycle = ttft * busy / cycle, pace * busy / cycle, busy
        tpot = steps * pace / (d.osl - 1)
        share = (pace - decode.seconds) / pace
        met = max(running - self.groups, 0.0) / steps
        each = added.more / self.groups if d.pp == 1 or not met else held / met
        return Outcome(ttft, tpot, cycle, flight, decode, self.prefill, share, each, shared)

    def _only_prompts(self, flight: float) -> Outcome:
        """Answers of one token."""
        more = self.marginal(0.0, flight / self.lanes).more
        cycle = max(self.alone + self.model.over.prefill_s, flight / self.lanes * more)
        return Outcome(cycle, 0.0, cycle, flight, self.decode(1.0), self.prefill, 1.0)

    def _joined(self, running: float, decoding: float, plain: float) -> Added:
        """What a prompt adds where ``running`` requests decode for ``decoding`` seconds each."""
        together = running / max(decoding, self.alone) / self.lanes * plain
        if running < self.lanes + 1:
            return self.marginal(max(running - 1, 0.0), together)
        return self.marginal(running, together, plain)

    def _met(self, running: float, busy: float) -> float:
        """Prompts of others of a lane that pass while one of its requests decodes.

        In a cycle of one request each other one has its prompt once: it passes while the first decodes or before its
        first token, but not during the ``busy`` share of the lane's time that own prompts take one after the other.
        """
        return max(running / self.lanes - max(1 - busy, 0.0) / self.demand.pp, 0.0)

    def _held(self, running: float, steps: float, plain: float, added: Added, lane: float) -> tuple[float, float]:
        """(what prompts of others add to the mean step, of a pipeline what they add to a round that has any)."""
        if self.demand.pp == 1 or self.crowded:
            return lane * self.demand.pp * added.more / steps, 0.0
        mean, shared = self.rounds(max(running, 1.0), plain).with_prompts(lane * self.lanes / steps)
        return mean - plain, shared

    def _first(
        self, flight: float, added: float, own: float, step_s: float, decoding: float, together: float
    ) -> tuple[float, float]:
        """Mean seconds to the first token: (rest of the running step and own prompt, queue of prompts).

        Prompts queue as random arrivals (Pollaczek-Khinchine with fixed service), but a share of them arrives
        together, as all of a test's first ones do.
        """
        over = self.model.over
        others = max(flight / self.lanes - 1 / self.demand.pp, 0.0) * self.demand.pp
        busy = min(others * added / (decoding + own + others * added), 0.95)
        burst = max(over.burst, together)
        queue = burst * others * added / 2 + (1 - burst) * added * busy / (2 * (1 - busy))
        residual = 0.5 * step_s if flight > 1 else 0.0
        return own + over.prefill_s + residual, queue
