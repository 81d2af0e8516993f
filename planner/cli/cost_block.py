"""Money and power as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.cli.layout import pairs_within, width
from planner.cost.money import Money
from planner.words.money import plain, shown, watts

if TYPE_CHECKING:
    from planner.documents.result import Cost


def cost_rows(cost: Cost) -> Iterator[tuple[str, str]]:
    """Power and money of an estimate, each with its range and origin, and what is missing for the rest."""
    unit = cost.currency
    basis, told = f", {cost.basis}" if cost.basis else "", set[str]()
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
        if money and label not in told:
            told.add(label)
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
