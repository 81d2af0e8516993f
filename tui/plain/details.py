"""One proposal in full: its figures, each explained on demand, its reasons, and the others beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.explain import of_figure
from tui.figures import COST, MEMORY, SPEED, Figure, known
from tui.plain import words
from tui.plain.ask import Choice, choose
from tui.plain.talk import Talk

if TYPE_CHECKING:
    from planner.buy_document import Offer
    from planner.documents.result import FinetuneResult, PlannedDeployment
    from planner.estimate import Estimate
    from tui.explain import Explanation
    from tui.plain.journey import Journey

TAKE, WHY, COMPARE, SIMULATE = "take", "why", "compare", "simulate"
SIMULATE_ABOUT = "every request of the trace, or a thousand of the workload's own, goes through batches and queues."
ABOUT = "Every figure is numbered: its number shows formula, terms, range, origin and what moves it."


@dataclass(frozen=True, slots=True)
class Number:
    """One figure of a proposal."""

    key: str
    label: str
    said: str
    explained: Callable[[], Explanation]
    better: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A proposal of any kind."""

    sentence: str
    reasons: tuple[str, ...]
    numbers: tuple[Number, ...]
    deployment: dict[str, Any]
    pools: tuple[tuple[float, dict[str, Any]], ...] = ()
    """Of a fleet of two kinds: share of the load and deployment of each."""
    simulated: Callable[[], Iterator[str]] | None = None
    """Lines about the load run through its scheduler."""

    def explained(self) -> str:
        """Why it stands where it does."""
        said = (f"{reason[:1].upper()}{reason[1:]}." for reason in self.reasons)
        return "\n".join(said) or "There is nothing to compare it with."


def look(talk: Talk, offered: Sequence[Offered], index: int) -> bool:
    """True when it is taken, False to go back to the list. Raises Back likewise."""
    one = offered[index]
    choices = [Choice(TAKE, "Take this one and go on to the files", "the next step writes what starts it")]
    choices.append(Choice(WHY, "Why does it stand here?"))
    if len(offered) > 1:
        choices.append(Choice(COMPARE, "Compare it with another"))
    choices += [Choice(n.key, f"{n.label}: {n.said}", _explainer(n)) for n in one.numbers]
    if one.simulated is not None:
        choices.append(Choice(SIMULATE, "Run the load through its scheduler: percentiles", SIMULATE_ABOUT))
    talk.heading(one.sentence)
    title, key = f"Proposal {index + 1} in full", ""
    while True:
        key = choose(talk, title, choices, default=TAKE, about=ABOUT, again=bool(key))
        if key == TAKE:
            return True
        if key == WHY:
            talk.say(one.explained())
        elif key == COMPARE:
            _compare(talk, offered, index)
        elif key == SIMULATE and one.simulated is not None:
            talk.say("\n".join(one.simulated()))
        else:
            number = next(n for n in one.numbers if n.key == key)
            talk.say("\n".join(words.explanation_lines(number.explained())))


def _explainer(number: Number) -> Callable[[], str]:
    return lambda: "\n".join(words.explanation_lines(number.explained()))


def _compare(talk: Talk, offered: Sequence[Offered], index: int) -> None:
    """Two proposals, figure by figure, the better one named."""
    others = [Choice(str(n), one.sentence) for n, one in enumerate(offered) if n != index]
    other = int(choose(talk, f"Compare proposal {index + 1} with", others, default=others[0].key))
    theirs = {number.key: number for number in offered[other].numbers}
    for mine in offered[index].numbers:
        if mine.key in theirs:
            talk.say(_beside(mine, theirs[mine.key], index + 1, other + 1))
    for path, here, there in _differences(offered[index].deployment, offered[other].deployment):
        talk.say(f"Setting {path}: {here} in {index + 1}, {there} in {other + 1}.")


def _beside(mine: Number, other: Number, here: int, there: int) -> str:
    said = f"{mine.label}: {mine.said} in {here}; {other.said} in {there}"
    if not mine.better or mine.value is None or other.value is None or mine.value == other.value:
        return f"{said}."
    wins = here if (mine.value < other.value) == (mine.better == "less") else there
    return f"{said}. Better in {wins}."


def _differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for table in ("model", "engine", "serving", "finetune", "hardware"):
        mine, theirs = one.get(table, {}), other.get(table, {})
        for key in sorted({*mine, *theirs}):
            if mine.get(key) != theirs.get(key):
                yield f"{table}.{key}", mine.get(key, "not set"), theirs.get(key, "not set")


def plan_offered(plan: PlannedDeployment, journey: Journey) -> Offered:
    """A serving plan with all its figures."""
    where = f"plan {plan.rank}"
    numbers = [
        Number(f.key, f.label, words.valued(e, f.unit_of(plan)), _later(f, plan, where), f.better, e.value)
        for f, e in known(plan, (*SPEED, *MEMORY, *COST))
    ]
    return Offered(
        words.plan_sentence(plan),
        plan.reasons,
        tuple(numbers),
        plan.deployment,
        simulated=lambda: _simulated(plan, journey),
    )


def _simulated(plan: PlannedDeployment, journey: Journey) -> Iterator[str]:
    """What users see of the load, request by request."""
    from planner.errors import PlannerError
    from tui.simulated import load_of_draft, ran_words, sentences, simulated

    load = load_of_draft(journey.draft)
    try:
        document = simulated(plan.deployment, load, journey.library, lambda: False)
    except PlannerError as error:
        yield f"Not simulated: {error}"
        return
    yield f"Simulated: {ran_words(load, document)}."
    yield from sentences(document)


def _later(figure: Figure, plan: PlannedDeployment, where: str) -> Callable[[], Explanation]:
    return lambda: figure.explained(plan, where)


def job_offered(plan: PlannedDeployment) -> Offered:
    """A training job with all its figures."""
    result, where = plan.estimate.finetune, f"job {plan.rank}"
    numbers = tuple(_job_numbers(result, where)) if result else ()
    return Offered(words.job_sentence(plan), plan.reasons, numbers, plan.deployment)


def _job_numbers(result: FinetuneResult, where: str) -> Iterator[Number]:
    rows = (
        ("peak", "B", "less"), ("allocated", "B", "less"), ("reserved", "B", "less"), ("driver", "B", "less"),
        ("resident", "B", "less"), ("host_ram", "B", "less"), ("tok_s", "tok/s", "more"),
        ("tok_s_per_gpu", "tok/s", "more"), ("step_s", "s", "less"), ("mfu", "", "more"), ("hours", "h", "less"),
        ("gpu_hours", "h", "less"), ("energy_wh", "Wh", "less"), ("money", result.currency, "less"),
    )  # fmt: skip
    for key, unit, better in rows:
        estimate: Estimate | None = getattr(result, key)
        if estimate is not None:
            yield _number(key, unit, estimate, where, better)


def fleet_offered(offer: Offer) -> Offered:
    """A fleet with its figures."""
    where = f"fleet {offer.rank}"
    rows = [("ttft_s", "s", "less", offer.ttft_s), ("tpot_s", "s", "less", offer.tpot_s),
            ("output_tok_s", "tok/s", "more", offer.output_tok_s), ("plug_w", "W", "less", offer.plug_w)]  # fmt: skip
    for key, money in (("purchase", offer.purchase), ("month", offer.month), ("rent_month", offer.rent_month)):
        if money is not None:
            rows.append((key, money.currency, "less", money.amount))
    numbers = tuple(_number(key, unit, found, where, better) for key, unit, better, found in rows if found is not None)
    reasons = (
        f"headroom of {offer.headroom:.0%} more users in memory",
        f"{offer.rack_units} rack units, {offer.idle_devices} idle devices",
        *offer.remarks,
        *(f"price as of, {name}: {said}" for name, said in offer.as_of.items()),
    )
    pools = tuple((pool.share, dict(pool.deployment)) for pool in offer.pools) if len(offer.pools) > 1 else ()
    return Offered(words.offer_sentence(offer), reasons, numbers, dict(offer.deployment), pools)


def _number(key: str, unit: str, estimate: Estimate, where: str, better: str) -> Number:
    def explained() -> Explanation:
        from tui.plain.meanings import meant

        return meant(key, of_figure(key, unit, estimate, where))

    from tui.plain.meanings import label_of

    return Number(key, label_of(key), words.valued(estimate, unit), explained, better, estimate.value)
