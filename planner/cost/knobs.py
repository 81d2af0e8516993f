"""What of an account a person may set: name, unit, bounds, option. The one home of these bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.errors import BadDocument, Problem
from planner.units import HOURS_PER_DAY

LEAST_MONEY, MOST_MONEY = 1e-6, 1e9
LEAST_YEARS, MOST_YEARS = 0.1, 30.0
MOST_HORIZON = 20.0
LEAST_FACTOR, MOST_FACTOR = 1e-3, 1000.0


@dataclass(frozen=True, slots=True)
class Knob:
    """One assumption, from ``least`` to ``most``."""

    name: str
    """Field of ``Assumptions``."""
    label: str
    unit: str
    least: float
    most: float
    option: str = ""
    """Of the ``cost`` verb."""

    def problem(self, value: float) -> Problem | None:
        """Why a value cannot be used; None if it can."""
        if math.isfinite(value) and self.least <= value <= self.most:
            return None
        fix = f"give a value from {self.least:g} up to {self.most:g} {self.unit}".rstrip()
        return Problem(self.option or self.name, f"{value:g} is not from {self.least:g} to {self.most:g}", fix)


KNOBS = (
    Knob("utilisation", "hours at full load", "share of a month", 0.0, 1.0, option="--utilisation"),
    Knob("years", "written off over", "years", LEAST_YEARS, MOST_YEARS, option="--years"),
    Knob("residual", "left of the price after that", "share of the purchase", 0.0, 1.0, option="--residual"),
    Knob("interest", "interest", "share a year", 0.0, 1.0, option="--interest"),
    Knob("maintenance", "spare parts and support", "share of the purchase a year", 0.0, 1.0, option="--maintenance"),
    Knob("hosting", "hosting, power apart", "money a kW and month", 0.0, MOST_MONEY, option="--hosting"),
    Knob("salary", "a person", "money a month", 0.0, MOST_MONEY, option="--salary"),
    Knob("people", "people", "persons a server", 0.0, 1000.0, option="--people"),
    Knob("pue", "power of the building over that of the servers", "factor", 1.0, 5.0, option="--pue"),
    Knob("purchase", "one device, bought", "money", LEAST_MONEY, MOST_MONEY, option="--purchase"),
    Knob("rent", "one device, rented", "money an hour", LEAST_MONEY, MOST_MONEY, option="--rent"),
    Knob("kwh", "electricity", "money a kWh", LEAST_MONEY, 1e6, option="--kwh"),
    Knob("growth", "demand", "factor a year", LEAST_FACTOR, MOST_FACTOR, option="--growth"),
    Knob("api_decline", "price of the API", "factor a year", LEAST_FACTOR, MOST_FACTOR, option="--api-decline"),
    Knob(
        "efficiency", "capacity by better software", "factor a year", LEAST_FACTOR, MOST_FACTOR, option="--efficiency"
    ),
    Knob("kwh_growth", "price of electricity", "factor a year", LEAST_FACTOR, MOST_FACTOR, option="--kwh-growth"),
    Knob("horizon", "how far to look", "years", LEAST_YEARS, MOST_HORIZON, option="--horizon"),
    Knob("utc_offset", "local time less UTC", "hours", -14.0, 14.0, option="--utc-offset"),
)
BY_NAME: Mapping[str, Knob] = {knob.name: knob for knob in KNOBS}


def refused(values: Iterable[tuple[str, float]]) -> None:
    """Raises BadDocument with every problem of named values; nothing where all can be used."""
    found = [BY_NAME[name].problem(value) for name, value in values]
    problems = tuple(problem for problem in found if problem is not None)
    if problems:
        raise BadDocument(problems)


def day_problem(profile: tuple[float, ...]) -> Problem | None:
    """Why the shares of a day cannot be used."""
    if len(profile) != HOURS_PER_DAY:
        return Problem("--by-hour", f"{len(profile)} shares, a day has {HOURS_PER_DAY} hours", "give one for each hour")
    bad = [share for share in profile if not (math.isfinite(share) and 0 <= share <= 1)]
    if bad:
        return Problem("--by-hour", f"{bad[0]:g} is no share from 0 to 1", "0 is an idle hour, 1 the full load")
    return None
