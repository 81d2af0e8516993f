"""What the ``cost`` verb answers. Every amount has its currency, every price its date and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.cost.against import Comparison
from planner.cost.caps import CapStep
from planner.cost.energy import Power
from planner.cost.fleet import Fleet
from planner.cost.ownership import Account, Load, Rent
from planner.cost.scenarios import Course
from planner.cost.site import Site
from planner.documents.result import Finding, Verdict
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Energy:
    """Wh of a million tokens, at the meter."""

    per_mtok_output_only: Estimate | None
    """Everything laid on the output."""
    per_mtok: Estimate | None
    """Of all tokens."""
    per_mtok_input: Estimate | None
    """Prompts bear the energy of their share of the time."""
    per_mtok_output: Estimate | None


@dataclass(frozen=True, slots=True)
class Outage:
    """What a fleet still does with something missing."""

    missing: str
    """ "one device", "one server"."""
    copies: int
    """Of the model, still running."""
    users: float
    """Requests of the load's length that the memory of those holds."""
    tpot_s: Estimate | None
    holds: bool | None
    """All users, within the promises; None where neither was stated."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One figure that the account rests on and that a person may replace."""

    name: str
    """Field of ``Assumptions``."""
    label: str
    value: Estimate
    unit: str
    given: bool
    """Said by a person, not taken from the data."""
    option: str
    """Of the ``cost`` verb."""
    source: str


@dataclass(frozen=True, slots=True)
class CostDocument:
    """The account of one deployment. What is None is unknown, and ``problems`` says why."""

    verdict: Verdict
    id: str | None = None
    fleet: Fleet | None = None
    output_tok_s: Estimate | None = None
    input_tok_s: Estimate | None = None
    prompt_time: float | None = None
    """Share of the devices' time in prefill."""
    power: Power | None = None
    energy: Energy | None = None
    clock_lock_saves: Estimate | None = None
    """Share of decode energy that locked clocks save, where a cap would do nothing."""
    caps: tuple[CapStep, ...] = ()
    site: Site | None = None
    owned: Account | None = None
    rented: Rent | None = None
    sensitivity: tuple[Load, ...] = ()
    """Owned, by utilisation."""
    apis: tuple[Comparison, ...] = ()
    """Beside the fleet bought."""
    rented_apis: tuple[Comparison, ...] = ()
    """Beside the fleet rented all month."""
    scenarios: tuple[Course, ...] = ()
    """Against the first of ``apis``."""
    outages: tuple[Outage, ...] = ()
    problems: tuple[Finding, ...] = ()
    assumed: Mapping[str, Any] = field(default_factory=dict)
    """Default that was taken, by the name of the option that replaces it."""
    assumptions: tuple[Assumption, ...] = ()
    """Every assumption by name with its value, range, source, and the option that replaces it."""
    as_of: Mapping[str, str] = field(default_factory=dict)
    """What a price is of: its date and source. None of them is implied to be current."""
    schema: Literal["deploy-planner/cost/1"] = "deploy-planner/cost/1"
