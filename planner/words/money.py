"""Money and power as people read them."""

from __future__ import annotations

from planner.cost.money import Money
from planner.estimate import Estimate
from planner.units import KILO, MEGA

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def shown(money: Money | None) -> str:
    """``$21,400  ($9,100 – $41,000)``; "unknown" when nobody knows."""
    if money is None:
        return "unknown"
    low, value, high = (amount(x, money.currency) for x in (money.amount.low, money.amount.value, money.amount.high))
    return value if low == high else f"{value}  ({low} – {high})"


def amount(value: float, currency: str) -> str:
    """One amount, to about three digits."""
    sign = SIGNS.get(currency, f"{currency} ")
    minus = "-" if value < 0 else ""
    size = abs(value)
    if size >= 10 * MEGA:
        return f"{minus}{sign}{size / MEGA:,.1f} M"
    if size >= 100:
        return f"{minus}{sign}{size:,.0f}"
    return f"{minus}{sign}{size:,.2f}" if size >= 0.1 or size == 0 else f"{minus}{sign}{size:.3g}"


def watts(estimate: Estimate | None) -> str:
    """Watts or kilowatts with the range."""
    if estimate is None:
        return "unknown"
    values = _ends(estimate)
    big = estimate.value >= 10 * KILO
    low, value, high = (f"{v / KILO:,.1f}" if big else f"{v:,.0f}" for v in values)
    unit = "kW" if big else "W"
    return f"{value} {unit}  ({low} – {high})"


def plain(estimate: Estimate | None, unit: str = "", digits: int = 0) -> str:
    """A number with its range."""
    if estimate is None:
        return "unknown"
    low, value, high = (f"{v:,.{digits}f}" for v in (estimate.low, estimate.value, estimate.high))
    text = f"{value} {unit}".rstrip()
    return text if low == high else f"{text}  ({low} – {high})"


def figure(estimate: Estimate) -> str:
    """A number of any size to about three digits, with its range."""
    low, value, high = (f"{v:,.3g}" if abs(v) < 1000 else f"{v:,.0f}" for v in _ends(estimate))
    return value if low == high else f"{value} ({low} – {high})"


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.value, estimate.high
