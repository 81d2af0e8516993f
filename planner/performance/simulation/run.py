"""Runs of one engine: requests are drawn, sent, and measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.performance.simulation.group import Job
from planner.performance.simulation.record import Record
from planner.performance.simulation.requests import Request
from planner.performance.simulation.times import Times
from planner.performance.simulation.worker import Plant, Worker

MAX_STEPS = 1_000_000
"""Steps after which a run is cut off: ten seconds or so of the planner's time."""
ASK_EVERY = 64
"""Turns of the clock between two questions whether to stop."""
_MOST_BEYOND = 20_000
"""Requests after the last measured one; behind so many nobody is served in time to matter."""


def never() -> bool:
    """A run that nobody stops."""
    return False


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


class Clients:
    """Who sends the requests of a course, one after the other."""

    def __init__(self, requests: Iterator[Request], course: Course, plant: Plant, record: Record) -> None:
        self.course, self.plant, self.record = course, plant, record
        self.unmeasured = course.measured
        self._requests = requests
        self._number = self._turn = 0
        self._frontend_s = 0.0

    def go_on(self) -> bool:
        """Whether something is still to be measured, and nobody has stopped the run: asked at every turn."""
        stopped = self._turn % ASK_EVERY == 0 and self.course.cancelled()
        self._turn += 1
        return not stopped and self.unmeasured > 0 and self.record.steps < MAX_STEPS

    def begin(self) -> list[Job]:
        """The first requests: that of an open loop, or one of each client."""
        clients = self.course.concurrency
        if clients is None:
            return [job for job in (self.next(None),) if job]
        shares = ((i + 0.5) / clients if self.course.staggered else 1.0 for i in range(clients))
        return [job for job in (self.next(None, share) for share in shares) if job]

    def next(self, now: float | None, share: float = 1.0) -> Job | None:
        """The next request, or the last ``share`` of its answer; at ``now`` where a client waits with it."""
        beyond = self._number - self.record.last_number
        if beyond > (_MOST_BEYOND if self.course.forever else 0):
            return None
        request = next(self._requests, None)
        if request is None:
            return None
        sent = request.arrival_s if now is None else now
        self._frontend_s = max(self._frontend_s, sent) + self.plant.frontend_request_s
        cached = min(request.isl * self.plant.hit_rate, max(request.isl - 1, 0.0))
        osl = max(float(round(request.osl * share)), 1.0)
        arrival = self._frontend_s + self.plant.prefill_s
        job = Job(self._number, sent, arrival, request.isl, osl, cached, self.plant.context)
        if self._number == self.record.first_number:
            self.record.begun_s = sent
        self._number += 1
        return job

    def answered(self, job: Job, out: float) -> Job | None:
        """Measures a request that has ended; the next one of its client."""
        record = self.record
        record.ended.append((out, job.isl, job.osl))
        if record.measures(job.number):
            self.unmeasured -= 1
            record.ttft.append(job.first_s - job.sent_s)
            record.e2e.append(out - job.sent_s)
            each = (out - job.first_s) / (job.osl - 1) if job.osl > 1 else 0.0
            record.pairs.append((job.first_s - job.sent_s, each))
            if job.osl > 1:
                record.tpot.append(each)
        return self.next(out) if self.course.concurrency is not None else None


def told(job: Job, out: float, record: Record) -> None:
    """A prompt is through: its first token, or the first after a preemption."""
    if job.first_s < 0:
        job.first_s = out
    elif job.evicted_s >= 0:
        record.gap(out - job.evicted_s, 1.0)


class Simulation(Worker):
    """One engine and its clients."""

    def __init__(self, plant: Plant, times: Times, requests: Iterator[Request], course: Course) -> None:
        super().__init__(plant, times, Record(course.warm, course.warm + course.measured - 1))
        self.clients = Clients(requests, course, plant, self.record)
        for job in self.clients.begin():
            self.send(job)

    def run(self) -> Record:
        """Until every measured request has ended, or the load is over, or ``MAX_STEPS``."""
        while self.clients.go_on() and self.due() < math.inf:
            self.act()
        return self.record

    def taken(self, job: Job) -> None:
        if self.clients.course.concurrency is None and (following := self.clients.next(None)):
            self.send(following)

    def first(self, job: Job, out: float) -> None:
        told(job, out, self.record)

    def done(self, job: Job, out: float) -> None:
        if following := self.clients.answered(job, out):
            self.send(following)


@dataclass(frozen=True, slots=True)
class Run:
    """What one replica did."""

    record: Record
    preemptions: int
    recomputed: float
    """Tokens computed again after preemptions."""


def run(plant: Plant, times: Times, requests: Iterator[Request], course: Course) -> Run:
    """One run of one replica."""
    simulation = Simulation(plant, times, requests, course)
    record, groups = simulation.run(), simulation.groups
    return Run(record, sum(group.preemptions for group in groups), sum(group.recomputed for group in groups))
