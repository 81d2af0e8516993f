"""The planner's answers: ranked plans, training jobs or fleets, each to look at, explain, compare and take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from planner.errors import PlannerError
from tui.answers import answer_of
from tui.plain import words
from tui.plain.ask import Choice, choose
from tui.plain.details import Offered, fleet_offered, job_offered, look, plan_offered
from tui.plain.journey import Journey
from tui.plain.talk import Back
from tui.plain.what_if import what_if

if TYPE_CHECKING:
    from planner.documents.result import PlanDocument, Rejection

WHY_NOT, CHANGE, WHAT_IF = "why not", "change", "what if"
ABOUT = "The proposals, the best first. A number shows one in full, with every figure explained, and lets you take it."
INPUTS = {"serve": "workload", "tune": "job", "buy": "limits"}
"""The step that asks what a proposal answers, by what the walk is for."""
PLANNING = "Planning. This takes a few seconds, Ctrl-C leaves."
LOOKING = "Looking through the hardware database. This takes some seconds, Ctrl-C leaves."


def proposals(journey: Journey) -> str:
    """Ranked deployments, training jobs or fleets."""
    inputs = INPUTS[journey.draft.purpose]
    if journey.asked != journey.draft.question and not _asked(journey):
        return inputs
    document = journey.plan
    if document is None:
        return inputs
    journey.talk.heading(_verdict(journey, document))
    return _choose(journey, list(_offered(journey, document)), document.rejected, inputs)


def _asked(journey: Journey) -> bool:
    """The planner's answer; what it refuses is said, and the inputs are asked again."""
    journey.talk.heading(LOOKING if journey.draft.purpose == "buy" else PLANNING)
    try:
        journey.answer = answer_of(journey.draft, journey.services, journey.library, journey.teller(), lambda: False)
    except PlannerError as error:
        journey.talk.say(f"That cannot be planned: {error}")
        return False
    journey.asked = journey.draft.question
    return True


def _verdict(journey: Journey, document: PlanDocument) -> str:
    if (found := journey.offers) is not None:
        kinds = f"{len(found.offers)} fleets of {found.considered} kinds of accelerators."
        return f"{kinds} Prices are dated facts, none of them is current."
    count = len(document.candidates)
    ruled_out = sum(item.count for item in document.rejected)
    return (
        f"Verdict: {document.verdict}. {count} proposal{'' if count == 1 else 's'} "
        f"from {document.considered} configurations, {ruled_out} ruled out."
    )


def _offered(journey: Journey, document: PlanDocument) -> Iterator[Offered]:
    """The proposals, whatever they are of."""
    if journey.offers is not None:
        yield from map(fleet_offered, journey.offers.offers)
    elif journey.draft.purpose == "tune":
        yield from map(job_offered, document.candidates)
    else:
        yield from (plan_offered(plan, journey) for plan in document.candidates)


def _choose(journey: Journey, offered: Sequence[Offered], rejected: tuple[Rejection, ...], inputs: str) -> str:
    """A proposal to look at, until one is taken."""
    choices = [Choice(str(n), one.sentence, one.explained) for n, one in enumerate(offered)]
    choices += _beside(journey, offered, rejected)
    if not offered:
        journey.talk.say("Nothing fits. The reasons say what would have to change.")
    default, key = "0" if offered else choices[0].key, ""
    while True:
        key = choose(journey.talk, "Step 5, proposals", choices, default=default, about=ABOUT, again=bool(key))
        if key == CHANGE:
            return inputs
        if key == WHY_NOT:
            journey.talk.say("\n".join(words.rejection_sentences(rejected)))
            continue
        try:
            if key == WHAT_IF:
                if what_if(journey):
                    return "proposals"
            elif look(journey.talk, offered, int(key)):
                taken = offered[int(key)]
                journey.deployment, journey.pools, journey.pools_written = taken.deployment, taken.pools, []
                return "export"
        except Back:
            continue


def _beside(journey: Journey, offered: Sequence[Offered], rejected: tuple[Rejection, ...]) -> Iterator[Choice]:
    """What else can be done than taking a proposal."""
    if offered:
        yield Choice(WHAT_IF, "What if: try single changes against the first proposal")
    if rejected:
        yield Choice(WHY_NOT, "Why were the others ruled out?")
    yield Choice(CHANGE, "Change the inputs")
