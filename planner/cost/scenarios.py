"""Demand, API prices and software over the years: when the fleet is full, when the API becomes cheaper.

demand(t) = today · growth^t, API price(t) = today · decline^t, capacity(t) = today · efficiency^t, t in years;
there are as many fleets as the demand of the month needs. Factors are per year and positive: 0.5 is half after a year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.cost.against import Comparison
from planner.cost.knobs import BY_NAME, LEAST_FACTOR, MOST_FACTOR
from planner.cost.money import Money
from planner.cost.ownership import MONTHS_PER_YEAR, Account
from planner.errors import BadDocument, BadInput
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Scenario:
    """Factors per year, each named and replaceable."""

    id: str
    demand: float
    api_price: float
    efficiency: float
    electricity: float
    source: str


@dataclass(frozen=True, slots=True)
class Point:
    """One month. Money in the account's currency."""

    month: int
    demand_share: float
    """Of the first fleet's capacity then."""
    fleets: int
    owned: float
    api: float


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of a fleet and an API in one scenario."""

    scenario: Scenario
    api: str
    full_month: int | None
    """First month in which one fleet no longer suffices; None: not within the horizon."""
    dearer_month: int | None
    """First month in which the fleets cost more than the API, having been cheaper; 0: from the start."""
    cheaper_month: int | None
    """First month in which the fleets cost less: when to buy; None: not within the horizon."""
    owned_total: float
    api_total: float
    currency: str
    points: tuple[Point, ...]
    """One a year, the end included."""
    full_month_range: tuple[int | None, int | None] = (None, None)
    """The same where the fleet is as slow, and as fast, as it may be."""
    owned: Money | None = None
    """``owned_total`` with its range."""
    bill: Money | None = None
    """``api_total`` with its range."""


def load_scenarios(table: Mapping[str, Any]) -> tuple[Scenario, ...]:
    """From the parsed ``scenarios.toml``."""
    return tuple(Scenario(**row) for row in table["scenarios"])


def edited(scenario: Scenario, **factors: float | None) -> Scenario:
    """A scenario with some factors replaced, checked. Raises BadInput for one that is not above zero."""
    given: dict[str, Any] = {name: value for name, value in factors.items() if value is not None}
    for name, value in given.items():
        if not (math.isfinite(value) and LEAST_FACTOR <= value <= MOST_FACTOR):
            raise BadInput(
                name.replace("_", "-"),
                f"{value:g} is no factor per year from {LEAST_FACTOR:g} to {MOST_FACTOR:g}",
                "0.5 means half after a year, 2 the double",
            )
    return replace(scenario, **given)


def course(scenario: Scenario, account: Account, against: Comparison, years: float) -> Course:
    """Month by month. Raises BadInput for a horizon beyond reason."""
    if problem := BY_NAME["horizon"].problem(years):
        raise BadDocument((problem,))
    edited(
        scenario,
        demand=scenario.demand,
        api_price=scenario.api_price,
        efficiency=scenario.efficiency,
        electricity=scenario.electricity,
    )
    months = round(years * MONTHS_PER_YEAR)
    points = [_point(month, scenario, account, against) for month in range(months + 1)]
    cheaper = [p.owned < p.api for p in points]
    first = next((p.month for p, good in zip(points, cheaper, strict=True) if good), None)
    return Course(
        scenario=scenario,
        api=against.api.title,
        full_month=next((p.month for p in points if p.fleets > 1), None),
        dearer_month=_turns(cheaper),
        cheaper_month=first,
        owned_total=sum(p.owned for p in points[:-1]),
        api_total=sum(p.api for p in points[:-1]),
        currency=account.purchase_total.currency,
        points=tuple(p for p in points if p.month % MONTHS_PER_YEAR == 0 or p.month == months),
        full_month_range=_full_range(points, account.full.output_tokens),
        owned=_like(account.real.month, sum(p.owned for p in points[:-1])),
        bill=_like(against.month, sum(p.api for p in points[:-1])),
    )


def _full_range(points: Sequence[Point], tokens: Estimate) -> tuple[int | None, int | None]:
    """The first month beyond capacity if the fleet makes as few, and as many, tokens as it may."""

    def first(speed: float) -> int | None:
        factor = tokens.value / speed if speed > 0 else 1.0
        return next((p.month for p in points if p.demand_share * factor > 1 + 1e-9), None)

    return first(tokens.low), first(tokens.high)


def _like(month: Money, total: float) -> Money:
    """A total that is as uncertain as the month it is made of."""
    share = total / month.value if month.value > 0 else 0.0
    low, high = month.amount.low * share, month.amount.high * share
    return Money(Estimate(min(low, total), total, max(high, total), "assumed"), month.currency)


def _turns(cheaper: Sequence[bool]) -> int | None:
    """The first month that is dearer after cheaper ones, or 0 when it began so."""
    if not cheaper[0]:
        return 0
    return next((month for month, good in enumerate(cheaper) if not good), None)


def _point(month: int, scenario: Scenario, account: Account, against: Comparison) -> Point:
    years = month / MONTHS_PER_YEAR
    demand = account.real.utilisation * scenario.demand**years
    share = demand / scenario.efficiency**years
    fleets = max(1, math.ceil(share - 1e-9))
    power = account.monthly["electricity"].value
    fixed = account.real.month.value - power
    busy = max(account.full.month.value - fixed, 0.0)
    mean = share / fleets
    level = _between(account, power, busy, mean) * scenario.electricity**years
    return Point(
        month=month,
        demand_share=share,
        fleets=fleets,
        owned=fleets * (fixed + level),
        api=against.month.value * scenario.demand**years * scenario.api_price**years,
    )


def _between(account: Account, power: float, busy: float, share: float) -> float:
    """A month's electricity of one fleet at a share of its full load: a straight line through two known months."""
    real = account.real.utilisation
    if real >= 1:
        return power
    return busy - (busy - power) / (1 - real) * (1 - share)
