"""What if, as questions: one change of the inputs, what it does to the first proposal, whether to take it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from tui import text
from tui.answers import answer_of
from tui.plain.ask import Choice, choose, confirmed
from tui.plain.journey import Journey
from tui.what_if import Change, changes_for
from tui.what_if_rows import Outcome, sentences, words_of

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment

ABOUT = (
    "Every answer is one change of the inputs. What it does to the first proposal is said, figure by figure; "
    "nothing is taken before you say so."
)


def what_if(journey: Journey) -> bool:
    """True once a change was taken; Back leaves everything as it was."""
    document = journey.plan
    if document is None or not document.candidates:
        return False
    base = document.candidates[0]
    changes = {change.key: change for change in changes_for(journey.draft, base, document)}
    choices, key = [Choice(key, change.label) for key, change in changes.items()], ""
    while True:
        key = choose(journey.talk, "What if: one change", choices, default=key or None, about=ABOUT, again=bool(key))
        outcome = _tried(journey, changes[key])
        journey.talk.say(f"{changes[key].label}: {_said(outcome, base, journey.draft.purpose)}")
        if outcome.plan is not None and confirmed(journey.talk, "Take this change?"):
            _take(journey, outcome)
            return True


def _tried(journey: Journey, change: Change) -> Outcome:
    """The planner's answer to the inputs with the change."""
    journey.talk.say("Working it out.")
    draft = change.draft(journey.draft)
    try:
        answer = answer_of(draft, journey.services, journey.library, journey.teller(), lambda: False)
    except PlannerError as error:
        return Outcome(change, reason=str(error))
    return replace(Outcome(change), answer=answer)


def _said(outcome: Outcome, base: PlannedDeployment, purpose: str) -> str:
    plan = outcome.plan
    if plan is None:
        return f"nothing fits with it. {outcome.why_none}."
    return f"{text.model_of(plan)} {words_of(plan)}. {', '.join(sentences(plan, base, purpose))}."


def _take(journey: Journey, outcome: Outcome) -> None:
    """The inputs with the change, and the answer that was just given."""
    journey.draft = outcome.change.draft(journey.draft)
    if outcome.answer is not None:
        journey.answer, journey.asked = outcome.answer, journey.draft.question
