"""Prices and power facts as loaded from ``planner/cost/prices/*.toml``; the reader is passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from planner.estimate import Estimate

Reader = Callable[[str], Mapping[str, Any]]
_FOLDER = "cost/prices"


@dataclass(frozen=True, slots=True)
class Price:
    """An amount with what it rests on."""

    amount: Estimate
    currency: str
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """Shares of board power by phase, the host around it, the building around that."""

    idle_share: float
    prefill_share: float
    decode_share: float
    host_base_w: float
    host_per_device_w: float
    pue: Estimate
    ownership_months: float


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


def load_prices(read_toml: Reader) -> Prices:
    """All prices. ``read_toml`` takes a path below ``planner/`` and returns the parsed table."""
    rental = [row for row in read_toml(f"{_FOLDER}/rental.toml")["rows"] if row["term"] == "on-demand"]
    return Prices(
        rental=_by_device(rental),
        purchase=_by_device(read_toml(f"{_FOLDER}/purchase.toml")["rows"]),
        electricity=_electricity(read_toml(f"{_FOLDER}/electricity.toml")),
        power=_power(read_toml(f"{_FOLDER}/power.toml")),
    )


def _by_device(rows: list[Mapping[str, Any]]) -> dict[str, Price]:
    """Offers of one device in one currency together: their range, the median of their middles."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        for device in row["accelerators"]:
            found.setdefault(device, []).append(row)
    return {device: _price(offers) for device, offers in sorted(found.items())}


def _price(offers: list[Mapping[str, Any]]) -> Price:
    currency = offers[0]["currency"]
    offers = [offer for offer in offers if offer["currency"] == currency]
    middle = median((offer["low"] + offer["high"]) / 2 for offer in offers)
    low, high = min(offer["low"] for offer in offers), max(offer["high"] for offer in offers)
    newest = max(offers, key=lambda offer: str(offer["date"]))
    return Price(Estimate(low, middle, high, "published"), currency, newest["date"], newest["source"])


def _electricity(table: Mapping[str, Any]) -> Price:
    wanted = (table["default_region"], table["default_customers"])
    row = next(row for row in table["rows"] if (row["region"], row["customers"]) == wanted)
    value = row["per_kwh"]
    same = [other["per_kwh"] for other in table["rows"] if other["currency"] == row["currency"]]
    return Price(Estimate(min(same), value, max(same), "published"), row["currency"], row["date"], row["source"])


def _power(table: Mapping[str, Any]) -> PowerFacts:
    device, host, facility = table["device"], table["host"], table["facility"]
    return PowerFacts(
        idle_share=device["idle_share"],
        prefill_share=device["prefill_share"],
        decode_share=device["decode_share"],
        host_base_w=host["base_w"],
        host_per_device_w=host["per_device_w"],
        pue=Estimate(facility["pue_low"], facility["pue"], facility["pue_high"], "assumed"),
        ownership_months=table["ownership"]["months"],
    )
