"""The account of a plan as rows: power, owning, renting, APIs; the assumptions that a person may change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui import text
from tui.explain import Explanation
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.cost.against import Comparison
    from planner.cost.document import CostDocument
    from planner.cost.money import Money
    from planner.cost.ownership import Account, Load, Rent
    from planner.estimate import Estimate

COLUMNS = (
    Column("part", "  Part", 26, elastic=True),
    Column("value", "Value", 13, right=True),
    Column("range", "Range", 22, need=1),
    Column("origin", "Origin", 9, need=2),
)


def cost_rows(document: CostDocument) -> Iterator[Row]:
    """Everything, the most asked first; a row that is a heading has no value."""
    if document.owned is not None:
        yield from _owned_rows(document.owned)
    if document.rented is not None:
        yield from _rented_rows(document.rented)
    if document.apis:
        yield _heading("api", "Against APIs, for the same tokens")
        for number, one in enumerate(document.apis):
            yield from _api_rows(f"api{number}", one)
    if document.power is not None:
        yield from _power_rows(document)
    for number, finding in enumerate(document.problems):
        about = finding.message + (f" → {finding.fix}" if finding.fix else "")
        yield Row(f"problem{number}", {"part": f"! {finding.message}"}, about)


def _heading(key: str, words: str) -> Row:
    return Row(f"head-{key}", {"part": words}, words)


def _owned_rows(account: Account) -> Iterator[Row]:
    yield _heading("owned", f"Owned, written off over {account.years:g} years")
    yield from _load_rows("owned", f"at {account.real.utilisation:.0%} of the hours", account.real)
    yield from (_money(f"month-{name}", f"    of which {name}", money) for name, money in account.monthly.items())
    yield from _load_rows("full", "at all hours", account.full)
    yield _money("purchase", "  to buy, together", account.purchase_total)
    yield from (_money(f"buy-{name}", f"    {name}", money) for name, money in account.purchase.items())


def _load_rows(key: str, words: str, load: Load) -> Iterator[Row]:
    yield _money(f"{key}-month", f"  a month, {words}", load.month)
    for name, label, money in (
        ("all", "a million tokens, in and out", load.per_mtok),
        ("output", "a million output tokens", load.per_mtok_output_only),
    ):
        if money is not None:
            yield _money(f"{key}-{name}", f"    {label}", money)


def _rented_rows(rent: Rent) -> Iterator[Row]:
    yield _heading("rented", "Rented, the same devices")
    yield _money("rent-hour", "  an hour", rent.per_hour)
    yield from _load_rows("reserved", "kept all the time", rent.reserved)
    yield from _load_rows("hourly", "given back when idle", rent.by_the_hour)


def _api_rows(key: str, one: Comparison) -> Iterator[Row]:
    yield _money(f"{key}-mtok", f"  {one.api.title}, a million", one.per_mtok)
    yield _money(f"{key}-month", "    a month, this load", one.month)
    even = one.break_even_utilisation
    if even is None or even.low > 1:
        more = f", at {even.value:.0f} times all hours" if even is not None else ""
        yield Row(f"{key}-even", {"part": "    owning is cheaper", "value": "never"}, f"{one.as_of}{more}")
    else:
        yield _estimate(f"{key}-even", "    owning is cheaper from", even, "%")


def _power_rows(document: CostDocument) -> Iterator[Row]:
    power, energy = document.power, document.energy
    if power is None:
        return
    yield _heading("power", "Power, at the meter")
    yield _estimate("load", "  at this load", power.load.total, "W")
    yield _estimate("load-devices", "    of which accelerators", power.load.devices, "W")
    yield _estimate("load-facility", "    of which building", power.load.facility, "W")
    yield _estimate("prefill", "  while reading prompts", power.prefill.total, "W")
    yield _estimate("idle", "  idle", power.idle.total, "W")
    if energy is not None and energy.per_mtok is not None:
        yield _estimate("energy", "  energy of a million tokens", energy.per_mtok, "Wh")
    if document.site is not None:
        site = document.site
        yield Row("racks", {"part": "  room", "value": f"{site.rack_units} RU"}, "rack units of all servers")


def _money(key: str, words: str, money: Money) -> Row:
    return _estimate(key, words, money.amount, money.currency)


def _estimate(key: str, words: str, estimate: Estimate, unit: str) -> Row:
    cells = {
        "part": words,
        "value": text.shown(estimate.value, unit),
        "range": text.span(estimate, unit) or "exact",
        "origin": estimate.origin,
    }
    return Row(key, cells, f"{words.strip()}: {cells['value']}, {cells['range']}, {estimate.origin}")


def sources(document: CostDocument, row: str, value: Row | None) -> Explanation:
    """A row in full, with the date and source of every price behind it."""
    rows = tuple((label.strip(), value.cells.get(key, "")) for key, label in _LABELS if value and value.cells.get(key))
    own = {name: said for name, said in document.as_of.items() if _concerns(name, row)}
    assumed = tuple(f"assumed: {key.removeprefix('cost.')} {said}" for key, said in document.assumed.items()
                    if key.startswith("cost."))  # fmt: skip
    dated = tuple(f"{name}: {said}" for name, said in (own or dict(document.as_of)).items())
    return Explanation(value.about if value else row, "Prices are dated facts, none of them is current.", rows,
                       (*dated, *assumed))  # fmt: skip


_LABELS = tuple((column.key, column.label) for column in COLUMNS)


def _concerns(name: str, row: str) -> bool:
    """Whether a source is behind a row: APIs and power have their own, the rest is of owning."""
    if row.startswith("api"):
        return name.startswith("API ")
    if row.startswith(("rent", "reserved", "hourly")):
        return name == "rent"
    power = row in ("load", "load-devices", "load-facility", "prefill", "idle", "energy")
    return name.startswith("power ") == power and not name.startswith("API ") and name != "rent"
