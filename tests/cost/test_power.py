"""Power and money: a published account, bounds, and unknown facts that stay unknown."""

from __future__ import annotations

import pytest

from planner.cost.energy import plug_of, power_of
from planner.cost.fleet import Duty, make_fleet
from planner.cost.power import TrainingStage, training_cost
from planner.cost.prices_loader import load_prices
from planner.data import read_toml
from tests.cost.build import library


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


def test_a_board_of_eight_h100_draws_what_was_measured() -> None:
    """76 % of 10.2 kW in full work, 8.4 kW at most (arXiv:2506.14551, arXiv:2412.08602); at the plugs, PUE apart."""
    prices, row = load_prices(read_toml), library().database.accelerator("h100-sxm-80gb")
    power = power_of(make_fleet(row, 8, 1), Duty(1.0, None), prices.power)
    assert power is not None
    plug = plug_of(power)
    assert plug.value == pytest.approx(0.76 * 10_200, rel=0.03)
    assert plug.low < 8_400 < plug.high


def test_decode_draws_more_the_more_requests_a_step_holds() -> None:
    """300 W at batch 1, 600 W at 128 of 700 W (ML.ENERGY v3.0) and 137-300 W up to 32 (arXiv:2605.11999) lie inside."""
    facts = load_prices(read_toml).power
    shares = [facts.decode_share("HBM3", batch) for batch in (0.5, 1, 8, 32, 64, 128, 512, 4096)]
    assert [s.value for s in shares] == sorted(s.value for s in shares)
    one, many = facts.decode_share("HBM3", 1), facts.decode_share("HBM3", 128)
    assert one.low <= 137 / 700 + 0.01 and one.high >= 300 / 700
    assert many.low <= 600 / 700 <= many.high
    unknown = facts.decode_share("HBM3", None)
    assert unknown.low == shares[0].low and unknown.high == shares[-1].high


def test_a_device_that_is_the_computer_needs_no_server_beside_it() -> None:
    """A DGX Spark draws about 240 W at most (its power supply)."""
    prices, row = load_prices(read_toml), library().database.accelerator("gb10")
    fleet = make_fleet(row, 1, 1)
    power = power_of(fleet, Duty(1.0, None), prices.power)
    assert power is not None and plug_of(power).value < 240
    assert library().cost_data.terms.server(fleet.form_factor).fixed.value == 0


def test_parts_of_a_draw_add_up_to_the_meter() -> None:
    prices, row = load_prices(read_toml), library().database.accelerator("h200-sxm-141gb")
    power = power_of(make_fleet(row, 16, 2), Duty(0.3, 64.0), prices.power)
    assert power is not None
    for draw in power:
        parts = (draw.devices, draw.host, draw.fans, draw.network, draw.supply, draw.facility)
        assert sum(part.value for part in parts) == pytest.approx(draw.total.value)
    assert power.idle.total.value < power.decode.total.value < power.load.total.value < power.prefill.total.value
