"""Prices of APIs as dated data, and the bill that a load would have brought."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from planner.cost.money import Money, rising
from planner.cost.prices_loader import Reader
from planner.errors import UnknownName
from planner.estimate import Estimate, exact
from planner.units import MEGA

_FOLDER = "cost/prices/api"


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """Money per million tokens of one model at one provider, as a list of a date said."""

    provider: str
    model: str
    input: float
    output: float
    currency: str
    date: str
    source: str
    cached: float | None = None
    """Input found in the provider's cache; None: as any input."""
    cache_write: float | None = None
    batch_input: float | None = None
    batch_output: float | None = None
    long_input: float | None = None
    long_output: float | None = None
    long_above: int | None = None
    """Prompt length from which the long prices hold."""
    since: str = ""
    until: str = ""
    hours_utc: str = ""
    """Hours of the day, where the price holds only then."""
    page: str = ""
    own: bool = False
    """From a price file of the user: goes before ours."""

    @property
    def title(self) -> str:
        return self.model if self.model.startswith(f"{self.provider}/") else f"{self.provider} {self.model}"

    @property
    def as_of(self) -> str:
        span = "".join(
            f", {word} {value}"
            for word, value in (("since", self.since), ("until", self.until), ("hours UTC", self.hours_utc))
            if value
        )
        return f"{self.date}: {self.source}{span}"

    @property
    def free(self) -> bool:
        """A price of zero: a trial, or a gap in a list. Nothing can be saved against it."""
        return self.input <= 0 and self.output <= 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a month. ``cached`` are part of ``input``."""

    input: Estimate
    cached: Estimate
    output: Estimate
    prompt_length: float = 0.0


def load_api_prices(
    read_toml: Reader, names: Iterable[str], own: Sequence[Mapping[str, Any]] = ()
) -> tuple[ApiPrice, ...]:
    """All list prices, the user's own first; ``names`` are the files of the folder."""
    mine = tuple(ApiPrice(**row, own=True) for row in own)
    listed = tuple(price for name in names for price in _prices(read_toml(f"{_FOLDER}/{name}")))
    return mine + listed


def load_api_history(table: Mapping[str, Any]) -> tuple[ApiPrice, ...]:
    """Prices of the past and by hour of the day, from the parsed ``api_history.toml``."""
    return _prices(table)


def _prices(table: Mapping[str, Any]) -> tuple[ApiPrice, ...]:
    return tuple(
        ApiPrice(
            **{
                "provider": table.get("provider", ""),
                "currency": table["currency"],
                "date": entry["date"],
                "source": entry["source"],
                "page": entry.get("page", ""),
                **row,
            }
        )
        for entry in table["lists"]
        for row in entry["rows"]
    )


def normal(name: str) -> str:
    """The last part of a name as letters, digits and single dashes: how models are compared across lists."""
    return re.sub(r"[^a-z0-9.]+", "-", name.rsplit("/", 1)[-1].lower()).strip("-")


def offers_of(model: str, prices: Iterable[ApiPrice]) -> tuple[ApiPrice, ...]:
    """Who sells this very model, cheapest output first; free offers and repetitions left out."""
    wanted, found = normal(model), dict[tuple[str, float, float], ApiPrice]()
    for price in prices:
        if normal(price.model) == wanted and not price.free and not price.hours_utc:
            found.setdefault((price.provider, price.input, price.output), price)
    return tuple(sorted(found.values(), key=lambda p: (not p.own, p.output + p.input, p.provider)))


def api_price(query: str, prices: Sequence[ApiPrice]) -> ApiPrice:
    """The price that ``query`` names: "o1", "openai/o1", "deepseek/deepseek-r1". Raises UnknownName with neighbours.

    The maker's own offer goes before that of others, whose names carry more.
    """
    wanted = query.strip().lower()
    exactly = [p for p in prices if wanted in (p.model.lower(), f"{p.provider}/{p.model}".lower())]
    loosely = [p for p in prices if normal(p.model) == normal(wanted)]
    hosted = [p for p in loosely if p.provider == wanted.split("/", 1)[0]] if "/" in wanted else loosely
    for group in (exactly, hosted):
        if group:
            return sorted(
                group, key=lambda p: (not p.own, bool(p.hours_utc), len(p.model), p.provider, p.date, p.source)
            )[0]
    raise UnknownName("API price", query[:80], _nearest(wanted, prices))


def _nearest(wanted: str, prices: Sequence[ApiPrice]) -> tuple[tuple[str, float], ...]:
    return nearest_names(wanted, {f"{p.provider}/{normal(p.model)}" for p in prices})


def nearest_names(wanted: str, names: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """The three most alike, whatever they are, with their distance from 0 to 1."""
    text = wanted[:80].lower()
    close = difflib.get_close_matches(text, sorted(names), n=3, cutoff=0.0)
    return tuple((name, 1 - difflib.SequenceMatcher(None, text, name.lower()).ratio()) for name in close)


def bill(price: ApiPrice, usage: Usage, *, batch: bool = False) -> Money:
    """What the provider would have charged for a month's tokens."""
    one_in, one_out = _unit_prices(price, usage.prompt_length, batch=batch)
    one_cached = min(price.cached if price.cached is not None else one_in, one_in)

    def amount(every: float, cached: float, output: float) -> float:
        return (max(every - cached, 0.0) * one_in + cached * one_cached + output * one_out) / MEGA

    terms = {"input": one_in, "cached": one_cached, "output": one_out}
    total = rising(amount, usage.input, usage.cached, usage.output)
    return Money(total.with_terms(terms), price.currency)


def _unit_prices(price: ApiPrice, prompt_length: float, *, batch: bool) -> tuple[float, float]:
    one_in, one_out = price.input, price.output
    if price.long_above is not None and prompt_length > price.long_above:
        one_in, one_out = price.long_input or one_in, price.long_output or one_out
    if batch:
        one_in, one_out = price.batch_input or one_in, price.batch_output or one_out
    return one_in, one_out


def tokens_of(million_input: float, million_cached: float, million_output: float) -> Usage:
    """A usage from counts that are known."""
    return Usage(exact(million_input * MEGA), exact(million_cached * MEGA), exact(million_output * MEGA))
