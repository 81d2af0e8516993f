"""Every assumption of an account by name: its value and range, where it is from, and how to replace it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.account.books import Books
from planner.account.request import CostRequest
from planner.cost.document import Assumption
from planner.cost.knobs import BY_NAME
from planner.cost.prices_loader import Price
from planner.cost.scenarios import Scenario
from planner.estimate import Estimate, exact

if TYPE_CHECKING:
    from planner.library import Library

SAID = "said by you"
_FACTORS = {
    "growth": "demand",
    "api_decline": "api_price",
    "efficiency": "efficiency",
    "kwh_growth": "electricity",
}
"""Name here → field of ``Scenario``."""


def assumptions_of(books: Books, scenarios: tuple[Scenario, ...], horizon: float) -> tuple[Assumption, ...]:
    """All of them, in the order of ``cost.knobs``."""
    found = {row.name: row for row in (*_terms(books), *_prices(books), *_future(books, scenarios, horizon))}
    return tuple(found[name] for name in BY_NAME if name in found)


def defaults(library: Library, accelerator: str | None = None) -> tuple[Assumption, ...]:
    """What holds where nobody says anything; prices of one accelerator where it is named. For forms."""
    from planner.cost.fleet import Fleet, make_fleet

    row = library.database.accelerator(accelerator) if accelerator else None
    fleet = make_fleet(row, 1, 1) if row else Fleet("", 1, 1, 1, None, None, "unknown")
    books = Books(library, CostRequest(), library.cost_data.terms, fleet, [])
    return assumptions_of(books, library.cost_data.scenarios, library.cost_data.horizon_years)


def _row(name: str, value: Estimate, given: bool, source: str, currency: str = "") -> Assumption:
    knob = BY_NAME[name]
    unit = knob.unit.replace("money", currency, 1) if currency else knob.unit
    return Assumption(name, knob.label, value, unit, given, knob.option, SAID if given else source)


def _terms(books: Books) -> Iterator[Assumption]:
    terms, said, facts = books.terms, books.request.terms, books.library.prices.power
    used = "utilisation" in said or "profile" in said
    yield _row("utilisation", exact(terms.utilisation, "assumed"), used, terms.sources["utilisation"])
    yield _row("years", exact(terms.years, "assumed"), "years" in said, terms.sources["years"])
    for name in ("residual", "interest", "maintenance", "people"):
        yield _row(name, getattr(terms, name), name in said, terms.sources[name])
    yield _row("hosting", terms.hosting.amount, "hosting" in said, terms.sources["hosting"], terms.hosting.currency)
    yield _row("salary", terms.salary.amount, "salary" in said, terms.sources["people"], terms.salary.currency)
    pue = books.request.pue
    yield _row("pue", facts.pue if pue is None else exact(pue, "assumed"), pue is not None, facts.sources["facility"])


def _prices(books: Books) -> Iterator[Assumption]:
    request, prices = books.request, books.library.prices
    bought = request.purchase or prices.purchase.get(books.fleet.accelerator)
    rows: list[tuple[str, Price | None, bool]] = [
        ("purchase", bought, request.purchase is not None),
        ("rent", books.rental(), request.rental is not None),
        ("kwh", books.kwh(bought.currency if bought else "USD"), request.kwh is not None),
    ]
    for name, price, given in rows:
        if price is not None:
            yield _row(name, price.amount, given, price.as_of, price.currency)


def _future(books: Books, scenarios: tuple[Scenario, ...], horizon: float) -> Iterator[Assumption]:
    said = books.request.factors
    for name, field in _FACTORS.items():
        values = [getattr(scenario, field) for scenario in scenarios]
        middle = values[len(values) // 2]
        source = books.library.cost_data.factor_sources[field]
        figure = Estimate(min(values), middle, max(values), "assumed")
        yield _row(name, figure, said.get(field) is not None, source)
    yield _row("horizon", exact(horizon, "assumed"), books.request.horizon is not None, "as long as it is written off")
