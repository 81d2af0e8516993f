"""What a room and a budget allow; a fleet that draws too much is tried under power caps first.

A cap slows prompts more than answers (``cost.caps``): the promises are held against the slowed times.
"""

from __future__ import annotations

from dataclasses import replace

from planner.buy_document import Offer
from planner.buying.carriers import keeps
from planner.buying.errand import Errand
from planner.cost.caps import STEPS, CapCurve, plug_under, speed_at
from planner.documents.result import Finding, Performance
from planner.estimate import Estimate

LEAST_CAP = 0.5
"""Share of board power below which drivers of some cards take no limit."""


def within(errand: Errand, offer: Offer) -> Offer | Finding:
    """The offer, capped where that is what the room needs, or the limit that it breaks."""
    allowed = _in_room(errand, offer)
    if isinstance(allowed, Finding):
        return allowed
    return _over_budget(errand, allowed) or allowed


def _in_room(errand: Errand, offer: Offer) -> Offer | Finding:
    most = errand.request.max_power_w
    if most is None:
        return offer
    if offer.plug_w is None:
        message = f"the board power of {offer.fleet.accelerator} is not known"
        return Finding("power-unknown", message, "add tdp_w to its row in your own data (--data DIR)")
    if offer.plug_w.value <= most:
        return offer
    if capped := _capped(errand, offer, most):
        return capped
    message = f"{offer.title} draws {offer.plug_w.value:,.0f} W, the room gives {most:,.0f}, no power cap keeps both"
    return Finding("power", message, "a milder load or milder promises", change={"max_power_w": offer.plug_w.value})


def _capped(errand: Errand, offer: Offer, most: float) -> Offer | None:
    """The mildest cap under which the room suffices and the promises hold; None where there is none."""
    curve = errand.library.cost_data.caps.get(offer.fleet.memory_type or "")
    if curve is None or len(offer.pools) > 1 or offer.fleet.tdp_w is None:
        return None
    for share in (step for step in STEPS if step >= LEAST_CAP):
        plug = plug_under(offer.fleet, share, errand.power)
        slowed = _slowed(offer, share, curve) if plug.value <= most else None
        if slowed is not None and _still_carried(errand, slowed):
            cap = share * offer.fleet.tdp_w
            note = f"devices capped to {cap:,.0f} W each, so that the room carries them"
            return replace(slowed, plug_w=plug, cap_w=cap, remarks=(note, *offer.remarks))
    return None


def _slowed(offer: Offer, share: float, curve: CapCurve) -> Offer | None:
    """Times and tokens under a cap; None below what anybody measured."""
    prompt, token = speed_at(curve.prefill, share), speed_at(curve.decode, share)
    if not prompt or not token:
        return None
    least = min(prompt, token)

    def slower(time: Estimate | None, speed: float) -> Estimate | None:
        return time.scaled(1 / speed) if time else None

    return replace(
        offer,
        ttft_s=slower(offer.ttft_s, prompt),
        tpot_s=slower(offer.tpot_s, token),
        output_tok_s=offer.output_tok_s.scaled(token) if offer.output_tok_s else None,
        carries=offer.carries.scaled(least) if offer.carries else None,
        headroom_load=(1 + offer.headroom_load) * least - 1,
    )


def _still_carried(errand: Errand, offer: Offer) -> bool:
    """Whether the promises hold at the load; users within them, by the phase that suffers most."""
    figures = Performance(ttft_s=offer.ttft_s, tpot_s=offer.tpot_s)
    return keeps(figures, errand.question.task) and offer.headroom_load >= 0


def _over_budget(errand: Errand, offer: Offer) -> Finding | None:
    most = errand.request.budget
    if most is None:
        return None
    if offer.purchase is None:
        return Finding("price-unknown", f"the price of {offer.fleet.accelerator} is not known", "give it in --data")
    if offer.purchase.value <= most:
        return None
    message = f"{offer.title} costs about {offer.purchase.value:,.0f} {offer.purchase.currency}"
    return Finding("budget", message, f"the budget is {most:,.0f}", change={"budget": offer.purchase.value})
