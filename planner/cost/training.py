"""Energy and money of a training run.

energy = hours · watts at the meter, with a share of board power that computing keeps up; money = GPU hours · rent, or
depreciation and electricity where only a purchase price is known.
"""

from __future__ import annotations

from dataclasses import replace

from planner.cost.energy import draw
from planner.cost.fleet import make_fleet
from planner.cost.money import product
from planner.cost.prices_loader import Price, Prices
from planner.cost.short import currency_problem, price_problem
from planner.documents.result import Cost, FinetuneResult
from planner.estimate import Estimate
from planner.resolved import Resolved
from planner.units import HOURS_PER_MONTH, KILO

BOARD_SHARE = Estimate(0.64, 0.85, 1.0, "assumed")
"""Of the board power while training: products keep the chip busy, exchanges and input let it rest."""


def energy_and_money(resolved: Resolved, result: FinetuneResult, prices: Prices) -> FinetuneResult:
    """``result`` with energy and money of the whole run; unchanged where its length is not given."""
    hours, device = result.hours, resolved.cluster.device.accelerator
    if hours is None or device is None:
        return result
    watts = power_w(resolved, prices)
    energy = _times(watts, hours) if watts else None
    money = _money(resolved, hours, energy, prices)
    if money is None:
        return replace(result, energy_wh=energy)
    return replace(result, energy_wh=energy, money=money[0], currency=money[1])


def training_cost_of(resolved: Resolved, prices: Prices) -> Cost | None:
    """Power and what its money rests on; None on a machine without accelerators."""
    device = resolved.cluster.device.accelerator
    if device is None:
        return None
    rent, bought = prices.rental.get(device.id), prices.purchase.get(device.id)
    known = rent or bought
    watts = power_w(resolved, prices)
    problem = price_problem(device.id) if known is None else None
    if known is not None and rent is None:
        problem = currency_problem(known, prices.electricity)
    rows = {"rent": rent} if rent else {"purchase": bought, "electricity": prices.electricity} if bought else {}
    return Cost(
        power_w=watts,
        currency=known.currency if known else "USD",
        basis="rented" if rent else "owned" if bought and watts and not problem else "",
        as_of={name: price.as_of for name, price in rows.items() if price},
        problems=(problem,) if problem else (),
    )


def power_w(resolved: Resolved, prices: Prices) -> Estimate | None:
    """Watts at the meter of all devices and hosts while training; None where the board power is unknown."""
    device, cluster = resolved.cluster.device.accelerator, resolved.cluster
    if device is None or not device.tdp_w:
        return None
    return draw(make_fleet(device, cluster.num_devices, cluster.nodes), BOARD_SHARE, prices.power).total


def _times(first: Estimate, second: Estimate) -> Estimate:
    """The product, with the terms of the first as they are."""
    return product(first, second).with_terms(first.terms)


def _money(resolved: Resolved, hours: Estimate, energy: Estimate | None, prices: Prices) -> tuple[Estimate, str] | None:
    device = resolved.cluster.device.accelerator
    if device is None:
        return None
    gpu_hours = hours.scaled(resolved.cluster.num_devices)
    rent = prices.rental.get(device.id)
    if rent is not None:
        return _times(rent.amount, gpu_hours), rent.currency
    bought = prices.purchase.get(device.id)
    if bought is None or energy is None or bought.currency != prices.electricity.currency:
        return None
    return _owned(bought, gpu_hours, energy, prices), bought.currency


def _owned(bought: Price, gpu_hours: Estimate, energy: Estimate, prices: Prices) -> Estimate:
    """Depreciation of the hours used, and the electricity."""
    hourly = bought.amount.scaled(1 / (prices.power.ownership_months * HOURS_PER_MONTH))
    used, kwh = _times(hourly, gpu_hours), prices.electricity.amount
    return Estimate(
        used.low + energy.low / KILO * kwh.low,
        used.value + energy.value / KILO * kwh.value,
        used.high + energy.high / KILO * kwh.high,
        "assumed",
        {"device": used.value, "electricity": energy.value / KILO * kwh.value},
    )
