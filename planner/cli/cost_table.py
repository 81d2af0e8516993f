"""The account of a deployment as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.cost_api_table import api_block, ladder_block, scenario_block
from planner.cli.cost_power_table import outage_block, power_block
from planner.cli.layout import pairs_within, width, wrapped
from planner.cli.tables import finding_line
from planner.cost.document import Assumption, CostDocument
from planner.cost.ownership import Account, Load, Rent
from planner.units import human_count
from planner.words.money import figure, shown


def cost_table(document: CostDocument, columns: int | None = None) -> str:
    """The whole account, as wide as the terminal."""
    return "\n\n".join(block for block in _blocks(document, columns or width()) if block)


def _blocks(document: CostDocument, columns: int) -> Iterator[str]:
    title = document.fleet.title if document.fleet else "no accelerators"
    yield f"cost of {title}: {document.verdict}\nprices are dated facts (below), none of them is current"
    yield _in_short(document, columns)
    yield power_block(document, columns)
    yield outage_block(document, columns)
    if document.owned:
        yield _owned(document.owned, columns)
    if document.rented:
        yield _rented(document.rented, columns)
    yield ladder_block(document, columns)
    yield api_block(document.apis, columns)
    yield api_block(document.rented_apis, columns)
    yield scenario_block(document.scenarios, columns)
    if document.problems:
        yield "problems\n" + "\n".join(
            wrapped(finding_line(f).strip(), columns, indent="  ") for f in document.problems
        )
    if document.assumptions:
        yield "assumptions, and the options that replace them\n" + pairs_within(
            [_assumption(row) for row in document.assumptions], columns
        )
    others = [(k, str(v)) for k, v in sorted(document.assumed.items()) if not k.startswith("cost.")]
    if others:
        yield "assumed of the deployment\n" + pairs_within(others, columns)
    named = {row.source for row in document.assumptions}
    rest = [(name, text) for name, text in document.as_of.items() if text not in named and name != "people"]
    if rest:
        yield "as of\n" + pairs_within(rest, columns)


def _in_short(document: CostDocument, columns: int) -> str:
    """What most people ask first."""
    rows = []
    if document.owned:
        real = document.owned.real
        rows.append(("to buy", shown(document.owned.purchase_total)))
        rows.append((f"a month, {real.utilisation:.0%} used", shown(real.month)))
        rows.append(("a million tokens", shown(real.per_mtok)))
    if document.output_tok_s:
        made = document.output_tok_s
        text = f"{human_count(made.value)} tokens/s out  ({human_count(made.low)} – {human_count(made.high)})"
        rows.append(("at full load", text))
    for one in document.apis[:1]:
        cheaper = one.saving.value > 0
        money = one.saving if cheaper else one.saving.negated()
        text = f"{'cheaper' if cheaper else 'dearer'} than {one.api.title} by {shown(money)} a month"
        rows.append(("owning is", text))
    return "in short\n" + pairs_within(rows, columns) if rows else ""


def _assumption(row: Assumption) -> tuple[str, str]:
    return row.option, f"{row.label}: {figure(row.value)} {row.unit} — {row.source}"


def _owned(account: Account, columns: int) -> str:
    rows = [(f"buy {name}", shown(money)) for name, money in account.purchase.items()]
    rows.append(("buy, together", shown(account.purchase_total)))
    rows += [(f"a month: {name}", shown(money)) for name, money in account.monthly.items()]
    for load in (account.real, account.full) if account.real.utilisation < 1 else (account.real,):
        rows += _load(load, f"at {load.utilisation:.0%}")
    if account.idle:
        rows.append(("of which for idle hours", shown(account.idle)))
    return f"owned over {account.years:g} years\n" + pairs_within(rows, columns)


def _load(load: Load, label: str) -> list[tuple[str, str]]:
    return [
        (f"{label}: a month", shown(load.month)),
        (f"{label}: a million tokens", shown(load.per_mtok)),
        ("  input", shown(load.per_mtok_input)),
        ("  output", shown(load.per_mtok_output)),
        ("  all laid on output", shown(load.per_mtok_output_only)),
    ]


def _rented(rent: Rent, columns: int) -> str:
    rows = [
        ("an hour", shown(rent.per_hour)),
        ("kept all month", shown(rent.reserved.month)),
        ("  a million tokens", shown(rent.reserved.per_mtok)),
        ("  of which for idle hours", shown(rent.idle)),
        (f"by the hour, {rent.open_share:.0%} of them", shown(rent.by_the_hour.month)),
        ("  a million tokens", shown(rent.by_the_hour.per_mtok)),
    ]
    return "rented\n" + pairs_within(rows, columns)
