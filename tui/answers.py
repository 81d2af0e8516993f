"""The planner's answer to a draft, whatever it is for. Fleets are made proposals too, so that all walks show alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.units import human_bytes, human_count, human_seconds, human_whole

if TYPE_CHECKING:
    from planner.buy_document import BuyDocument, Offer
    from planner.documents.result import EstimateDocument, PlanDocument, PlannedDeployment
    from planner.library import Library
    from tui.draft import Draft
    from tui.services import Progress, Services, Stopped


@dataclass(frozen=True, slots=True)
class Bought:
    """Fleets, and the same as a plan."""

    bought: BuyDocument
    plan: PlanDocument
    pools: tuple[tuple[PlannedDeployment, ...], ...] = ()
    """Of each fleet its pools as deployments of their own; none where the fleet is one."""


if TYPE_CHECKING:
    Answer = PlanDocument | Bought


def as_plan(answer: Answer) -> PlanDocument:
    return answer.plan if isinstance(answer, Bought) else answer


def answer_of(draft: Draft, services: Services, library: Library, progress: Progress, stopped: Stopped) -> Answer:
    """Ask the planner what the draft asks. Raises PlannerError."""
    if draft.purpose == "tune":
        return _trained(draft, services, library, progress, stopped)
    if draft.purpose == "buy":
        return _bought(draft, services, library, stopped)
    return services.plan(draft.request(), library, progress, stopped)


def _named(draft: Draft, what: str) -> str:
    """The model. Raises BadInput where none was chosen."""
    if draft.model is None:
        from planner.errors import BadInput

        raise BadInput("model", f"is not chosen: say which one to {what}", "step 2 has them: Enter takes one")
    return draft.model


def _trained(draft: Draft, services: Services, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
    """Ranked runs; those that take longer than is allowed stand behind the others."""
    model = _named(draft, "train")
    if draft.inventory is None:
        raise ValueError("no hardware yet")
    found = services.finetune(draft.training.request(draft.inventory, model), library, progress, stopped)
    if not draft.training.hours:
        return found
    held = sorted(found.candidates, key=lambda run: over(run, draft.training.hours))
    return replace(found, candidates=tuple(replace(run, rank=n) for n, run in enumerate(held, 1)))


def over(run: PlannedDeployment, hours: int | None) -> bool:
    """Whether a run takes longer than is allowed, or nobody knows how long."""
    result = run.estimate.finetune
    return bool(hours) and (result is None or result.hours is None or result.hours.value > (hours or 0))


def _bought(draft: Draft, services: Services, library: Library, stopped: Stopped) -> Bought:
    request = draft.purchase.request(
        _named(draft, "buy for"),
        draft.workload(),
        library,
        max_model_len=draft.max_model_len,
        weights=(draft.weights,) if draft.weights else (),
        engines=(draft.engine,) if draft.engine else (),
        quality_floor=draft.quality_floor,
    )
    found = services.buy(request, library, stopped)
    if draft.users is None or draft.load != "users":
        found = _for_how_many(found, request.workload.concurrency or 0.0, by_rate=draft.load == "rate")
    return Bought(found, plan_of(found, library), tuple(pools_of(offer, library) for offer in found.offers))


def _for_how_many(found: BuyDocument, count: float, *, by_rate: bool) -> BuyDocument:
    """The answer, saying for how many requests in flight it is where nobody named a number."""
    why = "as many as the rate keeps going within the promises" if by_rate else "nobody named a number"
    remark = f"bought for {human_count(count)} requests in flight: {why}"
    offers = tuple(replace(offer, remarks=(remark, *offer.remarks)) for offer in found.offers)
    return replace(found, offers=offers, assumed={**found.assumed, "workload.concurrency": count})


def pools_of(offer: Offer, library: Library) -> tuple[PlannedDeployment, ...]:
    """Each kind of servers as a deployment of its own, predicted at its share of the load; none for a single kind."""
    from planner.documents.files import parse_deployment
    from planner.documents.result import PlannedDeployment
    from planner.predict import predict

    if len(offer.pools) < 2:
        return ()
    return tuple(
        PlannedDeployment(
            rank=number,
            deployment=dict(pool.deployment),
            estimate=predict(parse_deployment(dict(pool.deployment), "pool"), library),
            reasons=(f"{pool.share:.0%} of the load: its weight in the gateway",),
            gpus_used=pool.fleet.used,
        )
        for number, pool in enumerate(offer.pools, 1)
    )


def plan_of(found: BuyDocument, library: Library) -> PlanDocument:
    """The fleets as proposals."""
    from planner.documents.result import PlanDocument

    return PlanDocument(
        verdict="fits" if found.offers else "does-not-fit",
        request=dict(found.request),
        inventory={},
        candidates=tuple(_proposal(offer, library) for offer in found.offers),
        rejected=found.rejected,
        considered=found.considered,
        assumed=dict(found.assumed),
    )


def _proposal(offer: Offer, library: Library) -> PlannedDeployment:
    from planner.documents.result import PlannedDeployment

    return PlannedDeployment(
        rank=offer.rank,
        deployment=dict(offer.deployment),
        estimate=_estimate(offer, library),
        reasons=tuple(_reasons(offer)),
        gpus_used=sum(pool.fleet.used for pool in offer.pools),
    )


def _estimate(offer: Offer, library: Library) -> EstimateDocument:
    """The whole prediction of the fleet's deployment, speed and money as they were offered."""
    from planner.documents.files import parse_deployment
    from planner.documents.result import Cost, Performance
    from planner.predict import predict

    predicted = predict(parse_deployment(dict(offer.deployment), "offer"), library)
    speed = replace(
        predicted.performance or Performance(),
        ttft_s=offer.ttft_s,
        tpot_s=offer.tpot_s,
        output_tok_s=offer.output_tok_s,
    )
    money = offer.account.real.per_mtok if offer.account else None
    known = next((m for m in (offer.purchase, offer.month, money) if m), None)
    cost = Cost(
        power_w=offer.plug_w,
        per_mtok=money.amount if money else None,
        per_month=offer.month.amount if offer.month else None,
        currency=known.currency if known else "USD",
        basis="owned",
        purchase=offer.purchase.amount if offer.purchase else None,
        as_of=dict(offer.as_of),
    )
    return replace(predicted, verdict="fits", performance=speed, cost=cost)


def _reasons(offer: Offer) -> Iterator[str]:
    """Why it stands there, and what it leaves."""
    yield f"room for {human_whole(offer.users)} requests of this load: {offer.headroom:+.0%} on what was asked"
    if offer.idle_devices:
        yield f"{offer.idle_devices} devices stay idle"
    else:
        yield "no device stays idle"
    for outage in offer.outages:
        kept = "all promises are kept" if outage.holds else "promises break"
        speed = f" at {human_seconds(outage.tpot_s.value)} per token" if outage.tpot_s else ""
        yield f"{outage.missing} down: {outage.copies} copies, {human_count(outage.users)} users{speed}, {kept}"
    if len(offer.pools) > 1:
        parts = (f"{pool.fleet.title} takes {pool.share:.0%}" for pool in offer.pools)
        yield f"two kinds behind one door: {', '.join(parts)}; step 5 writes each as a deployment of its own"
    machine = offer.machine
    sockets = "1 socket" if machine.sockets == 1 else f"{machine.sockets} sockets"
    yield f"each server: {human_bytes(machine.ram_bytes)} of RAM, {sockets}; network: {machine.network}"
    yield from offer.remarks
