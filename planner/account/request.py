"""What an account is asked: assumptions as a person says them, and the request that they become.

``Assumptions`` is what a form or a command fills in: plain numbers, None where the default of the data is to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from planner.cost.knobs import BY_NAME, LEAST_MONEY, MOST_MONEY, day_problem
from planner.cost.money import Money
from planner.cost.prices_loader import Price
from planner.errors import BadDocument, Problem
from planner.estimate import exact

GIVEN = "given"
"""Date of a price that a person typed."""


@dataclass(frozen=True, slots=True)
class CostRequest:
    """The question; None takes the default of the data, which the answer lists as assumed."""

    terms: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Terms`` that are replaced."""
    purchase: Price | None = None
    """Of one device."""
    rental: Price | None = None
    """Of one device for one hour."""
    kwh: Price | None = None
    region: str | None = None
    exchange: Mapping[str, float] = field(default_factory=dict)
    """Currency → what one unit of it is worth in the currency of the purchase."""
    apis: tuple[str, ...] = ()
    """Names of API prices; empty: who sells this very model."""
    batch: bool = False
    factors: Mapping[str, float | None] = field(default_factory=dict)
    """Replaces factors of every scenario: demand, api_price, efficiency, electricity."""
    horizon: float | None = None
    pue: float | None = None
    utc_offset: float = 0.0
    """Local time of ``terms["profile"]`` less UTC, in hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Everything that may be said about money and power; None: the default of the data. Bounds: ``cost.knobs``."""

    utilisation: float | None = None
    profile: tuple[float, ...] = ()
    """24 shares, one for each local hour of the day; replaces ``utilisation``."""
    utc_offset: float = 0.0
    years: float | None = None
    residual: float | None = None
    interest: float | None = None
    maintenance: float | None = None
    hosting: float | None = None
    salary: float | None = None
    people: float | None = None
    pue: float | None = None
    purchase: float | None = None
    rent: float | None = None
    kwh: float | None = None
    region: str | None = None
    currency: str = "USD"
    """Of the amounts above."""
    exchange: Mapping[str, float] = field(default_factory=dict)
    apis: tuple[str, ...] = ()
    batch: bool = False
    growth: float | None = None
    api_decline: float | None = None
    efficiency: float | None = None
    kwh_growth: float | None = None
    horizon: float | None = None

    def given(self) -> dict[str, float]:
        """Knobs that were said."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name in BY_NAME}
        return {
            name: float(value) for name, value in said.items() if value is not None and (name != "utc_offset" or value)
        }


def problems_of(asked: Assumptions) -> tuple[Problem, ...]:
    """Everything about them that cannot be used."""
    found = [BY_NAME[name].problem(value) for name, value in asked.given().items()]
    if asked.profile:
        found.append(day_problem(asked.profile))
    if not (len(asked.currency) == 3 and asked.currency.isascii() and asked.currency.isupper()):
        found.append(Problem("--currency", f"{asked.currency[:20]!r} is no currency", "write three letters: USD, EUR"))
    for unit, worth in asked.exchange.items():
        if not LEAST_MONEY <= worth <= MOST_MONEY:  # also refuses NaN
            found.append(Problem("--exchange", f"{unit[:20]} at {worth:g} is no rate", "write EUR=1.1"))
    return tuple(problem for problem in found if problem is not None)


def request_of(asked: Assumptions) -> CostRequest:
    """The request. Raises BadDocument with every problem."""
    if problems := problems_of(asked):
        raise BadDocument(problems)
    return CostRequest(
        terms=terms_of(asked),
        purchase=_price(asked.purchase, asked.currency),
        rental=_price(asked.rent, asked.currency),
        kwh=_price(asked.kwh, asked.currency),
        region=asked.region,
        exchange=asked.exchange,
        apis=asked.apis,
        batch=asked.batch,
        factors={
            "demand": asked.growth,
            "api_price": asked.api_decline,
            "efficiency": asked.efficiency,
            "electricity": asked.kwh_growth,
        },
        horizon=asked.horizon,
        pue=asked.pue,
        utc_offset=asked.utc_offset,
    )


def terms_of(asked: Assumptions) -> dict[str, Any]:
    """Fields of ``Terms`` that they replace."""
    shares = {name: getattr(asked, name) for name in ("residual", "interest", "maintenance", "people")}
    amounts = {name: getattr(asked, name) for name in ("hosting", "salary")}
    said: dict[str, Any] = {"years": asked.years, "utilisation": asked.utilisation, "profile": asked.profile or None}
    said |= {name: None if value is None else exact(value, "assumed") for name, value in shares.items()}
    said |= {
        name: None if value is None else Money(exact(value, "published"), asked.currency)
        for name, value in amounts.items()
    }
    return {name: value for name, value in said.items() if value is not None}


def _price(amount: float | None, unit: str) -> Price | None:
    return None if amount is None else Price(exact(amount, "published"), unit, GIVEN, "said by you")
