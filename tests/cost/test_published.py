"""Accounts that others published, from their own inputs."""

from __future__ import annotations

import pytest

from planner.cost.api import bill, tokens_of
from planner.cost.published import fall_of, runs_of, serving_day, training_account
from planner.data import read_toml
from tests.cost.build import library

PUBLISHED = read_toml("cost/prices/published.toml")


def test_training_of_deepseek_v3_by_stage() -> None:
    """arXiv:2412.19437, table 1: $5.328M + $0.238M + $0.01M = $5.576M."""
    account = training_account(PUBLISHED["training"]["deepseek-v3"])
    assert account.value == pytest.approx(5_576_000) == pytest.approx(PUBLISHED["training"]["deepseek-v3"]["total"])
    assert dict(account.amount.terms) == pytest.approx(
        {"pre-training": 5_328_000, "context extension": 238_000, "post-training": 10_000}
    )


def test_a_day_of_deepseek() -> None:
    """226.75 nodes × 8 × 24 h × $2 = $87,072; the published speeds of a node explain the nodes to 0.2 %."""
    row = PUBLISHED["serving"]["deepseek-day"]
    day = serving_day(row)
    assert day.cost.value == pytest.approx(87_072) == pytest.approx(row["total"])
    assert day.prefill_nodes + day.decode_nodes == pytest.approx(226.75, rel=0.002)
    assert day.per_mtok.value == pytest.approx(0.1122, abs=1e-4)
    assert day.per_mtok_input.value == pytest.approx(0.0603, abs=1e-4)
    assert day.per_mtok_output.value == pytest.approx(0.3001, abs=2e-4)


def test_the_theoretical_revenue_of_that_day() -> None:
    """608 G tokens in, 342 G of them cached, 168 G out at the list price of R1: published as $562,027."""
    row = PUBLISHED["serving"]["deepseek-day"]
    price = next(p for p in library().cost_data.history if p.model == row["revenue_model"])
    usage = tokens_of(row["input_tokens"] / 1e6, row["cached_input_tokens"] / 1e6, row["output_tokens"] / 1e6)
    assert bill(price, usage).value == pytest.approx(row["revenue"], rel=5e-4)


def test_one_grade_of_model_trained_again() -> None:
    """43,000 to 73 USD in seven years: a 589th, 2.5 times less each year."""
    fall = fall_of(PUBLISHED["fall"]["gpt-2"])
    assert fall.factor == pytest.approx(589, abs=1)
    assert fall.per_year**fall.years == pytest.approx(fall.factor)
    with pytest.raises(ValueError, match="two years"):
        fall_of({"runs": [{"year": 2020, "amount": 1.0}], "currency": "USD"})


def test_hours_of_generations_at_one_rent() -> None:
    runs = {model: (hours, money.value) for model, hours, money in runs_of(PUBLISHED["hours"])}
    assert runs["DeepSeek-V3"] == (2_788_000, 5_576_000)
    assert runs["Llama 3.1 405B"][1] / runs["DeepSeek-V3"][1] == pytest.approx(11.06, abs=0.01)
