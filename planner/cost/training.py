"""Energy and money of a training run.

energy = GPU hours · board power · share + hosts, times PUE; money = GPU hours · rent, or depreciation and electricity
where only a purchase price is known.
"""

from __future__ import annotations

from dataclasses import replace

from planner.cost.prices_loader import Price, Prices
from planner.documents.result import FinetuneResult
from planner.estimate import Estimate
from planner.resolved import Resolved
from planner.units import HOURS_PER_MONTH, KILO

BOARD_SHARE = 0.85
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


def power_w(resolved: Resolved, prices: Prices) -> Estimate | None:
    """Watts at the meter of all devices and hosts while training; None where the board power is unknown."""
    device, cluster, facts = resolved.cluster.device.accelerator, resolved.cluster, prices.power
    if device is None or not device.tdp_w:
        return None
    board = cluster.num_devices * device.tdp_w
    host = cluster.nodes * facts.host_base_w + cluster.num_devices * facts.host_per_device_w
    value = (board * BOARD_SHARE + host) * facts.pue.value
    low = (board * BOARD_SHARE * 0.75 + host * 0.6) * facts.pue.low
    high = (board + host * 1.6) * facts.pue.high
    terms = {"devices": board * BOARD_SHARE, "host": host, "pue": facts.pue.value}
    return Estimate(low, value, max(high, value), "assumed", terms)


def _times(first: Estimate, second: Estimate) -> Estimate:
    return Estimate(
        first.low * second.low, first.value * second.value, first.high * second.high, "assumed", dict(first.terms)
    )


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
