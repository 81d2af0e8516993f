"""From servers that hold a model to the fewest of them that carry the load."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from planner.buying.shapes import Shape
from planner.documents.result import Finding, Performance
from planner.legality.limits import image_rules
from planner.performance.promises import each_token, first_token, overloaded
from planner.resolved import Resolved
from planner.search.candidate import Candidate, Option, Tools
from planner.search.explore import explore
from planner.search.fit import keeps_cache
from planner.search.ledger import Ledger
from planner.search.task import Task

End = Literal["low", "value", "high"]


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A configuration of one set of servers: what a fleet is multiplied from."""

    candidate: Candidate
    shape: Shape

    @property
    def devices(self) -> int:
        return self.shape.devices

    @property
    def nodes(self) -> int:
        return self.shape.nodes

    @property
    def copies(self) -> int:
        return self.candidate.layout.dp


@dataclass(frozen=True, slots=True, eq=False)
class Carrier:
    """How many sets of a unit carry the load."""

    unit: Unit
    sets: int
    performance: Performance
    """Of one set at its share of the load."""

    @property
    def devices(self) -> int:
        return self.unit.devices * self.sets

    @property
    def nodes(self) -> int:
        return self.unit.nodes * self.sets

    @property
    def native(self) -> bool:
        """In the format that the model was published in."""
        return self.unit.candidate.option.native


def carriers(
    options: Iterable[Option], shape: Shape, task: Task, tools: Tools, ledger: Ledger, most_nodes: int
) -> Iterator[Carrier | Finding]:
    """For each format the fewest sets of these servers that carry the load."""
    for option in options:
        yield _of_option(option, shape, task, tools, ledger, most_nodes)


def _of_option(
    option: Option, shape: Shape, task: Task, tools: Tools, ledger: Ledger, most_nodes: int
) -> Carrier | Finding:
    candidates = runnable(option, task, tools, ledger)
    if not candidates:
        blind = next(image_rules(replace(option.base, workload=task.workload)), None)
        said = f"no legal layout of {option.title} fits {shape.devices} × {shape.row.id}"
        return blind or Finding("no-layout", said)
    best = max(candidate.users for candidate in candidates)
    for sets in _sets(task, best, most_nodes // shape.nodes):
        good = [c for c in (_tried(candidate, shape, sets, task, tools) for candidate in candidates) if c]
        if good:
            return max(good, key=lambda c: c.performance.output_tok_s.value if c.performance.output_tok_s else 0.0)
    return Finding(
        "too-slow",
        f"{most_nodes} servers of {shape.per_node} × {shape.row.id} do not carry the load",
        "a milder service level, fewer users, or --max-nodes",
    )


def runnable(option: Option, task: Task, tools: Tools, ledger: Ledger) -> list[Candidate]:
    """Every layout of an option that runs and holds a request."""
    found = (_counted(c) for c in explore(option, task, tools, ledger) if c.performance is not None)
    return [candidate for candidate in found if candidate.users > 0]


def _counted(candidate: Candidate) -> Candidate:
    """Models that keep no cache hold as many requests as the engine takes at once."""
    if keeps_cache(candidate.resolved):
        return candidate
    return replace(candidate, users=float(candidate.resolved.serving.max_num_seqs * candidate.layout.dp))


def _sets(task: Task, users: float, most: int) -> Iterator[int]:
    """Numbers of sets worth trying: from what memory asks for, each at first, then in larger steps."""
    first = max(1, math.ceil((task.workload.concurrency or 1.0) / max(users, 1e-9)))
    count = first
    while count <= most:
        yield count
        count = count + 1 if count < 4 else math.ceil(count * 1.25)


def _tried(candidate: Candidate, shape: Shape, sets: int, task: Task, tools: Tools) -> Carrier | None:
    """The candidate in ``sets`` copies of its servers, if it carries its share of the load."""
    wanted = task.workload.concurrency or 1.0
    if candidate.users * sets < wanted:
        return None
    performance = speed_at(candidate, wanted / sets, tools)
    if performance is None or not keeps(performance, task):
        return None
    return Carrier(Unit(candidate, shape), sets, performance)


def speed_at(candidate: Candidate, users: float, tools: Tools) -> Performance | None:
    """The speed of one set of servers at so many users."""
    if users == candidate.resolved.workload.concurrency:
        return candidate.performance
    workload = replace(candidate.resolved.workload, concurrency=users, saturated=False, request_rate=None)
    resolved: Resolved = replace(candidate.resolved, workload=workload)
    return tools.speed(resolved, candidate.memory)


def keeps(performance: Performance, task: Task, end: End = "value") -> bool:
    """Whether the promises hold; without any, whether answers can be read along and begin before people give up.

    ``end`` of the ranges: "high" asks whether they hold even where the machine is as slow as it may be.
    """
    level, policy = task.workload.service_level, task.policy
    tpot = level.tpot_s if level and level.tpot_s else policy.slowest_tpot_s
    ttft = level.ttft_s if level and level.ttft_s else policy.slowest_ttft_s
    token, first = each_token(performance), first_token(performance)
    if (token is None and first is None) or overloaded(performance):
        return False
    late = token is not None and getattr(token, end) > tpot
    return not late and (first is None or getattr(first, end) <= ttft)
