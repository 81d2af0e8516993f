"""The planner's answers: ranked plans, training jobs or fleets, each to look at, explain, compare and take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from planner.errors import PlannerError
from tui.plain import words
from tui.plain.ask import Choice, choose
from tui.plain.details import Offered, look
from tui.plain.journey import SERVE, Journey
from tui.plain.talk import Back
from tui.plain.what_if import what_if

if TYPE_CHECKING:
    from planner.buy_document import BuyRequest
    from planner.documents.request import PlanRequest
    from planner.documents.result import PlanDocument, PlannedDeployment, Rejection
    from planner.training.request import FinetuneRequest

Answer = TypeVar("Answer")
WHY_NOT, CHANGE, WHAT_IF = "why not", "change", "what if"
ABOUT = "The proposals, the best first. A number shows one in full, with every figure explained, and lets you take it."


def plans(journey: Journey) -> str:
    """Serving: ranked deployments."""
    from tui.plain.details import plan_offered

    request = journey.draft.request()

    def ask() -> PlanDocument:
        return journey.services.plan(request, journey.library, journey.teller(), _never)

    if not _planned(journey, request, ask):
        return "workload"
    return _from_plan(journey, lambda plan: plan_offered(plan, journey), "workload")


def jobs(journey: Journey) -> str:
    """Fine-tuning: ranked training jobs."""
    from planner.training.search import plan_finetune
    from tui.plain.details import job_offered

    request = _job_request(journey)

    def ask() -> PlanDocument:
        return plan_finetune(request, journey.library, progress=journey.teller())

    return _from_plan(journey, job_offered, "job") if _planned(journey, request, ask) else "job"


def fleets(journey: Journey) -> str:
    """Buying: ranked fleets."""
    from planner.buy import buy
    from tui.plain.details import fleet_offered

    request = _wish_request(journey)
    if journey.asked != request:
        journey.talk.heading("Looking through the hardware database. This takes some seconds, Ctrl-C leaves.")
        found = _answered(journey, lambda: buy(request, journey.library))
        if found is None:
            return "wish"
        journey.offers, journey.asked = found, request
    document = journey.offers
    if document is None:
        return "wish"
    journey.talk.heading(f"{len(document.offers)} fleets of {document.considered} kinds of accelerators.")
    journey.talk.say("Prices are dated facts, none of them is current.")
    offered = [fleet_offered(offer) for offer in document.offers]
    return _choose(journey, offered, document.rejected, "wish")


def _planned(journey: Journey, request: PlanRequest | FinetuneRequest, ask: Callable[[], PlanDocument]) -> bool:
    """Ask, where it is another question than before; False where it was refused."""
    if journey.asked != request:
        journey.talk.heading("Planning. This takes a few seconds, Ctrl-C leaves.")
        found = _answered(journey, ask)
        if found is None:
            return False
        journey.plan, journey.asked = found, request
    return True


def _never() -> bool:
    return False


def _answered(journey: Journey, ask: Callable[[], Answer]) -> Answer | None:
    """The planner's answer; what it refuses is said, and the inputs are asked again."""
    try:
        return ask()
    except PlannerError as error:
        journey.talk.say(f"That cannot be planned: {error}")
        return None


def _from_plan(journey: Journey, offered: Callable[[PlannedDeployment], Offered], inputs: str) -> str:
    document: PlanDocument | None = journey.plan
    if document is None:
        return inputs
    count = len(document.candidates)
    ruled_out = sum(item.count for item in document.rejected)
    journey.talk.heading(
        f"Verdict: {document.verdict}. {count} proposal{'' if count == 1 else 's'} "
        f"from {document.considered} configurations, {ruled_out} ruled out."
    )
    return _choose(journey, [offered(plan) for plan in document.candidates], document.rejected, inputs)


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
                    return "plans"
            elif look(journey.talk, offered, int(key)):
                taken = offered[int(key)]
                journey.deployment, journey.pools, journey.pools_written = taken.deployment, taken.pools, []
                return "export"
        except Back:
            continue


def _beside(journey: Journey, offered: Sequence[Offered], rejected: tuple[Rejection, ...]) -> Iterator[Choice]:
    """What else can be done than taking a proposal."""
    if offered and journey.goal == SERVE:
        yield Choice(WHAT_IF, "What if: try single changes against the first proposal")
    if rejected:
        yield Choice(WHY_NOT, "Why were the others ruled out?")
    yield Choice(CHANGE, "Change the inputs")


def _job_request(journey: Journey) -> FinetuneRequest:
    from planner.training.request import FinetuneRequest

    job, inventory = journey.job, journey.draft.inventory
    if inventory is None or journey.draft.model is None:
        raise Back
    return FinetuneRequest(
        inventory=inventory,
        model=journey.draft.model,
        methods=(job["method"],) if job.get("method") else (),
        preset=job["preset"],
        seq_len=job["seq_len"],
        tokens=float(job["tokens"]),
        epochs=float(job["epochs"]),
        global_batch=job["global_batch"],
    )


def _wish_request(journey: Journey) -> BuyRequest:
    from dataclasses import replace

    from planner.buy_document import BuyRequest
    from planner.presets import preset

    if journey.draft.model is None:
        raise Back
    wish, kind = journey.wish, preset(journey.wish["preset"])
    return BuyRequest(
        model=journey.draft.model,
        workload=replace(kind.workload, concurrency=float(wish["users"]), saturated=False),
        budget=float(wish["budget"]) if wish["budget"] else None,
        max_power_w=float(wish["power"]) if wish["power"] else None,
        spare=wish["spare"] == "yes",
        rank_by=wish["rank_by"],
    )
