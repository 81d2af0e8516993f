"""An owned fleet against APIs, by utilisation and over the years, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.layout import columns_within, wrapped
from planner.cost.against import Comparison
from planner.cost.document import CostDocument
from planner.cost.ownership import Load
from planner.cost.scenarios import Course
from planner.estimate import Estimate
from planner.units import MEGA
from planner.words.money import amount, shown

_SHOWN = 3
"""APIs that stand beside the ladder of utilisations."""


def ladder_block(document: CostDocument, columns: int) -> str:
    """A million tokens at each utilisation, and who is cheaper."""
    if not document.sensitivity:
        return ""
    apis = document.apis[:_SHOWN]
    rows = [("used", "a month", "a million tokens", *(one.api.title for one in apis))]
    for load in document.sensitivity:
        cells = [f"{load.utilisation:.0%}", amount(load.month.value, load.month.currency), shown(load.per_mtok)]
        rows.append((*cells, *(_cheaper(load, one) for one in apis)))
    return "owned, by share of hours at full load\n" + columns_within(rows, columns, keys=1, indent="  ")


def _cheaper(load: Load, api: Comparison) -> str:
    if load.per_mtok is None:
        return "unknown"
    price = amount(api.per_mtok.value, api.per_mtok.currency)
    return f"{price}: {'own' if load.per_mtok.value < api.per_mtok.value else 'API'}"


def api_block(apis: tuple[Comparison, ...], columns: int) -> str:
    """Each API at the same tokens."""
    if not apis:
        return ""
    bought = apis[0].basis == "owned"
    head: tuple[str, ...] = (
        "API",
        "in / cached / out",
        "a million",
        "same month",
        "saved",
        "break-even a day",
        "as of",
    )
    if bought:
        head = (*head, "payback")
    table = columns_within([head, *(_row(one)[: len(head)] for one in apis)], columns, keys=1, indent="  ")
    notes = [wrapped(note, columns, indent="  ") for note in (*_tariffs(apis), *_remarks(apis))]
    way = "by owning" if bought else "by renting all month"
    return "\n".join([f"against APIs, for the same tokens {way}", table, *notes])


def _row(one: Comparison) -> tuple[str, ...]:
    api, unit = one.api, one.api.currency
    cached = "–" if api.cached is None else f"{api.cached:g}"
    return (
        api.title,
        f"{api.input:g} / {cached} / {api.output:g} {unit}",
        amount(one.per_mtok.value, unit),
        amount(one.month.value, unit),
        amount(one.saving.value, unit),
        _even(one.break_even_tokens_day, one.break_even_utilisation),
        api.date,
        _months(one.payback_months),
    )


def _even(tokens: Estimate | None, share: Estimate | None) -> str:
    if tokens is None or share is None:
        return "never"
    return f"{tokens.value / MEGA:,.0f} M = {share.value:.0%} of full load"


def _months(payback: Estimate | None) -> str:
    return f"{payback.value:,.0f} months ({payback.low:,.0f} – {payback.high:,.0f})" if payback else "never"


def _tariffs(apis: tuple[Comparison, ...]) -> Iterator[str]:
    """Prices that depend on the hour."""
    for one in apis:
        if one.tariff is None:
            continue
        cheap, dear, share = one.tariff.off_peak, one.tariff.peak, one.tariff.peak_share
        spread = f" ({share.low:.0%} – {share.high:.0%}: give --by-hour)" if share.low != share.high else ""
        yield (
            f"{one.api.title} by the hour: {cheap.input:g} / {cheap.output:g}, but {dear.input:g} / {dear.output:g} "
            f"{dear.currency} at {', '.join(one.tariff.hours_utc)} UTC; {share.value:.0%} of the load then{spread}"
        )


_MEANINGS = {
    "never-cheaper": "no dearer than the fleet's electricity alone",
    "beyond-capacity": "cheaper even at the fleet's full load",
    "no-payback": "nothing is saved at this load against",
}


def _remarks(apis: tuple[Comparison, ...]) -> Iterator[str]:
    """Each remark once, with all that it is of."""
    for rule, meaning in _MEANINGS.items():
        names = [one.api.title for one in apis if rule in {finding.rule for finding in one.findings}]
        if names:
            yield f"{meaning}: {', '.join(names)}"


def scenario_block(courses: tuple[Course, ...], columns: int) -> str:
    """What becomes of both over the years."""
    if not courses:
        return ""
    head = ("scenario", "demand", "API price", "efficiency", "full", "own cheaper", "own dearer", "own", "API")
    rows = [head, *(_course(one) for one in courses)]
    title = f"over the years, against {courses[0].api} (factors a year; money of the whole time)"
    return f"{title}\n" + columns_within(rows, columns, keys=1, indent="  ")


def _course(one: Course) -> tuple[str, ...]:
    s = one.scenario
    low, high = one.full_month_range
    full = _month(one.full_month)
    return (
        s.id,
        f"×{s.demand:g}",
        f"×{s.api_price:g}",
        f"×{s.efficiency:g}",
        full if low == high else f"{full} ({_month(low)} – {_month(high)})",
        f"from {_month(one.cheaper_month)}" if one.cheaper_month is not None else "never",
        f"from {_month(one.dearer_month)}" if one.dearer_month is not None else "never",
        shown(one.owned) if one.owned else amount(one.owned_total, one.currency),
        shown(one.bill) if one.bill else amount(one.api_total, one.currency),
    )


def _month(month: int | None) -> str:
    return "later" if month is None else "now" if month == 0 else f"month {month}"
