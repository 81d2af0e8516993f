"""What of an account a person may set: name, unit, bounds, option. The one home of these bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.errors import BadDocument, Problem

MOST_MONEY = 1e9
MOST_YEARS = 30.0
MOST_HORIZON = 20.0
MOST_FACTOR = 1000.0
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Knob:
    """One assumption. ``least`` itself is allowed unless ``above`` says that a value must lie above it."""

    name: str
    """Field of ``Assumptions``."""
    label: str
    unit: str
    least: float
    most: float
    above: bool = False
    option: str = ""
    """Of the ``cost`` verb."""

    def problem(self, value: float) -> Problem | None:
        """Why a value cannot be used; None if it can."""
        good = math.isfinite(value) and value <= self.most
        if good and (value > self.least if self.above else value >= self.least):
            return None
        start = "above" if self.above else "from"
        fix = f"give a value {start} {self.least:g} up to {self.most:g} {self.unit}".rstrip()
        return Problem(self.option or self.name, f"{value:g} is not {start} {self.least:g} to {self.most:g}", fix)


KNOBS = (
    Knob("utilisation", "hours at full load", "share of a month", 0.0, 1.0, option="--utilisation"),
    Knob("years", "written off over", "years", 0.0, MOST_YEARS, True, "--years"),
    Knob("residual", "left of the price after that", "share of the purchase", 0.0, 1.0, option="--residual"),
    Knob("interest", "interest", "share a year", 0.0, 1.0, option="--interest"),
    Knob("maintenance", "spare parts and support", "share of the purchase a year", 0.0, 1.0, option="--maintenance"),
    Knob("hosting", "hosting, power apart", "money a kW and month", 0.0, MOST_MONEY, option="--hosting"),
    Knob("salary", "a person", "money a month", 0.0, MOST_MONEY, option="--salary"),
    Knob("people", "people", "persons a server", 0.0, 1000.0, option="--people"),
    Knob("pue", "power of the building over that of the servers", "factor", 1.0, 5.0, option="--pue"),
    Knob("purchase", "one device, bought", "money", 0.0, MOST_MONEY, True, "--purchase"),
    Knob("rent", "one device, rented", "money an hour", 0.0, MOST_MONEY, True, "--rent"),
    Knob("kwh", "electricity", "money a kWh", 0.0, 1e6, True, "--kwh"),
    Knob("growth", "demand", "factor a year", 0.0, MOST_FACTOR, True, "--growth"),
    Knob("api_decline", "price of the API", "factor a year", 0.0, MOST_FACTOR, True, "--api-decline"),
    Knob("efficiency", "capacity by better software", "factor a year", 0.0, MOST_FACTOR, True, "--efficiency"),
    Knob("kwh_growth", "price of electricity", "factor a year", 0.0, MOST_FACTOR, True, "--kwh-growth"),
    Knob("horizon", "how far to look", "years", 0.0, MOST_HORIZON, True, "--horizon"),
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
