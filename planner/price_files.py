"""The user's own prices: ``prices/*.toml`` in an overlay, checked strictly, every problem named.

    [[purchase]]                      # one device
    accelerators = ["h200-sxm-141gb"]
    low = 27000.0
    high = 29000.0
    currency = "EUR"
    date = "2026-10-01"
    source = "offer 4711"

``[[rental]]`` (one device, one hour) has the same keys, ``[[electricity]]`` region, customers, per_kwh, ``[[api]]``
provider, model, input, output, cached … per million tokens.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from planner.documents.files import read_bounded
from planner.documents.problems import problems_of
from planner.errors import BadDocument, BadInput, Problem
from planner.units import MIB

MAX_FILE_BYTES = 4 * MIB
Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Row(BaseModel):
    """What every price must say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    currency: Currency
    """ISO 4217."""
    date: Annotated[str, Field(min_length=4, max_length=40)]
    source: Text


class DeviceRow(Row):
    """A device to buy."""

    accelerators: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]
    low: Positive
    high: Positive
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> DeviceRow:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class RentalRow(DeviceRow):
    """A device for an hour."""

    term: str = "on-demand"
    offer: str = ""


class ElectricityRow(Row):
    """A kWh."""

    region: Text
    customers: Text
    per_kwh: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


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
    hours_utc: str = ""
    page: str = ""


class PriceFile(BaseModel):
    """One file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    purchase: tuple[DeviceRow, ...] = ()
    rental: tuple[RentalRow, ...] = ()
    electricity: tuple[ElectricityRow, ...] = ()
    api: tuple[ApiRow, ...] = ()


def own_prices(overlays: Iterable[Path]) -> Mapping[str, tuple[dict[str, Any], ...]]:
    """Kind → rows of all overlays, later files last. Raises BadDocument with every problem of every file."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in PriceFile.model_fields}
    problems: list[Problem] = []
    for path in _files(overlays):
        try:
            for kind, found in price_file(path).model_dump(exclude_none=True).items():
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
        return PriceFile.model_validate(data)
    except ValidationError as error:
        raise BadDocument(problems_of(error, str(path), PriceFile)) from None
