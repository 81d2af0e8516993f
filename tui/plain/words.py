"""Plans, jobs and fleets as sentences; explanations as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import human_bytes, human_hours, human_seconds, human_whole
from tui import text

if TYPE_CHECKING:
    from planner.buy_document import Offer
    from planner.documents.result import PlannedDeployment, Rejection
    from planner.estimate import Estimate
    from tui.explain import Explanation

MOST_REASONS = 8


def plan_sentence(plan: PlannedDeployment) -> str:
    """What it is, how fast it is, whether it fits."""
    speed = plan.estimate.performance
    what = f"{text.model_of(plan)} {text.weights_of(plan)}, {text.engine_of(plan)}, {text.layout_of(plan)}"
    count = text.room_of(plan)
    room = (
        f"room for {count} {'request' if count == '1' else 'requests'} of {text.tokens(text.longest_of(plan))} tokens"
    )
    if speed is None:
        return f"{what}, {text.where_of(plan)}. Speed unknown, {room}. Verdict: {plan.estimate.verdict}."
    figures = (
        f"first token {text.figure(speed.ttft_s, 's')}",
        f"then {text.figure(speed.tpot_s, 's')} per token",
        f"{text.figure(speed.output_tok_s, 'tok/s')} for all users",
        room,
    )
    return f"{what}, {text.where_of(plan)}. {', '.join(figures).capitalize()}. Verdict: {plan.estimate.verdict}."


def job_sentence(plan: PlannedDeployment) -> str:
    """A training job: method, trainer, devices, peak, time."""
    table, result = plan.deployment["finetune"], plan.estimate.finetune
    rank = f" rank {table['lora_rank']}" if table.get("lora_rank") and table["method"] != "full" else ""
    what = f"{table['method']}{rank} with {table['trainer']} {text.where_of(plan)}, sharding {table['sharding']}"
    if result is None:
        return f"{what}. Verdict: {plan.estimate.verdict}."
    time = human_hours(result.hours.value) if result.hours else "an unknown time"
    peak = human_bytes(result.allocated.value)
    return f"{what}. Takes {time}, {peak} at the peak of a step. Verdict: {plan.estimate.verdict}."


def offer_sentence(offer: Offer) -> str:
    """A fleet: what it is, what it holds, what it costs."""
    from planner.words.money import shown

    weights = offer.deployment["model"].get("weights", "as published")
    speed = f"{human_seconds(offer.tpot_s.value)} per token" if offer.tpot_s else "speed unknown"
    return (
        f"{offer.title}, weights {weights}, {offer.copies} {'copy' if offer.copies == 1 else 'copies'}. "
        f"Holds {human_whole(offer.users)} users of this load, {speed}. "
        f"Costs {shown(offer.purchase)} to buy, {shown(offer.month)} a month."
    )


def rejection_sentences(rejected: tuple[Rejection, ...]) -> Iterator[str]:
    """Why the others are none, with the way out."""
    for item in rejected[:MOST_REASONS]:
        way = f" Way out: {item.fix}." if item.fix else ""
        yield f"{item.count} configurations: {item.message}. For example {item.example}.{way}"
    if len(rejected) > MOST_REASONS:
        yield f"{len(rejected) - MOST_REASONS} more reasons are in the document: deploy-planner plan --json."


def valued(estimate: Estimate, unit: str) -> str:
    """``270 ms, between 166 and 439 ms, measured``."""
    low, high = text.shown(estimate.low, unit), text.shown(estimate.high, unit)
    span = "" if estimate.low == estimate.high else f", between {low} and {high}"
    return f"{text.shown(estimate.value, unit)}{span}, {estimate.origin}"


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """Title, meaning, then every row as a line."""
    yield f"{explanation.title}."
    if explanation.about:
        yield explanation.about
    for name, value in explanation.rows:
        yield f"{name.strip().capitalize()}: {value}"
    yield from explanation.notes
