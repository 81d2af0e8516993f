"""One engine's clock: arrivals, steps of batches that share a device, ends.

A replica is ``pp`` lanes, one batch in flight per pipeline stage, of ``attention_dp`` groups that go in step. A
request decodes in one lane: its next token needs the last one (engines keep as many batches in flight as stages). A
lane's step of T seconds holds the first stage for T/pp, and its tokens come T after its begin, behind those of the
lane before it: behind a batch with prompts all wait, and stages run empty unless every batch carries as much. A
prompt of several chunks does not wait for its own results; the next batch takes the next chunk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from planner.performance.simulation.group import NOTHING, Group, Job, Rules, Work
from planner.performance.simulation.record import Record
from planner.performance.simulation.times import Times


@dataclass(frozen=True, slots=True)
class Plant:
    """One replica: its layout, its scheduler's rules, and what surrounds a step."""

    rules: Rules
    """Of one group of one lane."""
    groups: int = 1
    lanes: int = 1
    context: float = 0.0
    hit_rate: float = 0.0
    """Share of each prompt found in the prefix cache."""
    prefill_s: float = 0.0
    """Host time per prompt before the scheduler sees it."""
    images_s: float = 0.0
    """In the vision tower, with each prompt."""
    frontend_request_s: float = 0.0
    frontend_token_s: float = 0.0


class Lane:
    """A micro-batch: groups in step, and when its last step's tokens are out."""

    def __init__(self, plant: Plant, turns: Iterator[int]) -> None:
        self.groups = [Group(plant.rules, turns) for _ in range(plant.groups)]
        self.ready_s = 0.0
        self.token_s = 0.0
        """When its last tokens came."""

    @property
    def load(self) -> int:
        return sum(group.load for group in self.groups)


class Worker:
    """One engine: its batches, what is on its way to it, what is told when something happens.

    Who drives it calls ``act`` while there is something ``due``; ``taken``, ``joined``,
    ``first`` and ``done`` are for heirs.
    """

    def __init__(self, plant: Plant, times: Times, record: Record) -> None:
        self.plant, self.times, self.record = plant, times, record
        turns = count(1)
        self.lanes = [Lane(plant, turns) for _ in range(plant.lanes)]
        self.groups = [group for lane in self.lanes for group in lane.groups]
        self.coming: list[tuple[float, int, Job]] = []
        self.horizon_s = math.inf
        """Nothing that is not known yet comes before."""
        self._stage_s = self._out_s = 0.0

    @property
    def load(self) -> int:
        """Requests in any state, those on their way included."""
        return len(self.coming) + sum(group.load for group in self.groups)

    def send(self, job: Job) -> None:
        """A request on its way, that comes at its ``arrival_s``."""
        heappush(self.coming, (job.arrival_s, job.number, job))

    def taken(self, job: Job) -> None:
        """It has come."""

    def joined(self, job: Job, now: float) -> None:
        """One whose prompt was computed elsewhere goes on."""

    def first(self, job: Job, out: float) -> None:
        """A prompt is through."""

    def done(self, job: Job, out: float) -> None:
        """A request has said all."""

    def due(self) -> float:
        """When something happens next; infinite where nothing does."""
        lane = self._next_lane()
        arrival = self.coming[0][0] if self.coming else math.inf
        return arrival if lane is None else min(arrival, max(lane.ready_s, self._stage_s))

    def act(self) -> None:
        """What is due."""
        lane = self._next_lane()
        if lane is None:
            self._arrive(self.coming[0][0])
            return
        begin = max(lane.ready_s, self._stage_s)
        if self.coming and self.coming[0][0] <= begin:
            self._arrive(begin)
        else:
            self._step(lane, begin)

    def _next_lane(self) -> Lane | None:
        """The one that may begin first, of those with work."""
        if len(self.lanes) == 1:
            return self.lanes[0] if self.lanes[0].load else None
        filling = any(group.filling for group in self.groups)
        return min((lane for lane in self.lanes if filling or lane.load), key=lambda lane: lane.ready_s, default=None)

    def _arrive(self, now: float) -> None:
        """Requests that have come by now join the emptiest group; an open loop's next one is drawn."""
        while self.coming and self.coming[0][0] <= now:
            arrival, _, job = heappop(self.coming)
            lane = min(self.lanes, key=lambda lane: lane.load) if len(self.lanes) > 1 else self.lanes[0]
            group = min(lane.groups, key=lambda group: group.load) if len(lane.groups) > 1 else lane.groups[0]
            if not lane.load:
                lane.ready_s = max(lane.ready_s, arrival)
            group.waiting.append(job)
            self.taken(job)
        waiting = sum(len(group.waiting) for group in self.groups)
        self.record.peak_waiting = max(self.record.peak_waiting, waiting)

    def _step(self, lane: Lane, begin: float) -> None:
        self._carry_on(lane)
        if not any(group.running for group in lane.groups):
            lane.token_s = begin
        works = []
        for group in lane.groups:
            before = group.preemptions
            group.make_room(begin)
            for job in group.join():
                self.joined(job, begin)
            works.append(NOTHING if group.preemptions > before and group.running else group.plan())
        if any(work.parts for work in works):
            self._mixed(lane, works, begin)
        else:
            self._decode(lane, begin)

    def _carry_on(self, lane: Lane) -> None:
        """Prompts that other lanes have begun: the next batch takes their next chunk, whichever it is."""
        for other in self.lanes:
            if other is not lane:
                for here, there in zip(lane.groups, other.groups, strict=True):
                    if there.filling:
                        here.take_over(there)

    def _mixed(self, lane: Lane, works: list[Work], begin: float) -> None:
        """One step with prompts; where prompts go first, nobody decodes in it."""
        rules, groups = self.plant.rules, lane.groups
        decoding = 0 if rules.prefill_first else sum(group.running for group in groups)
        context = sum(group.context for group in groups) / decoding if decoding else 0.0
        tokens = sum(work.tokens for work in works)
        having = sum(1 for work in works if work.parts)
        start = sum(work.start * work.tokens for work in works) / tokens
        stretch = tokens / sum(len(work.parts) for work in works)
        prompts = (tokens / having, start, stretch, float(having))
        seconds = self.times.mixed(decoding / len(groups), context, prompts)
        if self.plant.images_s:
            seconds += self.plant.images_s * sum(p / job.prompt() for w in works for job, p in w.parts) / having
        ends = any(job.need - part < 0.5 for work in works for job, part in work.parts)
        out = self._pass(lane, begin, seconds, wait=bool(decoding) or ends)
        if decoding:
            self._advance(lane, 1, seconds, out)
        elif not any(group.running for group in groups):
            lane.token_s = out
        for group, work in zip(groups, works, strict=True):
            for job in group.computed(work):
                self.first(job, out)
        self._leave(lane, out)

    def _decode(self, lane: Lane, begin: float) -> None:
        """As many steps without prompts as nothing else happens in."""
        groups = lane.groups
        decoding = sum(group.running for group in groups)
        if not decoding:
            lane.ready_s = begin + 1e-6
            return
        context = sum(group.context for group in groups) / decoding
        each = decoding / len(groups)
        seconds = self._paced(self.times.decode(each, context), decoding)
        steps = self._ahead(groups, begin, seconds)
        if steps > 1:
            middle = context + steps / 2 * self.plant.rules.accepted
            seconds = self._paced(self.times.decode(each, middle), decoding)
        out = self._pass(lane, begin, seconds * steps, wait=True)
        self._advance(lane, steps, seconds, out)
        self._leave(lane, out)

    def _paced(self, seconds: float, decoding: int) -> float:
        """A step's time, or that of streaming its tokens out where this is longer."""
        return max(seconds, decoding * len(self.lanes) * self.plant.frontend_token_s * self.plant.rules.accepted)

    def _ahead(self, groups: list[Group], begin: float, seconds: float) -> int:
        """Steps until a request ends, one comes, or a pool is full; one at a time while lanes take turns."""
        if sum(1 for lane in self.lanes if lane.load) > 1:
            return 1
        ahead: float = min(group.steps_ahead() for group in groups if group.running)
        ahead = min(ahead, *(group.steps_in_pool() for group in groups))
        known = min(self.horizon_s, self.coming[0][0] if self.coming else math.inf)
        if known < math.inf:
            ahead = min(ahead, math.ceil((known - begin) / seconds))
        return max(int(ahead), 1)

    def _pass(self, lane: Lane, begin: float, seconds: float, *, wait: bool) -> float:
        """Move the clocks of lane and stages; returns when the step's tokens are out."""
        stage = seconds / len(self.lanes)
        self._stage_s = begin + stage
        out = max(begin + seconds, self._out_s + stage)
        self._out_s = out if wait else self._out_s
        lane.ready_s = out if wait else begin + stage
        record = self.record
        record.steps += 1
        record.busy_s += stage
        record.clock_s = max(record.clock_s, out)
        record.peak_running = max(record.peak_running, sum(group.running + len(group.filling) for group in self.groups))
        record.peak_pool = max(record.peak_pool, *(group.used for group in lane.groups))
        return out

    def _advance(self, lane: Lane, steps: int, seconds: float, out: float) -> None:
        """Every decoding request of the lane gets its tokens."""
        decoding = 0
        for group in lane.groups:
            decoding += group.running
            group.decoded(steps)
        if out >= self.record.begun_s:
            accepted = self.plant.rules.accepted
            first = out - (steps - 1) * seconds - lane.token_s
            self.record.gap(first / accepted, decoding * accepted)
            self.record.gap(seconds / accepted, decoding * (steps - 1) * accepted)
        lane.token_s = out

    def _leave(self, lane: Lane, out: float) -> None:
        """Requests that have said all."""
        for group in lane.groups:
            for job in group.finished():
                self.done(job, out)
