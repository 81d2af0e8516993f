"""The clock of a simulation: arrivals, steps of batches that share a device, ends.

A replica is ``pp`` lanes, one micro-batch per pipeline stage, of ``attention_dp`` groups that go in step. A lane's
step of T seconds holds the first stage for T/pp, and its tokens come T after its begin, behind those of the lane
before it. Prompts that go on in the next step need not wait for their own result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from planner.performance.simulation.group import NOTHING, Group, Job, Rules, Work
from planner.performance.simulation.record import Record
from planner.performance.simulation.requests import Request
from planner.performance.simulation.times import StepTimes

MAX_STEPS = 1_000_000
"""Steps after which a run is cut off: ten seconds or so of the planner's time."""


ASK_EVERY = 64
"""Turns of the clock between two questions whether to stop."""


def never() -> bool:
    """A run that nobody stops."""
    return False


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


@dataclass(frozen=True, slots=True)
class Course:
    """How long a run goes on and what of it counts."""

    measured: int
    warm: int = 0
    """Requests before the first that counts."""
    concurrency: int | None = None
    """In a closed loop: clients that each send the next request when the last is answered. They start in the midst of
    their answers, as if the load had been on for a while."""
    staggered: bool = True
    """False: all clients start at once, as an offline run does."""
    forever: bool = True
    """Load goes on until the last measured request has ended; False for a finite run."""
    cancelled: Callable[[], bool] = never
    """Asked now and then whether to stop with what there is."""


class Lane:
    """A micro-batch: groups in step, and when its last step's tokens are out."""

    def __init__(self, plant: Plant) -> None:
        self.groups = [Group(plant.rules) for _ in range(plant.groups)]
        self.ready_s = 0.0
        self.token_s = 0.0
        """When its last tokens came."""

    @property
    def load(self) -> int:
        return sum(group.load for group in self.groups)


class Simulation:
    """One run."""

    def __init__(self, plant: Plant, times: StepTimes, requests: Iterator[Request], course: Course) -> None:
        self.plant, self.times, self.course = plant, times, course
        self.lanes = [Lane(plant) for _ in range(plant.lanes)]
        self.groups = [group for lane in self.lanes for group in lane.groups]
        self.record = Record(course.warm, course.warm + course.measured - 1)
        self._requests = requests
        self._coming: list[tuple[float, int, Job]] = []
        self._number = 0
        self._unmeasured = course.measured
        self._frontend_s = self._stage_s = self._out_s = 0.0
        self._start()

    def _start(self) -> None:
        clients = self.course.concurrency
        for client in range(1 if clients is None else clients):
            self._send(None, share=(client + 0.5) / clients if clients and self.course.staggered else 1.0)

    def _send(self, now: float | None, share: float = 1.0) -> None:
        """The next request of the load, or the last ``share`` of it; at ``now`` where a client waits with it."""
        last = self.record.last_number
        if not self.course.forever and self._number > last:
            return
        request = next(self._requests, None)
        if request is None:
            return
        sent = request.arrival_s if now is None else now
        self._frontend_s = max(self._frontend_s, sent) + self.plant.frontend_request_s
        cached = min(request.isl * self.plant.hit_rate, max(request.isl - 1, 0.0))
        arrival = self._frontend_s + self.plant.prefill_s
        osl = max(float(round(request.osl * share)), 1.0)
        job = Job(self._number, sent, arrival, request.isl, osl, cached, self.plant.context)
        if self._number == self.record.first_number:
            self.record.begun_s = sent
        self._number += 1
        heappush(self._coming, (arrival, job.number, job))

    def run(self) -> Record:
        """Until every measured request has ended, or the load is over, or ``MAX_STEPS``."""
        record, cancelled = self.record, self.course.cancelled
        for turn in count():
            if self._unmeasured <= 0 or record.steps >= MAX_STEPS or (turn % ASK_EVERY == 0 and cancelled()):
                break
            lane = self._next_lane()
            if lane is None:
                if not self._coming:
                    break
                self._arrive(self._coming[0][0])
                continue
            begin = max(lane.ready_s, self._stage_s)
            if self._coming and self._coming[0][0] <= begin:
                self._arrive(begin)
                continue
            self._step(lane, begin)
        return record

    def _next_lane(self) -> Lane | None:
        """The one that may begin first, of those with work."""
        if len(self.lanes) == 1:
            return self.lanes[0] if self.lanes[0].load else None
        return min((lane for lane in self.lanes if lane.load), key=lambda lane: lane.ready_s, default=None)

    def _arrive(self, now: float) -> None:
        """Requests that have come by now join the emptiest group; an open loop's next one is drawn."""
        while self._coming and self._coming[0][0] <= now:
            arrival, _, job = heappop(self._coming)
            lane = min(self.lanes, key=lambda lane: lane.load) if len(self.lanes) > 1 else self.lanes[0]
            group = min(lane.groups, key=lambda group: group.load) if len(lane.groups) > 1 else lane.groups[0]
            if not lane.load:
                lane.ready_s = max(lane.ready_s, arrival)
            group.waiting.append(job)
            if self.course.concurrency is None:
                self._send(None)
        waiting = sum(len(group.waiting) for group in self.groups)
        self.record.peak_waiting = max(self.record.peak_waiting, waiting)

    def _step(self, lane: Lane, begin: float) -> None:
        works = []
        for group in lane.groups:
            before = group.preemptions
            group.make_room(begin)
            works.append(NOTHING if group.preemptions > before and group.running else group.plan())
        if any(work.parts for work in works):
            self._mixed(lane, works, begin)
        else:
            self._decode(lane, begin)

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
                self._first(job, out)
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
        if self._coming:
            ahead = min(ahead, math.ceil((self._coming[0][0] - begin) / seconds))
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

    def _first(self, job: Job, out: float) -> None:
        """A prompt is through: its first token, or the first after a preemption."""
        if job.first_s < 0:
            job.first_s = out
        elif job.evicted_s >= 0:
            self.record.gap(out - job.evicted_s, 1.0)

    def _leave(self, lane: Lane, out: float) -> None:
        """Requests that have said all; their clients send the next."""
        record = self.record
        for group in lane.groups:
            for job in group.finished():
                record.ended.append((out, job.isl, job.osl))
                if record.measures(job.number):
                    self._unmeasured -= 1
                    record.ttft.append(job.first_s - job.sent_s)
                    record.e2e.append(out - job.sent_s)
                    each = (out - job.first_s) / (job.osl - 1) if job.osl > 1 else 0.0
                    record.pairs.append((job.first_s - job.sent_s, each))
                    if job.osl > 1:
                        record.tpot.append(each)
                if self.course.concurrency is not None:
                    self._send(out)


@dataclass(frozen=True, slots=True)
class Run:
    """What one replica did."""

    record: Record
    preemptions: int
    recomputed: float
    """Tokens computed again after preemptions."""


def run(plant: Plant, times: StepTimes, requests: Iterator[Request], course: Course) -> Run:
    """One run of one replica."""
    simulation = Simulation(plant, times, requests, course)
    record, groups = simulation.run(), simulation.groups
    return Run(record, sum(group.preemptions for group in groups), sum(group.recomputed for group in groups))
