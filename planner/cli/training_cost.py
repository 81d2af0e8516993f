"""Energy and money of a training run as plain text: ranges, origins, dated prices, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.cost_block import cost_rows
from planner.cli.layout import pairs_within, width
from planner.cost.money import Money
from planner.documents.result import EstimateDocument, FinetuneResult
from planner.units import KILO
from planner.words.money import shown


def energy_and_money_rows(result: FinetuneResult) -> Iterator[tuple[str, str]]:
    """Of the whole run, where its length is known."""
    if result.energy_wh is not None:
        energy = result.energy_wh.scaled(1 / KILO)
        yield "energy", f"{energy.value:,.1f} kWh  ({energy.low:,.1f} – {energy.high:,.1f})  {energy.origin}"
    if result.money is not None:
        yield "cost", f"{shown(Money(result.money, result.currency))}  {result.money.origin}"


def training_cost_block(estimate: EstimateDocument) -> str:
    """What the first proposal costs; empty where no run was asked for."""
    if estimate.finetune is None or estimate.cost is None:
        return ""
    rows = [*energy_and_money_rows(estimate.finetune), *cost_rows(estimate.cost)]
    return "what the first costs (dated prices, none is current)\n" + pairs_within(rows, width()) if rows else ""
