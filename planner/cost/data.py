"""Everything an account is made of beside prices, opened together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.cost.api import ApiPrice, load_api_history
from planner.cost.caps import CapCurve, load_cap_curves
from planner.cost.prices_loader import Reader
from planner.cost.scenarios import Scenario, load_scenarios
from planner.cost.site import SiteFacts, load_site
from planner.cost.terms import Terms, checked, load_terms
from planner.estimate import Estimate

_FOLDER = "cost/prices"


@dataclass(frozen=True, eq=False)
class CostData:
    """Terms of ownership, the room, power caps, scenarios, prices of the past."""

    terms: Terms
    site: SiteFacts
    caps: Mapping[str, CapCurve]
    scenarios: tuple[Scenario, ...]
    horizon_years: float
    history: tuple[ApiPrice, ...]
    factor_sources: Mapping[str, str]
    """Field of a scenario → where its values are from."""
    clock_lock: Mapping[str, Estimate]
    """Memory type → share of decode energy that locked clocks save."""


def load_cost_data(read_toml: Reader) -> CostData:
    """From the package's tables."""
    scenarios = read_toml(f"{_FOLDER}/scenarios.toml")
    caps = read_toml(f"{_FOLDER}/power_caps.toml")
    lock = caps["clock_lock"]
    saved = Estimate(**lock["decode_energy_saved"], origin=lock["origin"])
    return CostData(
        terms=checked(load_terms(read_toml(f"{_FOLDER}/ownership.toml"))),
        site=load_site(read_toml(f"{_FOLDER}/site.toml")),
        caps=load_cap_curves(caps),
        scenarios=load_scenarios(scenarios),
        horizon_years=scenarios["horizon"]["years"],
        factor_sources=scenarios["sources"],
        clock_lock=dict.fromkeys(lock["memory"], saved),
        history=load_api_history(read_toml(f"{_FOLDER}/api_history.toml")),
    )
