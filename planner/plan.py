"""From hardware, models and a goal to ranked deployments, and everything that was ruled out with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from planner.documents.request import PlanRequest
from planner.documents.result import Finding, Performance, PlanDocument, ServingMemory
from planner.legality import check
from planner.library import Library
from planner.plan_document import document_of
from planner.plan_models import catalogue_models, opened
from planner.plan_options import options, rounds
from planner.plan_question import Question, load_policy, question_of
from planner.predict import memory_of, performance_of
from planner.resolved import Resolved
from planner.search.candidate import Candidate, Option, Tools
from planner.search.explore import explore
from planner.search.groups import Group, groups_of
from planner.search.ledger import Ledger
from planner.search.score import ranked
from planner.search.select import selected

Progress = Callable[[int, int, str], None]
Cancelled = Callable[[], bool]
MAX_GROUPS = 6


class _CancelledMeanwhile(Exception):
    """The plan was cancelled between two configurations."""


@dataclass(slots=True)
class Run:
    """One plan being made."""

    question: Question
    library: Library
    groups: tuple[Group, ...]
    progress: Progress | None
    cancelled: Cancelled | None
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def stopped(self) -> bool:
        return self.cancelled is not None and self.cancelled()


def plan(
    request: PlanRequest, library: Library, *, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> PlanDocument:
    """Ranked deployments for a request. A cancelled plan returns what it has so far.

    Raises BadInput for a model, engine or format that does not exist; everything else is a result.
    """
    policy = load_policy()
    groups, set_apart = groups_of(request.inventory)
    question = question_of(request, groups, policy)
    run = Run(question, library, groups[:MAX_GROUPS], progress, cancelled)
    for finding in set_apart:
        run.ledger.consider()
        run.ledger.reject(finding, request.inventory.origin)
    candidates = list(_named(run) if request.models else _best_of_catalogue(run))
    order = ranked(candidates, question.task)
    per_model = None if len(request.models) == 1 else policy.proposals_per_model
    chosen = selected(order, request.limit, per_model)
    return document_of(question, chosen, order, run.ledger, library)


def _named(run: Run) -> Iterator[Candidate]:
    """The candidates of every model that was named."""
    names = tuple(dict.fromkeys(run.question.request.models))
    for done, name in enumerate(names):
        _report(run, done, len(names), name)
        yield from _of_model(run, name)


def _best_of_catalogue(run: Run) -> Iterator[Candidate]:
    """The candidates of the most promising models; engines of last resort only where no other has any."""
    for fallback in (False, True):
        found = 0
        for candidate in _most_promising(run, fallback=fallback):
            found += 1
            yield candidate
        if found or run.stopped or not _has_fallback(run):
            return


def _has_fallback(run: Run) -> bool:
    return any(r.fallback for group in run.groups for r in rounds(group, run.question, run.library))


def _most_promising(run: Run, *, fallback: bool) -> Iterator[Candidate]:
    """Models in order of promise, until enough of them have candidates."""
    wanted = run.question.task.policy.catalogue_models
    names = catalogue_models(run.question, run.groups, run.library, run.ledger)
    found = 0
    for name in names:
        _report(run, found, wanted, name)
        mine = list(_of_model(run, name, ladder=True, fallback=fallback))
        yield from mine
        found += bool(mine)
        if found >= wanted or run.stopped:
            break
    if found:
        _count_the_rest(run, names)


def _of_model(run: Run, name: str, *, ladder: bool = False, fallback: bool = True) -> Iterator[Candidate]:
    """The candidates of a model on every group; with ``ladder`` only of the best formats that fit at all."""
    source = opened(name, run.library, run.ledger)
    if source is None:
        return
    for group in run.groups:
        found = 0
        for engines in rounds(group, run.question, run.library):
            if engines.fallback and (found or not fallback):
                break
            choices = options(source, group, engines, run.question, run.library, run.ledger)
            for candidate in _of_options(run, choices, ladder):
                found += 1
                yield candidate


def _of_options(run: Run, choices: list[Option], ladder: bool) -> Iterator[Candidate]:
    tools, task, reached = _tools(run), run.question.task, -math.inf
    for option in choices:
        if run.stopped or (ladder and option.model_value < reached - task.policy.ladder_points):
            return
        found = explore(option, task, tools, run.ledger)
        while (candidate := _next(found)) is not None:
            reached = reached if option.local else max(reached, option.model_value)
            yield candidate


def _next(found: Iterator[Candidate]) -> Candidate | None:
    """The next candidate; None at the end, or where the plan was cancelled meanwhile."""
    try:
        return next(found, None)
    except _CancelledMeanwhile:
        return None


def _tools(run: Run) -> Tools:
    library = run.library

    def speed(resolved: Resolved, memory: ServingMemory) -> Performance | None:
        return performance_of(resolved, memory, library)[0]

    def memory(resolved: Resolved) -> ServingMemory:
        if run.stopped:
            raise _CancelledMeanwhile
        return memory_of(resolved)

    return Tools(lambda resolved: check(resolved, library.support), memory, speed)


def _count_the_rest(run: Run, names: Iterator[str]) -> None:
    """Models that nobody looked at because enough better ones fit."""
    rest = list(islice(names, 10_000)) if not run.stopped else []
    if rest:
        message = "could fit too, but more capable models do"
        finding = Finding("less-capable-model", message, "name one of them to plan it")
        run.ledger.consider(len(rest))
        run.ledger.reject(finding, rest[0], len(rest))


def _report(run: Run, done: int, total: int, name: str) -> None:
    if run.progress is not None:
        run.progress(done, total, name)
