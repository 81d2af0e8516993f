"""From parts to an offer: the fleet as a whole, with its price, power, room and what still holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from planner.buy_document import Offer, Pool
from planner.buying.errand import Errand
from planner.buying.outages import outages_of
from planner.buying.pools import Filled, Part, filled, shares_of
from planner.cost.money import CurrencyMismatch, Money, sum_of
from planner.cost.ownership import LEAST_USE, SECONDS_PER_MONTH, per_million
from planner.cost.rates import together
from planner.estimate import Estimate
from planner.units import HOURS_PER_MONTH

_UNWRITTEN = frozenset({"rent-unknown"})
"""Findings that an offer can do without."""


def offer_of(errand: Errand, parts: Sequence[Part]) -> Offer:
    """The fleet of these parts at the load of the errand."""
    rows = [filled(errand, part, share) for part, share in zip(parts, shares_of(parts, errand), strict=True)]
    pools = tuple(row.pool for row in rows)
    first, wanted = pools[0], errand.users
    users = sum(row.part.unit.candidate.users * row.part.sets for row in rows)
    carries = _carries(errand, parts)
    return Offer(
        rank=0,
        fleet=first.fleet,
        deployment=first.deployment,
        copies=sum(pool.copies for pool in pools),
        users=users,
        headroom=users / wanted - 1,
        ttft_s=_slowest(pool.ttft_s for pool in pools),
        tpot_s=_slowest(pool.tpot_s for pool in pools),
        output_tok_s=_added(pool.output_tok_s for pool in pools),
        purchase=_money(pool.purchase for pool in pools if not pool.owned),
        month=_money(pool.month for pool in pools),
        rent_month=_rent(rows),
        plug_w=_added(row.plug_w for row in rows),
        rack_units=sum(errand.terms.server(p.fleet.form_factor).rack_units * p.fleet.nodes for p in pools),
        idle_devices=sum(pool.fleet.devices - pool.fleet.used for pool in pools),
        outages=outages_of(errand, parts),
        machine=first.machine,
        account=first.account if len(pools) == 1 else None,
        as_of=_as_of(rows),
        remarks=_remarks(rows),
        title=title_of(pools),
        pools=pools,
        carries=carries,
        headroom_load=carries.value / wanted - 1,
        per_mtok=_per_mtok(errand, rows),
    )


def _remarks(rows: Sequence[Filled]) -> tuple[str, ...]:
    """What is missing, and what to know of pools that differ."""
    notes = [f.message for row in rows for f in row.findings if f.rule not in _UNWRITTEN]
    formats = {str(row.pool.deployment["model"].get("weights")) for row in rows}
    if len(formats) > 1:
        notes.append(f"pools hold {' and '.join(sorted(formats))}: answers may differ a little")
    return tuple(dict.fromkeys(notes))


def title_of(pools: Iterable[Pool]) -> str:
    """All pools by name; those that are there already are said to be."""
    return " + ".join(f"{pool.fleet.title}{' (there)' if pool.owned else ''}" for pool in pools)


def _carries(errand: Errand, parts: Sequence[Part]) -> Estimate:
    low, value = (sum(errand.capacity.of(p.unit, end) * p.sets for p in parts) for end in ("high", "value"))
    high = sum(errand.capacity.of(p.unit, "low") * p.sets for p in parts)
    terms = {part.unit.shape.row.id: errand.capacity.of(part.unit) * part.sets for part in parts}
    return Estimate(min(low, value), value, max(high, value), "formula", terms)


def _slowest(figures: Iterable[Estimate | None]) -> Estimate | None:
    return max((f for f in figures if f is not None), key=lambda f: f.value, default=None)


def _added(figures: Iterable[Estimate | None]) -> Estimate | None:
    """Ends add up: equal sets err alike. None where one is unknown."""
    known: list[Estimate] = []
    for figure in figures:
        if figure is None:
            return None
        known.append(figure)
    if len(known) == 1:
        return known[0]
    low, value, high = (sum(getattr(f, end) for f in known) for end in ("low", "value", "high"))
    return Estimate(low, value, high, known[0].origin) if known else None


def _money(amounts: Iterable[Money | None]) -> Money | None:
    """Together; None where one is unknown, where currencies differ, or where there is nothing."""
    parts = list(amounts)
    known = {str(index): part for index, part in enumerate(parts) if part is not None}
    if not known or len(known) < len(parts):
        return None
    try:
        return known["0"] if len(known) == 1 else sum_of(known).with_terms({})
    except CurrencyMismatch:
        return None


def _rent(rows: Sequence[Filled]) -> Money | None:
    """The whole fleet rented for a month."""
    return _money(row.rent.money.scaled(row.pool.fleet.devices * HOURS_PER_MONTH) if row.rent else None for row in rows)


def _per_mtok(errand: Errand, rows: Sequence[Filled]) -> Money | None:
    month = _money(row.pool.month for row in rows)
    rates = together([row.rates for row in rows if row.rates])
    if month is None or rates is None or errand.terms.utilisation < LEAST_USE:
        return None
    a, b = rates.input_tok_s, rates.output_tok_s
    every = Estimate(a.low + b.low, a.value + b.value, a.high + b.high, b.origin)
    return per_million(month, every.scaled(SECONDS_PER_MONTH * errand.terms.utilisation))


def _as_of(rows: Sequence[Filled]) -> dict[str, str]:
    """Of each price: its date and source; the name of the device stands with it where there are several."""
    found: dict[str, str] = {}
    for row in rows:
        mark = f" {row.pool.fleet.accelerator}" if len(rows) > 1 else ""
        if row.pool.account is not None:
            as_of = row.pool.account.as_of
            found |= {"electricity": as_of["electricity"]}
            found |= {f"{name}{mark}": as_of[name] for name in ("devices", "servers")}
        if row.rent is not None:
            found[f"rent{mark}"] = row.rent.as_of
    return found


def key_of(errand: Errand, offer: Offer) -> tuple[object, ...]:
    """Known amounts first, then the smaller; equals by devices and name."""
    amount = ranked_by(errand, offer)
    return (amount is None, amount or 0.0, _bought(offer), len(offer.pools), offer.title)


def _bought(offer: Offer) -> int:
    """Devices that are not there yet."""
    return sum(pool.fleet.devices for pool in offer.pools if not pool.owned)


def ranked_by(errand: Errand, offer: Offer) -> float | None:
    """The figure that offers are put in order by; None where it is unknown."""
    figures = {
        "purchase": offer.purchase.value if offer.purchase else None,
        "tco": offer.month.value if offer.month else None,
        "power": offer.plug_w.value if offer.plug_w else None,
        "devices": float(_bought(offer)),
    }
    return figures[errand.request.rank_by]


def ranked(errand: Errand, offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """In the order that was asked for, numbered."""
    ordered = sorted(offers, key=lambda offer: key_of(errand, offer))
    return tuple(replace(offer, rank=rank) for rank, offer in enumerate(ordered[: errand.request.limit], 1))
