"""What fits of the catalogue on the hardware of a draft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui import text

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument
    from planner.library import Library
    from tui.draft import Draft
    from tui.services import Services, Stopped


@dataclass(frozen=True, slots=True)
class Fit:
    """How one model does on this hardware, with its best plan."""

    mark: str
    """As a verdict's: ✓ ~ ✗ ! ?"""
    note: str = ""
    """Why not, in a line."""
    weights: str = ""
    room: str = ""
    token: str = ""
    users: str = ""


def too_large(draft: Draft, library: Library) -> frozenset[str]:
    """Ids whose smallest allowed format exceeds all memory: known from sizes alone."""
    from planner.plan_models import SPECIAL, TUNED, catalogue_models
    from planner.plan_question import load_policy, question_of
    from planner.search.groups import groups_of
    from planner.search.ledger import Ledger

    request = draft.request()
    groups, _ = groups_of(request.inventory)
    possible = set(catalogue_models(question_of(request, groups, load_policy()), groups, library, Ledger()))
    looked_at = {m.id for m in library.catalogue.models() if TUNED & set(m.uses) and not SPECIAL & set(m.uses)}
    return frozenset(looked_at - possible)


def fit_of(id_: str, draft: Draft, library: Library, services: Services, stopped: Stopped) -> Fit:
    """One model, planned."""
    from planner.errors import PlannerError

    if draft.purpose == "tune":
        return _trains(id_, draft, library, services, stopped)
    request = replace(draft, model=id_).request()
    try:
        document = services.plan(replace(request, limit=1), library, lambda *_: None, stopped)
    except PlannerError as error:
        return Fit("?", str(error).splitlines()[0])
    return _fit(document)


def _trains(id_: str, draft: Draft, library: Library, services: Services, stopped: Stopped) -> Fit:
    """The best run of one model: its method, its time, its longest sequence."""
    from planner.errors import PlannerError

    if draft.inventory is None:
        return Fit("?")
    try:
        request = replace(draft.training.request(draft.inventory, id_), limit=1)
        document = services.finetune(request, library, lambda *_: None, stopped)
    except PlannerError as error:
        return Fit("?", str(error).splitlines()[0])
    if not document.candidates:
        return _nothing(document, "trained")
    run = document.candidates[0]
    result = run.estimate.finetune
    return Fit(
        mark=text.VERDICTS[run.estimate.verdict],
        weights=text.method_of(run),
        room=text.tokens(result.max_seq_len) if result else "",
        token=text.figure(result.hours, "h") if result else "",
    )


def _fit(document: PlanDocument) -> Fit:
    if not document.candidates:
        return _nothing(document, "planned")
    plan = document.candidates[0]
    speed = plan.estimate.performance
    return Fit(
        mark=text.VERDICTS[plan.estimate.verdict],
        weights=text.weights_of(plan),
        room=text.tokens(text.longest_of(plan)),
        token=text.figure(speed.tpot_s, "s") if speed else "",
        users=text.room_of(plan),
    )


def _nothing(document: PlanDocument, done: str) -> Fit:
    """Why nothing fits, in a line."""
    first = next(iter(document.rejected), None)
    return Fit(text.VERDICTS[document.verdict], first.message if first else f"nothing of it can be {done} here")
