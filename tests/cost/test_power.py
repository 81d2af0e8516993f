"""Power and money: a published account, bounds, and unknown facts that stay unknown."""

from __future__ import annotations

import pytest

from planner.cost.power import TrainingStage, training_cost
from planner.cost.prices_loader import load_prices
from planner.data import read_toml


def test_deepseek_v3_training_account() -> None:
    """arXiv:2412.19437: 2664K + 119K + 5K H800 hours at $2 an hour are $5.576M."""
    stages = (
        TrainingStage("pre-training", 2_664_000),
        TrainingStage("context extension", 119_000),
        TrainingStage("post-training", 5_000),
    )
    cost = training_cost(stages, 2.0)
    assert cost.value == pytest.approx(5_576_000)
    assert sum(cost.terms.values()) == pytest.approx(cost.value)


def test_prices_are_ordered_and_dated() -> None:
    prices = load_prices(read_toml)
    for price in (*prices.rental.values(), *prices.purchase.values(), prices.electricity):
        assert 0 < price.amount.low <= price.amount.value <= price.amount.high
        assert price.date
        assert price.source


def test_newer_generations_rent_for_more() -> None:
    rental = load_prices(read_toml).rental
    order = ["rtx-4090", "a100-sxm-80gb", "h100-sxm-80gb", "b200-sxm"]
    values = [rental[name].amount.value for name in order]
    assert values == sorted(values)
