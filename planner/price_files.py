"""The user's own prices: ``prices/*.toml`` in an overlay, checked strictly, every problem named.

    [[purchase]]                      # one device
    accelerators = ["h200-sxm-141gb"]
    low = 27000.0
    high = 29000.0
    currency = "EUR"
    date = "2026-10-01"
    source = "offer 4711"

``[[rental]]`` (one device, one hour) has the same keys, ``[[electricity]]`` region, customers, per_kwh, ``[[api]]``
provider, model, input, output, cached … per million tokens; a dearer price at some hours is a row of its own with
``hours_utc = "01:00-04:00"``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, ValidationError

from planner.documents.files import read_bounded
from planner.documents.problems import problems_of
from planner.errors import BadDocument, BadInput, Problem
from planner.units import MIB

MAX_FILE_BYTES = 4 * MIB
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""
Text = Annotated[str, Field(min_length=1, max_length=500)]
Hours = Annotated[str, Field(pattern=r"^([01]?\d|2[0-4]):[0-5]\d-([01]?\d|2[0-4]):[0-5]\d$|^$")]
"""Of a UTC day: "01:00-04:00"; empty: all day."""
Date = Annotated[str, Field(min_length=4, max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every price must say."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    currency: Currency
    date: Date
    source: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow(Row):
    """A device to buy."""

    accelerators: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]
    low: Positive
    high: Positive
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalRow(DeviceRow):
    """A device for an hour."""

    term: str = "on-demand"
    offer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityRow(Row):
    """A kWh."""

    region: Text
    customers: Text
    per_kwh: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRow(Row):
    """A million tokens."""

    provider: Text
    model: Text
    input: Amount
    output: Amount
    cached: Amount | None = None
    cache_write: Amount | None = None
    batch_input: Amount | None = None
    batch_output: Amount | None = None
    long_input: Amount | None = None
    long_output: Amount | None = None
    long_above: Annotated[int, Field(ge=1)] | None = None
    since: str = ""
    until: str = ""
    hours_utc: Hours = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """One file."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    purchase: tuple[DeviceRow, ...] = ()
    rental: tuple[RentalRow, ...] = ()
    electricity: tuple[ElectricityRow, ...] = ()
    api: tuple[ApiRow, ...] = ()


def own_prices(overlays: Iterable[Path]) -> Mapping[str, tuple[dict[str, Any], ...]]:
    """Kind → rows of all overlays, later files last. Raises BadDocument with every problem of every file."""
    rows: dict[str, list[dict[str, Any]]] = {f.name: [] for f in fields(PriceFile)}
    problems: list[Problem] = []
    for path in _files(overlays):
        try:
            for kind, found in asdict(price_file(path)).items():
                rows[kind] += found
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadDocument(tuple(problems))
    return {kind: tuple(found) for kind, found in rows.items()}


def _files(overlays: Iterable[Path]) -> list[Path]:
    return [path for overlay in overlays for path in sorted((overlay / "prices").rglob("*.toml"))]


def price_file(path: Path) -> PriceFile:
    """One file of prices. Raises BadInput or BadDocument."""
    try:
        data = tomllib.loads(read_bounded(path, MAX_FILE_BYTES).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(str(path), f"is not valid TOML: {error}", "see docs/cost.md for an example") from None
    try:
        parsed: PriceFile = TypeAdapter(PriceFile).validate_python(data)
    except ValidationError as error:
        raise BadDocument(problems_of(error, str(path), PriceFile)) from None
    crossed = [row for row in (*parsed.purchase, *parsed.rental) if row.low > row.high]
    if crossed:
        messages = (f"low {row.low:g} is above high {row.high:g} of {row.accelerators[0]}" for row in crossed)
        raise BadDocument(tuple(Problem(str(path), message, "swap them") for message in messages))
    return parsed
