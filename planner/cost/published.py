"""Accounts that others published, computed again from their own inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.cost.money import Money
from planner.cost.power import TrainingStage, training_cost
from planner.estimate import exact
from planner.units import MEGA, SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class ServingDay:
    """A day of serving: what it cost, and per million tokens.

    Nodes for prompts and answers are tokens over the speed of a node; their shares split the money.
    """

    cost: Money
    per_mtok: Money
    """Of all tokens, cached ones included."""
    per_mtok_input: Money
    per_mtok_output: Money
    prefill_nodes: float
    decode_nodes: float
    as_of: str


def training_account(row: Mapping[str, Any]) -> Money:
    """Money of a training run by stage, from a ``[training.*]`` table of ``published.toml``."""
    stages = tuple(TrainingStage(stage["name"], stage["device_hours"]) for stage in row["stages"])
    return Money(training_cost(stages, row["per_device_hour"]), row["currency"])


def serving_day(row: Mapping[str, Any]) -> ServingDay:
    """A day of serving, from a ``[serving.*]`` table of ``published.toml``."""
    unit, seconds = row["currency"], row["hours"] * SECONDS_PER_HOUR
    devices = row["nodes"] * row["per_node"]
    cost = devices * row["hours"] * row["per_device_hour"]
    prefill = row["input_tokens"] / row["prefill_tok_s_per_node"] / seconds
    decode = row["output_tokens"] / row["decode_tok_s_per_node"] / seconds
    share = prefill / (prefill + decode)

    def per_million(amount: float, tokens: float) -> Money:
        return Money(exact(amount / tokens * MEGA, "published"), unit)

    return ServingDay(
        cost=Money(exact(cost, "published", devices=devices, hours=row["hours"], rent=row["per_device_hour"]), unit),
        per_mtok=per_million(cost, row["input_tokens"] + row["output_tokens"]),
        per_mtok_input=per_million(cost * share, row["input_tokens"]),
        per_mtok_output=per_million(cost * (1 - share), row["output_tokens"]),
        prefill_nodes=prefill,
        decode_nodes=decode,
        as_of=f"{row['date']}: {row['source']}",
    )


@dataclass(frozen=True, slots=True)
class Fall:
    """How the cost of one grade of model fell between its first and its last published training."""

    first: Money
    last: Money
    years: float
    factor: float
    """Of the first over the last."""
    per_year: float
    """The factor of one year, if it fell evenly."""


def fall_of(row: Mapping[str, Any]) -> Fall:
    """From a ``[fall.*]`` table of ``published.toml``. Raises ValueError for runs of one year."""
    runs = sorted(row["runs"], key=lambda run: run["year"])
    first, last = runs[0], runs[-1]
    years = float(last["year"] - first["year"])
    if years <= 0 or last["amount"] <= 0:
        raise ValueError("a fall needs two years and amounts above zero")
    factor = first["amount"] / last["amount"]

    def money(amount: float) -> Money:
        return Money(exact(amount, "published"), row["currency"])

    return Fall(money(first["amount"]), money(last["amount"]), years, factor, factor ** (1 / years))


def runs_of(table: Mapping[str, Any]) -> tuple[tuple[str, float, Money], ...]:
    """Model, device hours and money of each run of the ``[hours]`` table, all at its one rent."""
    rent = table["per_device_hour"]
    return tuple(
        (run["model"], run["device_hours"], Money(exact(run["device_hours"] * rent, "published"), table["currency"]))
        for run in table["runs"]
    )
