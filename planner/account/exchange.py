"""Amounts turned into one currency, as far as exchange rates were given; nothing is mixed without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.cost.api import nearest_names
from planner.cost.knobs import LEAST_MONEY, MOST_MONEY
from planner.cost.money import Money
from planner.cost.prices_loader import Price
from planner.cost.terms import Terms
from planner.errors import BadInput, UnknownName


def exchanged(terms: Terms, currency: str, worth: Mapping[str, float]) -> Terms:
    """Terms with every amount in ``currency`` as far as exchange rates are given."""

    def turned(money: Money) -> Money:
        rate = worth.get(money.currency)
        return money if money.currency == currency or rate is None else replace(money.scaled(rate), currency=currency)

    servers = tuple(replace(s, fixed=turned(s.fixed), per_device=turned(s.per_device)) for s in terms.server_prices)
    return replace(
        terms,
        hosting=turned(terms.hosting),
        salary=turned(terms.salary),
        network=turned(terms.network),
        server_prices=servers,
    )


def turned_price(price: Price, currency: str, worth: Mapping[str, float]) -> Price:
    """A price in ``currency`` where a rate was given; as it is otherwise."""
    rate = worth.get(price.currency)
    if price.currency == currency or rate is None:
        return price
    note = f"{price.source}; 1 {price.currency} = {rate:g} {currency}"
    return Price(price.amount.scaled(rate), currency, price.date, note)


def region_price(name: str, regions: Mapping[str, Price]) -> Price:
    """Electricity of a region by the beginning of its name. Raises UnknownName."""
    wanted = name.strip().lower()
    found = [price for title, price in regions.items() if wanted and title.lower().startswith(wanted)]
    if not found:
        raise UnknownName("electricity region", name[:80], nearest_names(name, regions))
    return found[0]


def usable(price: Price | None, name: str) -> Price | None:
    """The same price. Raises BadInput for one that is not a number above zero: nothing is free, nothing is divided."""
    if price is None:
        return None
    ends = (price.amount.low, price.amount.value, price.amount.high)
    if all(LEAST_MONEY <= end <= MOST_MONEY for end in ends) and ends == tuple(sorted(ends)):  # NaN fails too
        return price
    raise BadInput(
        name, f"{price.amount.value:g} is no price", f"give an amount from {LEAST_MONEY:g} to {MOST_MONEY:g}"
    )
