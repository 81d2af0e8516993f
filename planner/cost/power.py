"""Power, energy and money of a serving deployment, in short: what an estimate and a plan carry.

Power by phase is ``planner.cost.energy``; the whole account of a fleet is ``planner.cost.ownership``. Per million
output tokens: energy in Wh is power / (tokens/s) · 1e6 / 3600, money is the amount per hour / (tokens/s) · 1e6 / 3600;
the amount is the rent, or depreciation plus electricity where only a purchase price is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.cost.energy import Draw, draw, mixed, per_mtok, shares
from planner.cost.fleet import Fleet, duty_of, fleet_of, make_fleet
from planner.cost.prices_loader import Price, Prices
from planner.cost.short import currency_problem, power_problem, price_problem
from planner.documents.result import Cost, Finding, Performance
from planner.estimate import Estimate, spread
from planner.resolved import Resolved
from planner.units import HOURS_PER_MONTH, KILO


def power_and_cost(resolved: Resolved, performance: Performance, prices: Prices) -> Cost:
    """What it draws and costs at the load; None where board power, price or load is unknown."""
    named = fleet_of(resolved)
    if named is None:
        return Cost()
    row = resolved.cluster.device.accelerator
    fleet = make_fleet(row, named.used, named.nodes) if row else named
    power = _power(fleet, performance, resolved.serving.dp, prices)
    watts = power.total if power else None
    output, every = performance.output_tok_s, performance.total_tok_s
    rent, bought = prices.rental.get(fleet.accelerator), prices.purchase.get(fleet.accelerator)
    rented = rent.amount.scaled(fleet.devices) if rent else None
    owned = _owned(bought, fleet.devices, watts, prices) if bought and watts else None
    hour = rented or owned
    currency = rent.currency if rent else bought.currency if bought and owned else "USD"
    alike = bought is not None and bought.currency == currency
    return Cost(
        power_w=watts,
        wh_per_mtok=per_mtok(watts, output) if watts else None,
        per_mtok=per_mtok(hour, output) if hour else None,
        per_month=hour.scaled(HOURS_PER_MONTH) if hour else None,
        currency=currency,
        basis="rented" if rented else "owned" if owned else "",
        purchase=bought.amount.scaled(fleet.devices) if bought and alike else None,
        owned_per_month=owned.scaled(HOURS_PER_MONTH) if owned and alike else None,
        owned_per_mtok=per_mtok(owned, output) if owned and alike else None,
        per_mtok_all=per_mtok(hour, every) if hour else None,
        wh_per_mtok_all=per_mtok(watts, every) if watts else None,
        as_of=_as_of(rent, bought if alike else None, prices.electricity if owned and alike else None),
        problems=tuple(_problems(fleet, rent, bought, prices)),
    )


def _problems(fleet: Fleet, rent: Price | None, bought: Price | None, prices: Prices) -> Iterator[Finding]:
    """What is missing, and where to put it."""
    if not fleet.tdp_w:
        yield power_problem(fleet.accelerator)
    if rent is None and bought is None:
        yield price_problem(fleet.accelerator)
    mixed_up = currency_problem(bought, prices.electricity) if bought and not rent else None
    if mixed_up:
        yield mixed_up


def _as_of(rent: Price | None, bought: Price | None, kwh: Price | None) -> dict[str, str]:
    rows = {"rent": rent, "purchase": bought, "electricity": kwh}
    return {name: price.as_of for name, price in rows.items() if price is not None}


def _power(fleet: Fleet, performance: Performance, copies: int, prices: Prices) -> Draw | None:
    """Watts at the meter: phases weighted by the time a request spends in each."""
    if not fleet.tdp_w:
        return None
    duty = duty_of(performance, copies)
    _, prefill, decode = shares(fleet, duty.batch, prices.power)
    return draw(fleet, mixed(prefill, decode, duty.prompt_time), prices.power)


def _owned(bought: Price, count: int, power: Estimate, prices: Prices) -> Estimate | None:
    """Depreciation and electricity of an hour; None where their currencies differ."""
    if bought.currency != prices.electricity.currency:
        return None
    device = bought.amount.scaled(count / (prices.power.ownership_months * HOURS_PER_MONTH))
    kwh = prices.electricity.amount
    low = device.low + power.low / KILO * kwh.low
    high = device.high + power.high / KILO * kwh.high
    value = device.value + power.value / KILO * kwh.value
    return Estimate(low, value, high, "assumed", {"device": device.value, "electricity": value - device.value})


class TrainingStage(NamedTuple):
    """One stage of a training run."""

    name: str
    device_hours: float


def training_cost(stages: tuple[TrainingStage, ...], per_device_hour: float) -> Estimate:
    """Money of a whole training run: device hours of its stages at one rent.

    DeepSeek-V3 (arXiv:2412.19437, table 1): 2.664 M + 0.119 M + 0.005 M H800 hours at $2 are $5.576 M.
    """
    terms = {stage.name: stage.device_hours * per_device_hour for stage in stages}
    return spread(sum(terms.values()), 0.0, 0.0, "formula", **terms)
