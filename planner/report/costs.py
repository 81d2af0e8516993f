"""What the choice costs: power, money, APIs beside it, every assumption and every date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from planner.documents.result import Cost, FinetuneResult
from planner.report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from planner.report.material import Material
from planner.report.words import FIGURE_HEAD, cells, clean, figure_row, number, shower
from planner.words.money import amount, figure

if TYPE_CHECKING:
    from planner.cost.document import CostDocument
    from planner.cost.money import Money


def cost(material: Material) -> Section:
    """Power and money, every price with its date."""
    chosen = material.chosen
    estimate = chosen.estimate if chosen else None
    if estimate is not None and estimate.finetune is not None:
        return Section("Cost and power", tuple(_training_cost(estimate.finetune, estimate.cost)))
    if estimate is None or estimate.cost is None:
        return Section("Cost and power", (Paragraph("Unknown: a price, a power or a speed is missing."),))
    blocks: list[Block] = [Table("Of the devices in use", FIGURE_HEAD, _cost_rows(estimate.cost))]
    if material.account is not None and material.account.owned is not None:
        blocks.append(_owned(material.account))
        if material.account.apis:
            blocks.append(_against(material.account))
        blocks.append(_assumptions(material.account))
    blocks += _missing(estimate.cost)
    as_of = dict(estimate.cost.as_of)
    if material.account is not None:
        as_of |= {k: text for k, text in material.account.as_of.items() if k not in as_of}
    blocks += _dated(as_of)
    return Section("Cost and power", tuple(blocks))


def _missing(given: Cost) -> Iterator[Block]:
    """What nobody knows, and what to do about it."""
    if given.problems:
        lines = tuple(clean(f"{problem.message}: {problem.fix}") for problem in given.problems)
        yield Bullets(lines, "Unknown")


def _dated(as_of: Mapping[str, str]) -> Iterator[Block]:
    if as_of:
        rows = tuple(cells(key, text) for key, text in as_of.items())
        yield Table("Prices are dated facts, none of them is current", ("price", "date and source"), rows)


def _against(account: CostDocument) -> Table:
    """APIs that sell the model, at the same tokens."""
    rows = []
    for one in account.apis:
        even, money = one.break_even_utilisation, partial(amount, currency=one.api.currency)
        rows.append(
            (
                *cells(one.api.title, one.api.date),
                number(one.per_mtok.value, money),
                number(one.month.value, money),
                number(one.saving.value, money),
                number(even.value if even else None, lambda value: f"{value:.0%}"),
            )
        )
    head = ("API", "as of", "a million tokens", "a month", "saved by owning", "break-even share of full load")
    return Table("Against APIs, for the same tokens", head, tuple(rows))


def _assumptions(account: CostDocument) -> Table:
    """Every assumption by name, with the option that replaces it."""
    rows = tuple(
        cells(row.label, f"{figure(row.value)} {row.unit}", row.option, row.source) for row in account.assumptions
    )
    return Table("Assumptions", ("assumption", "value", "option of cost", "source"), rows)


def _cost_rows(given: Cost) -> tuple[tuple[Cell, ...], ...]:
    basis = f", {given.basis}" if given.basis else ""
    money = lambda value: amount(value, given.currency)  # noqa: E731
    return (
        figure_row("power at the meter", given.power_w, shower("W")),
        figure_row("energy of a million output tokens", given.wh_per_mtok, shower("Wh")),
        figure_row(f"a month{basis}", given.per_month, money),
        figure_row(f"a million output tokens{basis}", given.per_mtok, money),
        figure_row("a million tokens of both kinds", given.per_mtok_all, money),
        figure_row("purchase of the devices, servers apart", given.purchase, money),
        figure_row("a month, owned: depreciation of devices, electricity", given.owned_per_month, money),
        figure_row("a million output tokens, owned", given.owned_per_mtok, money),
    )


def _owned(account: CostDocument) -> Table:
    owned = account.owned
    if owned is None:
        return Table("", FIGURE_HEAD, ())
    rows = [_money_row(f"buy: {name}", money) for name, money in owned.purchase.items()]
    rows.append(_money_row("buy, together", owned.purchase_total))
    rows += [_money_row(f"a month: {name}", money) for name, money in owned.monthly.items()]
    rows.append(_money_row(f"a month, together, at {owned.real.utilisation:.0%} use", owned.real.month))
    if owned.real.per_mtok is not None:
        rows.append(_money_row("a million tokens of both kinds at that use", owned.real.per_mtok))
    return Table(f"The whole account, owned over {owned.years:g} years", FIGURE_HEAD, tuple(rows))


def _money_row(label: str, money: Money) -> tuple[Cell, ...]:
    return figure_row(clean(label), money.amount, lambda value: amount(value, money.currency))


def _training_cost(result: FinetuneResult, given: Cost | None) -> Iterator[Block]:
    rows = [
        figure_row("energy of the run", result.energy_wh, shower("Wh")),
        figure_row("money of the run", result.money, lambda value: amount(value, result.currency)),
    ]
    if given is not None:
        rows.insert(0, figure_row("power at the meter", given.power_w, shower("W")))
    yield Table("Of the whole run", FIGURE_HEAD, tuple(rows))
    if given is not None:
        yield from _missing(given)
        yield from _dated(given.as_of)
