"""Money and power as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.cli.layout import pairs_within, width
from planner.cost.money import Money
from planner.estimate import Estimate
from planner.units import KILO, MEGA

if TYPE_CHECKING:
    from planner.documents.result import Cost

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


def cost_rows(cost: Cost) -> Iterator[tuple[str, str]]:
    """Power and money of an estimate, each with its range and origin, and what is missing for the rest."""
    unit = cost.currency
    basis = f", {cost.basis}" if cost.basis else ""
    if cost.power_w:
        yield "power, at the meter", f"{watts(cost.power_w)}  {cost.power_w.origin}"
    rows = (
        ("a million output", cost.wh_per_mtok, "Wh"),
        ("a million tokens", cost.wh_per_mtok_all, "Wh"),
    )
    for label, wh, name in rows:
        if wh:
            yield label, f"{plain(wh, name)}  {wh.origin}"
    for label, money in (
        (f"a month{basis}", cost.per_month),
        (f"a million output{basis}", cost.per_mtok),
        (f"a million tokens{basis}", cost.per_mtok_all),
        ("devices, bought", cost.purchase),
        ("a month, owned", cost.owned_per_month),
        ("a million output, owned", cost.owned_per_mtok),
    ):
        if money and not (label == "a month, owned" and cost.basis == "owned"):
            yield label, f"{shown(Money(money, unit))}  {money.origin}"
    for name, text in cost.as_of.items():
        yield f"as of: {name}", text
    for problem in cost.problems:
        yield "unknown", f"{problem.message} → {problem.fix}"


def cost_block(cost: Cost, title: str = "cost") -> str:
    """Power and money; prices are dated facts, none of them is current."""
    rows = list(cost_rows(cost))
    return f"{title} (dated prices, none is current; the cost verb has the whole account)\n" + (
        pairs_within(rows, width()) if rows else "  unknown: neither power nor price is known"
    )


def figure(estimate: Estimate) -> str:
    """A number of any size to about three digits, with its range."""
    low, value, high = (f"{v:,.3g}" if abs(v) < 1000 else f"{v:,.0f}" for v in _ends(estimate))
    return value if low == high else f"{value} ({low} – {high})"


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.value, estimate.high
