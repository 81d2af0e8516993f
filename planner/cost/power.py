"""Power, energy and money of a serving deployment.

power = (devices · board power · share by phase + host) · PUE. Per million output tokens: energy in Wh is
power / (tokens/s) · 1e6 / 3600, money is the amount per hour / (tokens/s) · 1e6 / 3600; the amount is the rent, or
depreciation plus electricity where only a purchase price is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.cost.prices_loader import Price, Prices
from planner.documents.result import Cost, Performance
from planner.estimate import Estimate, spread
from planner.resolved import Resolved
from planner.units import HOURS_PER_MONTH, KILO, MEGA, SECONDS_PER_HOUR


def power_and_cost(resolved: Resolved, performance: Performance, prices: Prices) -> Cost:
    """What it draws and costs at the load; None where board power, price or load is unknown."""
    device = resolved.cluster.device.accelerator
    devices = resolved.serving.gpus if device else 0
    power = _power(resolved, performance, prices)
    rate = performance.output_tok_s
    hour = _per_hour(resolved, power, prices)
    currency = hour[1] if hour else "USD"
    return Cost(
        power_w=power,
        wh_per_mtok=_per_mtok(power, rate) if devices or power else None,
        per_mtok=_per_mtok(hour[0], rate) if hour else None,
        per_month=hour[0].scaled(HOURS_PER_MONTH) if hour else None,
        currency=currency,
    )


def _power(resolved: Resolved, performance: Performance, prices: Prices) -> Estimate | None:
    """Watts at the meter: phases weighted by the time a request spends in each."""
    device = resolved.cluster.device.accelerator
    if device is None or not device.tdp_w:
        return None
    facts = prices.power
    share = facts.decode_share + (facts.prefill_share - facts.decode_share) * _prefill_time(resolved, performance)
    devices, nodes = resolved.serving.gpus, resolved.cluster.nodes
    board = devices * device.tdp_w * share
    host = nodes * facts.host_base_w + devices * facts.host_per_device_w
    pue = facts.pue
    value = (board + host) * pue.value
    low = (board * 0.75 + host * 0.6) * pue.low
    high = (min(board * 1.25, devices * device.tdp_w) + host * 1.6) * pue.high
    return Estimate(low, value, max(high, value), "assumed", {"devices": board, "host": host, "pue": pue.value})


def _prefill_time(resolved: Resolved, performance: Performance) -> float:
    """Share of the device's time that goes to prompts."""
    step = performance.tpot_s
    if step is None or step.value <= 0:
        return 1.0
    return min(max(step.terms.get("prompts_of_others", 0.0) / step.value, 0.0), 1.0)


def _per_hour(resolved: Resolved, power: Estimate | None, prices: Prices) -> tuple[Estimate, str] | None:
    """Rent where an offer is known (it includes power), else depreciation and electricity."""
    device = resolved.cluster.device.accelerator
    if device is None:
        return None
    count = resolved.serving.gpus
    rent = prices.rental.get(device.id)
    if rent is not None:
        return rent.amount.scaled(count), rent.currency
    bought = prices.purchase.get(device.id)
    if bought is None or power is None or bought.currency != prices.electricity.currency:
        return None
    return _owned(bought, count, power, prices), bought.currency


def _owned(bought: Price, count: int, power: Estimate, prices: Prices) -> Estimate:
    hours = prices.power.ownership_months * HOURS_PER_MONTH
    device = bought.amount.scaled(count / hours)
    kwh = prices.electricity.amount
    low = device.low + power.low / KILO * kwh.low
    high = device.high + power.high / KILO * kwh.high
    value = device.value + power.value / KILO * kwh.value
    return Estimate(low, value, high, "assumed", {"device": device.value, "electricity": value - device.value})


def _per_mtok(hour: Estimate | None, rate: Estimate | None) -> Estimate | None:
    """An hourly amount (or watts) for a million output tokens."""
    if hour is None or rate is None or rate.value <= 0 or rate.low <= 0:
        return None
    tokens = MEGA / SECONDS_PER_HOUR
    return Estimate(
        hour.low / rate.high * tokens, hour.value / rate.value * tokens, hour.high / rate.low * tokens, "assumed"
    )


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """One stage of a training run."""

    name: str
    device_hours: float


def training_cost(stages: tuple[TrainingStage, ...], per_device_hour: float) -> Estimate:
    """Money of a whole training run: device hours of its stages at one rent.

    DeepSeek-V3 (arXiv:2412.19437, table 1): 2.664 M + 0.119 M + 0.005 M H800 hours at $2 are $5.576 M.
    """
    terms = {stage.name: stage.device_hours * per_device_hour for stage in stages}
    return spread(sum(terms.values()), 0.0, 0.0, "formula", **terms)
