"""One batch of a continuous-batching engine: who waits, whose prompt is computed, who decodes, what the pool holds.

Nothing is kept per step and request: decoding requests are counted, their end is a step number in a heap, their
tokens are a sum. A step costs the same with one request or a thousand.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True, slots=True)
class Rules:
    """How the scheduler of one batch decides."""

    seats: int
    """Requests at most (max_num_seqs)."""
    budget: float
    """Tokens of one step (max_num_batched_tokens)."""
    pool: float
    """Tokens of KV cache."""
    reserve: float = 0.0
    """Share of what running requests have still to say that admission counts: 0 vLLM, 1 where none is ever evicted."""
    prefill_first: bool = False
    """Prompts stop decoding until they are through, instead of sharing steps."""
    accepted: float = 1.0
    """Tokens that a step yields per decoding request."""
    draft: float = 0.0
    block: float = 1.0
    """Tokens of a block of the pool; half of one is lost per request."""


@dataclass(slots=True, eq=False)
class Job:
    """A request inside the engine."""

    number: int
    sent_s: float
    arrival_s: float
    isl: float
    osl: float
    cached: float
    """Tokens of the prompt that need no computing and, shared, no room."""
    context: float = 0.0
    """Tokens in the cache before the prompt."""
    need: float = 0.0
    """Prompt tokens still to compute."""
    said: float = 0.0
    """Tokens of the answer before a preemption, which are computed again."""
    steps: int = 0
    """Decode steps to go when decoding (again) begins."""
    begun: int = -1
    """Step of the group at which decoding began; −1 while the prompt is computed."""
    place: int = 0
    """Turn of admission; a new one voids what a heap still says about the old one."""
    first_s: float = -1.0
    evicted_s: float = -1.0
    computed: bool = False
    """Its prompt was computed elsewhere."""

    def prompt(self) -> float:
        """Tokens to compute when admitted."""
        return max(self.isl - self.cached, 1.0) + self.said

    def start(self) -> float:
        """Tokens cached before the next one to compute."""
        return self.context + self.isl + self.said - self.need


@dataclass(frozen=True, slots=True)
class Work:
    """Prompt tokens of one step: (job, tokens) each."""

    parts: tuple[tuple[Job, float], ...] = ()
    tokens: float = 0.0
    start: float = 0.0
    """Sum over parts of the mean cached tokens, weighted by their tokens."""


NOTHING = Work()


class Group:
    """The scheduler's state of one batch."""

    def __init__(self, rules: Rules, turns: Iterator[int] | None = None) -> None:
        self.rules = rules
        self.waiting: deque[Job] = deque()
        self.filling: list[Job] = []
        self.running = 0
        self.context = 0.0
        """Tokens that all decoding requests attend to."""
        self.used = 0.0
        """Tokens of the pool that are taken."""
        self.to_say = 0.0
        """Tokens that decoding and filling requests may still add."""
        self.clock = 0
        """Decode steps so far."""
        self.preemptions = 0
        self.recomputed = 0.0
        self._ends: list[tuple[int, int, int, Job]] = []
        self._admitted: list[tuple[Job, int]] = []
        self._turns = count(1) if turns is None else turns
        """Of admission, shared by batches that hand requests over."""

    @property
    def load(self) -> int:
        """Requests in any state."""
        return self.running + len(self.filling) + len(self.waiting)

    def held(self, job: Job, generated: float) -> float:
        """Tokens of the pool that a request takes."""
        return job.context + job.isl - job.cached + job.said + generated + self.rules.block / 2

    def plan(self) -> Work:
        """The prompt tokens of the next step; requests are admitted on the way."""
        if not self.filling and not self.waiting:
            return NOTHING
        rules = self.rules
        budget = rules.budget
        if not rules.prefill_first:
            budget = max(budget - self.running * (1 + rules.draft), budget / 4)
        parts: list[tuple[Job, float]] = []
        for job in self.filling:
            if budget < 1:
                break
            budget -= self._take(job, budget, parts)
        while self.waiting and not self.waiting[0].computed and budget >= 1 and self._room(self.waiting[0]):
            budget -= self._take(self._admit(self.waiting.popleft()), budget, parts)
        if not parts:
            return NOTHING
        tokens = sum(part for _, part in parts)
        start = sum(part * (job.start() + part / 2) for job, part in parts)
        return Work(tuple(parts), tokens, start / tokens)

    def join(self) -> list[Job]:
        """Requests whose prompt was computed elsewhere begin to decode where there is room."""
        joined = []
        while self.waiting and self.waiting[0].computed and self._room(self.waiting[0]):
            job = self._admit(self.waiting.popleft())
            self.filling.remove(job)
            self._begin(job)
            joined.append(job)
        return joined

    def _take(self, job: Job, budget: float, parts: list[tuple[Job, float]]) -> float:
        tokens = min(job.need, budget)
        parts.append((job, tokens))
        return tokens

    def _room(self, job: Job) -> bool:
        """Whether a seat and the pool take it; an empty engine takes anything.

        One that was sent back waits until the others have a block more each, lest it be sent back at once.
        """
        present = self.running + len(self.filling)
        if present == 0:
            return True
        promised = self.rules.reserve * (self.to_say + job.osl - job.said)
        if job.evicted_s >= 0:
            promised += self.running * self.rules.block
        return present < self.rules.seats and self.used + self.held(job, 0.0) + promised <= self.rules.pool

    def _admit(self, job: Job) -> Job:
        job.begun, job.need = -1, job.prompt()
        return self._hold(job)

    def _hold(self, job: Job) -> Job:
        """A request whose prompt is computed here."""
        job.place = next(self._turns)
        self.used += self.held(job, 0.0)
        self.to_say += max(job.osl - job.said, 0.0)
        self.filling.append(job)
        self._admitted.append((job, job.place))
        return job

    def take_over(self, other: Group) -> None:
        """Prompts that another batch has begun go on in this one."""
        for job in other.filling:
            other.used -= other.held(job, 0.0)
            other.to_say -= max(job.osl - job.said, 0.0)
            self._hold(job)
        other.filling = []

    def computed(self, work: Work) -> list[Job]:
        """After a step: the requests whose prompt is through and who now decode."""
        through = []
        for job, tokens in work.parts:
            job.need -= tokens
            if job.need < 0.5:
                through.append(job)
        if through:
            self.filling = [job for job in self.filling if job.need >= 0.5]
        for job in through:
            self._begin(job)
        return through

    def _begin(self, job: Job) -> None:
        left = max(job.osl - 1 - job.said, 0.0)
        job.steps, job.begun = math.ceil(left / self.rules.accepted - 1e-9), self.clock
        self.running += 1
        self.context += job.context + job.isl + job.said
        heappush(self._ends, (self.clock + job.steps, job.number, job.place, job))

    def steps_ahead(self) -> int:
        """Decode steps until the next request ends."""
        while self._ends and self._ends[0][3].place != self._ends[0][2]:
            heappop(self._ends)
        return max(self._ends[0][0] - self.clock, 0) if self._ends else 0

    def steps_in_pool(self) -> float:
        """Decode steps until the pool is full."""
        if self.running <= 1:
            return math.inf
        return (self.rules.pool - self.used) / (self.running * self.rules.accepted)

    def decoded(self, steps: int) -> None:
        """Every decoding request moves on."""
        tokens = steps * self.running * self.rules.accepted
        self.clock += steps
        self.context += tokens
        self.used += tokens
        self.to_say -= tokens

    def finished(self) -> list[Job]:
        """Requests that have said all, taken out."""
        done = []
        while self._ends and self._ends[0][0] <= self.clock:
            _, _, place, job = heappop(self._ends)
            if job.place == place:
                self._leave(job, job.steps * self.rules.accepted)
                job.place = 0
                done.append(job)
        return done

    def _leave(self, job: Job, generated: float) -> None:
        self.running -= 1
        self.context -= job.context + job.isl + job.said + generated
        self.used -= self.held(job, generated)
        self.to_say -= job.osl - job.said - generated
        if not self.running:
            self.context = 0.0
            if not self.filling:
                self.used = self.to_say = 0.0

    def make_room(self, now: float) -> None:
        """Before a decode step: the last admitted are sent back until every other one has room for its token."""
        while self.running > 1 and self.steps_in_pool() < 1:
            while self._admitted and self._admitted[-1][0].place != self._admitted[-1][1]:
                self._admitted.pop()
            if not self._admitted:
                return
            self._evict(self._admitted.pop()[0], now)

    def _evict(self, job: Job, now: float) -> None:
        """Recompute: its tokens are dropped, prompt and answer so far are computed again."""
        self.preemptions += 1
        if job.begun < 0:
            self.filling.remove(job)
            self.used -= self.held(job, 0.0)
            self.to_say -= job.osl - job.said
            self.recomputed += job.prompt() - job.need
            if job.first_s < 0:
                job.evicted_s = now
        else:
            generated = (self.clock - job.begun) * self.rules.accepted
            self._leave(job, generated)
            job.said += generated
            job.evicted_s = now
            self.recomputed += job.prompt()
        job.place, job.computed = 0, False
        self.waiting.appendleft(job)
