"""Power and money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from planner.documents.result.finding import Finding
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Cost:
    """Power and money; None where a price or a load is missing."""

    power_w: Estimate | None = None
    wh_per_mtok: Estimate | None = None
    per_mtok: Estimate | None = None
    per_month: Estimate | None = None
    """Of the devices in use: rent on demand, or depreciation and electricity where no rent is known."""
    currency: str = "USD"
    basis: Literal["", "rented", "owned"] = ""
    """What ``per_month`` and ``per_mtok`` are."""
    purchase: Estimate | None = None
    """Price of the devices in use, servers apart."""
    owned_per_month: Estimate | None = None
    """Depreciation of the devices and electricity; the ``cost`` verb has the whole account."""
    owned_per_mtok: Estimate | None = None
    per_mtok_all: Estimate | None = None
    """Of input and output tokens together."""
    wh_per_mtok_all: Estimate | None = None
    as_of: dict[str, str] = field(default_factory=dict)
    """Figure → date and source of its prices: none of them is implied to be current."""
    problems: tuple[Finding, ...] = ()
    """What is missing for a figure, with a next step."""
