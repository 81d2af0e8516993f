"""Prefill workers, transfers of their caches, and workers that decode, on one clock.

A request goes to the prefill worker with least to do, then, ``handover_s`` after its prompt, to the emptiest worker
that decodes; its first token is told when that worker takes it into a step. The worker that is due first acts first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.performance.simulation.group import Job
from planner.performance.simulation.record import Record
from planner.performance.simulation.requests import Request
from planner.performance.simulation.run import Clients, Course, Run
from planner.performance.simulation.times import Times
from planner.performance.simulation.worker import Plant, Worker

Workers = tuple[Plant, Times, int]
"""What one of them is, and how many there are."""


class _Prefill(Worker):
    """Computes prompts and hands them over."""

    def __init__(self, plant: Plant, times: Times, record: Record, owner: _Apart) -> None:
        super().__init__(plant, times, record)
        self._owner = owner

    def taken(self, job: Job) -> None:
        self._owner.came()

    def done(self, job: Job, out: float) -> None:
        self._owner.hand_over(job, out)


class _Decode(Worker):
    """Takes requests whose prompt is computed."""

    def __init__(self, plant: Plant, times: Times, record: Record, owner: _Apart) -> None:
        super().__init__(plant, times, record)
        self._owner = owner

    def joined(self, job: Job, now: float) -> None:
        if job.first_s < 0:
            job.first_s = now

    def done(self, job: Job, out: float) -> None:
        self._owner.answered(job, out)


class _Apart:
    """All workers of a deployment, and their clients."""

    def __init__(
        self, prefill: Workers, decode: Workers, handover_s: float, requests: Iterator[Request], course: Course
    ) -> None:
        self.record = Record(course.warm, course.warm + course.measured - 1)
        self.clients = Clients(requests, course, prefill[0], self.record)
        self.first = [_Prefill(*prefill[:2], self.record, self) for _ in range(prefill[2])]
        self.next = [_Decode(*decode[:2], self.record, self) for _ in range(decode[2])]
        self.workers: list[Worker] = [*self.first, *self.next]
        self._handover_s = handover_s
        self._answers: dict[int, float] = {}
        for job in self.clients.begin():
            self._send(job)

    def run(self) -> Record:
        """Until every measured request has ended, or the load is over, or ``MAX_STEPS``."""
        while self.clients.go_on():
            worker = min(self.workers, key=Worker.due)
            if worker.due() == math.inf:
                break
            worker.horizon_s = min(each.due() for each in self.first) + self._handover_s
            worker.act()
        return self.record

    def _send(self, job: Job) -> None:
        """To a prefill worker, which answers with one token."""
        self._answers[job.number] = job.osl
        job.osl = 1.0
        min(self.first, key=lambda worker: worker.load).send(job)

    def came(self) -> None:
        """One of an open loop's requests has come; the next is drawn."""
        if self.clients.course.concurrency is None and (following := self.clients.next(None)):
            self._send(following)

    def hand_over(self, job: Job, out: float) -> None:
        """A prompt is computed and its cache on the way."""
        osl = self._answers.pop(job.number)
        moved = Job(job.number, job.sent_s, out + self._handover_s, job.isl, osl, 0.0, job.context, computed=True)
        if osl <= 1:
            moved.first_s = moved.arrival_s
            self.answered(moved, moved.arrival_s)
            return
        min(self.next, key=lambda worker: worker.load).send(moved)

    def answered(self, job: Job, out: float) -> None:
        """A request has ended."""
        if following := self.clients.answered(job, out):
            self._send(following)


def run_apart(prefill: Workers, decode: Workers, handover_s: float, requests: Iterator[Request], course: Course) -> Run:
    """One run of a whole deployment."""
    apart = _Apart(prefill, decode, handover_s, requests, course)
    record = apart.run()
    groups = [group for worker in apart.workers for group in worker.groups]
    return Run(record, sum(group.preemptions for group in groups), sum(group.recomputed for group in groups))
