"""Fleets of two kinds of device, each a pool of its own, where that beats either kind alone.

Sets are whole: what 2.3 of a large kind would carry, two of it and one of a smaller kind may carry for less. Both pools
hold the model in the same format, so that the answers do not depend on who gives them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from planner.account.books import Books
from planner.buy_document import Offer
from planner.buying.carriers import Carrier, Unit
from planner.buying.errand import Errand
from planner.buying.offers import offer_of, ranked_by
from planner.buying.pools import Part
from planner.cost.energy import plug_of, power_of
from planner.cost.fleet import duty_of, make_fleet

MOST_MIXES = 3
_LOOKED_AT = 8
"""Pairs that are worked out; those that turn out no better than one kind alone are dropped."""
_BETTER = 0.98
"""A mixed fleet is more to run: it must save at least so much against the better of its kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    unit: Unit
    carries: float
    """Users of one set."""
    price: float
    """Of one set, in what the offers are ranked by."""
    alone: float
    """Of as many sets as carry the load without another kind."""

    @property
    def row(self) -> str:
        return self.unit.shape.row.id


def mixes_of(errand: Errand, carriers: Sequence[Carrier], pure: Sequence[Offer]) -> list[Offer]:
    """The best few fleets of two kinds that beat every offer of either kind alone."""
    alone: dict[str, float] = {}
    for offer in pure:
        amount, name = ranked_by(errand, offer), offer.fleet.accelerator
        if amount is not None:
            alone[name] = min(amount, alone.get(name, amount))
    found: list[Offer] = []
    for parts in _pairs(errand, carriers):
        offer = offer_of(errand, parts)
        amount = ranked_by(errand, offer)
        limits = [alone[pool.fleet.accelerator] for pool in offer.pools if pool.fleet.accelerator in alone]
        if amount is not None and amount < min(limits, default=math.inf) * _BETTER and len(found) < MOST_MIXES:
            found.append(offer)
    return found


def _pairs(errand: Errand, carriers: Sequence[Carrier]) -> Iterator[tuple[Part, Part]]:
    """By what single sets carry and cost: the best few, each of another pair of kinds."""
    kinds = [kind for unit in _units(carriers) if (kind := _kind(errand, unit)) is not None]
    alone: dict[str, float] = {}
    for kind in kinds:
        alone[kind.row] = min(kind.alone, alone.get(kind.row, kind.alone))
    found: list[tuple[float, tuple[Part, Part]]] = []
    for one, other in combinations(kinds, 2):
        same = one.unit.candidate.option.weights == other.unit.candidate.option.weights
        if same and one.row != other.row:
            best = _best(errand, one, other, min(alone[one.row], alone[other.row]) * _BETTER)
            found += [best] if best else []
    seen: set[frozenset[str]] = set()
    for _, parts in sorted(found, key=lambda item: (item[0], *(part.unit.shape.row.id for part in item[1]))):
        pair = frozenset(part.unit.shape.row.id for part in parts)
        if pair not in seen and len(seen) < _LOOKED_AT:
            seen.add(pair)
            yield parts


def _units(carriers: Sequence[Carrier]) -> list[Unit]:
    """Each configuration of each set of servers once."""
    return list({id(carrier.unit.candidate): carrier.unit for carrier in carriers}.values())


def _kind(errand: Errand, unit: Unit) -> _Kind | None:
    """A unit with what a set of it carries and costs; None where either is unknown."""
    price, carries = _price(errand, unit), errand.capacity.of(unit)
    if price is None or carries < 1:
        return None
    spare = 1 if errand.request.spare else 0
    return _Kind(unit, carries, price, (math.ceil(errand.users / carries) + spare) * price)


def _price(errand: Errand, unit: Unit) -> float | None:
    """Of one set, by what the offers are ranked by."""
    if errand.request.rank_by == "devices":
        return float(unit.devices)
    fleet = make_fleet(unit.shape.row, unit.devices, unit.nodes, unit.candidate.gpus)
    power = power_of(fleet, duty_of(unit.candidate.performance, unit.copies), errand.power)
    if errand.request.rank_by == "power":
        return plug_of(power).value if power else None
    account = Books(errand.library, errand.prices, errand.terms, fleet, []).owned(power, None)
    if account is None:
        return None
    return account.purchase_total.value if errand.request.rank_by == "purchase" else account.real.month.value


def _best(errand: Errand, one: _Kind, other: _Kind, limit: float) -> tuple[float, tuple[Part, Part]] | None:
    """The cheapest numbers of both below a limit, which is what each costs alone."""
    best: tuple[float, tuple[Part, Part]] | None = None
    for count in range(1, errand.request.max_nodes // one.unit.nodes + 1):
        rest = _rest(errand, one, other, count)
        price = count * one.price + rest * other.price
        if price < limit and count * one.unit.nodes + rest * other.unit.nodes <= errand.request.max_nodes:
            best, limit = (price, (Part(one.unit, count), Part(other.unit, rest))), price
        if count * one.price >= limit:
            break
    return best


def _rest(errand: Errand, one: _Kind, other: _Kind, count: int) -> int:
    """Sets of the other kind beside ``count`` of the first, one at least; with a spare, any one set may be missing."""
    needed = max(1, math.ceil((errand.users - count * one.carries) / other.carries))
    if not errand.request.spare:
        return needed
    while count * one.carries + needed * other.carries - max(one.carries, other.carries) < errand.users:
        needed += 1
    return needed
