"""Prices as loaded from ``planner/cost/prices/*.toml``; the reader is passed in.

Rows of the user's own price files come as ``own``: where they speak of a device or of electricity, ours are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.cost.money import Money
from planner.cost.power_facts import PowerFacts, load_power
from planner.estimate import Estimate

Reader = Callable[[str], Mapping[str, Any]]
Rows = Sequence[Mapping[str, Any]]
_FOLDER = "cost/prices"


@dataclass(frozen=True, slots=True)
class Price:
    """An amount with what it rests on."""

    amount: Estimate
    currency: str
    date: str
    source: str

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def as_of(self) -> str:
        """What stands beside every figure made of it."""
        return f"{self.date}: {self.source}"


@dataclass(frozen=True, eq=False)
class Prices:
    """All price files."""

    rental: Mapping[str, Price]
    """Accelerator id → one device for one hour, on demand."""
    purchase: Mapping[str, Price]
    """Accelerator id → one device."""
    electricity: Price
    """One kWh."""
    power: PowerFacts
    regions: Mapping[str, Price] = field(default_factory=dict)
    """ "US commercial average" → one kWh there."""


def load_prices(read_toml: Reader, own: Mapping[str, Rows] | None = None) -> Prices:
    """All prices. ``read_toml`` takes a path below ``planner/`` and returns the parsed table."""
    mine = own or {}
    rental = [*read_toml(f"{_FOLDER}/rental.toml")["rows"]]
    electricity = read_toml(f"{_FOLDER}/electricity.toml")
    return Prices(
        rental=_by_device([row for row in rental if row["term"] == "on-demand"], mine.get("rental", ())),
        purchase=_by_device(read_toml(f"{_FOLDER}/purchase.toml")["rows"], mine.get("purchase", ())),
        electricity=_electricity(electricity, mine.get("electricity", ())),
        power=load_power(read_toml(f"{_FOLDER}/power.toml")),
        regions=_regions([*electricity["rows"], *mine.get("electricity", ())]),
    )


def _by_device(rows: Rows, own: Rows) -> dict[str, Price]:
    """Offers of one device in one currency together: their range, the median of their middles."""
    theirs = _offers(rows)
    return {device: _price(offers) for device, offers in sorted({**theirs, **_offers(own)}.items())}


def _offers(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        for device in row["accelerators"]:
            found.setdefault(device, []).append(row)
    return found


def _price(offers: list[Mapping[str, Any]]) -> Price:
    currency = offers[0]["currency"]
    offers = [offer for offer in offers if offer["currency"] == currency]
    middle = _median((offer["low"] + offer["high"]) / 2 for offer in offers)
    low, high = min(offer["low"] for offer in offers), max(offer["high"] for offer in offers)
    newest = max(offers, key=lambda offer: str(offer["date"]))
    return Price(Estimate(low, middle, high, "published"), currency, newest["date"], _source(newest, len(offers)))


def _source(row: Mapping[str, Any], count: int) -> str:
    """Of the newest offer, with what it says of it (used, list price), and how many stand beside it."""
    note = f" ({row['note']})" if row.get("note") else ""
    return f"{row['source']}{note}" + (f"; {count - 1} more" if count > 1 else "")


def _median(values: Iterable[float]) -> float:
    """As of ``statistics``, without the modules that it brings along: prices are read at every start."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _electricity(table: Mapping[str, Any], own: Rows) -> Price:
    """The user's last row, else that of the default region."""
    if own:
        return _kwh(own[-1], [row for row in own if row["currency"] == own[-1]["currency"]])
    wanted = (table["default_region"], table["default_customers"])
    row = next(row for row in table["rows"] if (row["region"], row["customers"]) == wanted)
    return _kwh(row, [other for other in table["rows"] if other["currency"] == row["currency"]])


def _kwh(row: Mapping[str, Any], alike: Rows) -> Price:
    same = [other["per_kwh"] for other in alike]
    amount = Estimate(min(same), row["per_kwh"], max(same), "published")
    return Price(amount, row["currency"], row["date"], row["source"])


def _regions(rows: Rows) -> dict[str, Price]:
    return {f"{row['region']} {row['customers']}": _kwh(row, [row]) for row in rows}
