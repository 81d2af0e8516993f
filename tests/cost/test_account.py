"""The account: parts add up, bounds hold, and what is unknown or impossible is said instead of divided by."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from planner.cost.against import Billing, Comparison, compare, owned_side
from planner.cost.document import CostDocument
from planner.cost.prices_loader import Price
from planner.cost.scenarios import Scenario, course, edited
from planner.cost.terms import changed
from planner.documents.encode import to_plain
from planner.documents.result import Finding
from planner.errors import BadInput, UnknownName
from planner.estimate import Estimate, exact
from tests.cost.build import library, r1, report


def rules(document: CostDocument) -> set[str]:
    return {finding.rule for finding in document.problems}


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


def estimates(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if {"low", "value", "high", "origin"} <= value.keys() else []
        return own + [e for item in value.values() for e in estimates(item)]
    return [e for item in value for e in estimates(item)] if isinstance(value, list) else []


def test_every_figure_is_a_finite_interval_with_an_origin() -> None:
    found = estimates(to_plain(report(apis=("o1",))))
    assert len(found) > 100
    for one in found:
        assert one["low"] <= one["value"] <= one["high"], one
        assert one["origin"] in ("measured", "published", "formula", "assumed")
        assert all(math.isfinite(one[end]) for end in ("low", "value", "high"))


def test_parts_add_up() -> None:
    account = report().owned
    assert account is not None
    assert sum(m.value for m in account.purchase.values()) == pytest.approx(account.purchase_total.value)
    assert sum(m.value for m in account.monthly.values()) == pytest.approx(account.real.month.value)
    watts = report().power
    assert watts is not None
    assert sum(watts.load.total.terms.values()) == pytest.approx(watts.load.total.value)


def test_prompts_and_answers_share_the_month() -> None:
    load = report().owned.full  # type: ignore[union-attr]
    parts = (load.per_mtok_input.value * load.input_tokens.value, load.per_mtok_output.value * load.output_tokens.value)
    assert sum(parts) / 1e6 == pytest.approx(load.month.value)


def test_every_price_says_of_when_it_is() -> None:
    document = report(apis=("o1",))
    assert {"devices", "servers", "electricity", "rent", "hosting", "people"} <= document.as_of.keys()
    assert all(document.as_of.values())
    assert document.apis[0].as_of.startswith("2026-11")


def test_r1_on_eight_h200_at_30_and_80_percent() -> None:
    """The worked example of docs/cost.md: at 80 % about the list price of R1 of 2025, at 30 % more than twice it."""
    low, high = report(terms={"utilisation": 0.3}), report(terms={"utilisation": 0.8})
    cheap, dear = high.owned.real.per_mtok, low.owned.real.per_mtok  # type: ignore[union-attr]
    assert cheap is not None and dear is not None
    assert dear.value / cheap.value == pytest.approx(0.8 / 0.3, rel=0.03)
    (o1,) = report(apis=("o1",), terms={"utilisation": 0.3}).apis
    assert o1.saving.amount.low > 0, "o1 at 60 $/Mtok cannot be cheaper than eight H200 at 30 %"
    assert o1.payback_months is not None and o1.payback_months.value < 12


def test_the_break_even_is_where_both_cost_the_same() -> None:
    first = report(apis=("deepseek/deepseek-r1",), terms={"utilisation": 0.8})
    share = first.apis[0].break_even_utilisation
    assert share is not None and 0 < share.value < 1
    (there,) = report(apis=("deepseek/deepseek-r1",), terms={"utilisation": share.value}).apis
    assert there.saving.value == pytest.approx(0, abs=0.002 * there.month.value)


@pytest.mark.parametrize("used", [0.0, 1.0])
def test_the_ends_of_utilisation(used: float) -> None:
    document = report(apis=("o1",), terms={"utilisation": used})
    real = document.owned.real  # type: ignore[union-attr]
    assert (real.per_mtok is None) == (used == 0)
    (o1,) = document.apis
    assert (o1.payback_months is None) == (used == 0)
    if used == 0:
        assert "no-payback" in {f.rule for f in o1.findings} and document.scenarios == ()
        assert o1.month.value == 0 and o1.saving.value < 0


def test_an_api_that_costs_less_than_electricity_is_never_beaten() -> None:
    account = report().owned
    assert account is not None
    api = library().api_prices[0]
    cheap = replace(api, input=1e-6, output=1e-6, cached=None, long_above=None)
    answer = compare(cheap, owned_side(account), Billing(0.0, 100.0))
    assert isinstance(answer, Comparison)
    assert answer.break_even_tokens_day is None and "never-cheaper" in {f.rule for f in answer.findings}
    free = compare(replace(api, input=0.0, output=0.0), owned_side(account), Billing(0.0, 100.0))
    assert isinstance(free, Finding) and free.rule == "price-zero"


@pytest.mark.parametrize(
    "terms",
    [
        {"utilisation": -0.1},
        {"utilisation": 1.1},
        {"utilisation": math.nan},
        {"years": 0.0},
        {"years": -1.0},
        {"years": math.inf},
        {"interest": exact(-0.1)},
        {"residual": exact(1.5)},
    ],
)
def test_impossible_terms_are_bad_input(terms: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        report(terms=terms)


@pytest.mark.parametrize("factor", [0.0, -0.5, math.inf, math.nan, 1e9])
@pytest.mark.parametrize("name", ["demand", "api_price", "efficiency"])
def test_negative_growth_is_bad_input(name: str, factor: float) -> None:
    with pytest.raises(BadInput, match="per year"):
        report(factors={name: factor})


def test_unknown_prices_are_problems_not_guesses() -> None:
    document = report(r1(hardware={"accelerator": "h20-3e-141gb", "per_node": 8}))
    assert document.owned is None and document.rented is None
    assert {"price-unknown", "rent-unknown"} <= rules(document)
    with pytest.raises(UnknownName):
        report(apis=("no-such-model-at-all",))


def test_currencies_are_never_mixed_silently() -> None:
    euros = Price(exact(0.25, "published"), "EUR", "2026", "a bill")
    mixed = report(kwh=euros)
    assert mixed.owned is None and "currency" in rules(mixed)
    turned = report(kwh=euros, exchange={"EUR": 1.1})
    assert turned.owned is not None
    assert "EUR = 1.1 USD" in turned.owned.as_of["electricity"]
    german = report(region="Germany", exchange={"EUR": 1.1}).owned
    assert german is not None and german.monthly["electricity"].value > turned.owned.monthly["electricity"].value


def test_what_writes_nothing_is_paid_by_what_it_reads() -> None:
    document = report(r1(workload={"isl": 1000, "osl": 0, "concurrency": 4}), apis=("o1",))
    full = document.owned.full  # type: ignore[union-attr]
    assert full.per_mtok_output is None and full.per_mtok_output_only is None
    assert full.per_mtok_input is not None and full.per_mtok_input.value == pytest.approx(full.per_mtok.value)
    assert document.apis[0].per_mtok.value == pytest.approx(15.0)


def test_a_cpu_machine_and_a_training_run_have_no_account() -> None:
    cpu = r1(hardware={"accelerator": "cpu"}, engine={"name": "llama.cpp"}, serving={})
    assert "no-account" in rules(
        report(cpu.model_copy(update={"model": cpu.model.model_copy(update={"weights": "gguf:Q4_K_M"})}))
    )


def test_caps_hit_prompts_more_than_answers() -> None:
    document = report()
    speeds = [(step.share, step.prefill_speed.value, step.decode_speed.value) for step in document.caps]
    assert len(speeds) == 4
    assert all(prompt < answer <= 1 for _, prompt, answer in speeds)
    assert speeds == sorted(speeds, reverse=True)
    powers = [step.power.total.value for step in document.caps]
    assert powers == sorted(powers, reverse=True)
    assert document.power is not None and powers[0] <= document.power.load.total.value


def test_capped_cards_follow_the_measured_sweep() -> None:
    """Six RTX 3090 from 350 to 200 W: decode 72.6 to 68.3, prefill 9893 to 5941 tokens/s (llmgarage.ai, 2026-02)."""
    curve = library().cost_data.caps["GDDR6X"]
    from planner.cost.caps import speed_at

    assert speed_at(curve.decode, 200 / 350) == pytest.approx(68.3 / 72.6, abs=0.01)
    assert speed_at(curve.prefill, 200 / 350) == pytest.approx(5941 / 9893, abs=0.01)
    assert speed_at(curve.prefill, 0.1) is None, "nobody measured that low"


def test_the_room_carries_the_fleet() -> None:
    site = report().site
    assert site is not None
    assert site.peak_w.value > site.plug_w.value
    assert 6_000 < site.plug_w.value < 10_200, "a DGX H200 is rated for 10.2 kW"
    assert site.circuits["eu-16a-1ph"] * 230 * 16 * 0.8 >= site.plug_w.high
    assert site.btu_per_hour == pytest.approx(3.412 * site.plug_w.value)


def test_one_copy_survives_nothing_two_survive_one_device() -> None:
    assert [o.copies for o in report().outages] == [0, 0]
    two = r1(hardware={"accelerator": "h200-sxm-141gb", "per_node": 8, "nodes": 2}, serving={"tp": 8, "ep": 8, "dp": 2})
    assert [o.copies for o in report(two).outages] == [1, 1]


def scenario(**factors: float) -> Scenario:
    return edited(Scenario("test", 1.0, 1.0, 1.0, 1.0, "a test"), **factors)


def test_scenarios_say_when() -> None:
    document = report(apis=("o1",), terms={"utilisation": 0.5})
    account, against = document.owned, document.apis[0]
    assert account is not None
    still = course(scenario(), account, against, 3.0)
    assert still.full_month is None and still.cheaper_month == 0 and still.dearer_month is None
    assert still.owned_total == pytest.approx(36 * account.real.month.value)
    assert still.api_total == pytest.approx(36 * against.month.value)
    double = course(scenario(demand=2.0), account, against, 3.0)
    assert double.full_month == 13, "half used today is full after a year of doubling"
    assert double.points[-1].fleets == 4
    softer = course(scenario(demand=2.0, efficiency=2.0), account, against, 3.0)
    assert softer.full_month is None
    crash = course(scenario(api_price=0.01), account, against, 3.0)
    assert crash.dearer_month is not None and 0 < crash.dearer_month < 12
    with pytest.raises(BadInput):
        course(scenario(), account, against, 0.0)


def test_scenarios_of_the_data_are_ordered() -> None:
    low, expected, high = library().cost_data.scenarios
    assert low.demand < expected.demand < high.demand
    assert low.api_price > expected.api_price > high.api_price
    assert all(s.source for s in (low, expected, high))


def test_given_terms_replace_defaults_and_leave_the_assumed() -> None:
    document = report(terms={"years": 5.0})
    assert "cost.years" not in document.assumed and "cost.interest" in document.assumed
    terms = changed(library().cost_data.terms, people=Estimate(0.0, 0.0, 0.0))
    assert terms.people.value == 0 and terms.years == 3


def test_without_hardware_nothing_is_accounted() -> None:
    document = report(r1(hardware=None))
    assert document.verdict == "unknown" and document.fleet is None and rules(document) >= {"no-account"}


def test_a_rented_fleet_stands_beside_an_api_too() -> None:
    document = report(r1(hardware={"accelerator": "h200-sxm-141gb", "per_node": 8}), apis=("o1",))
    (owned,), (rented,) = document.apis, document.rented_apis
    assert (owned.basis, rented.basis) == ("owned", "rented")
    assert rented.month.value == owned.month.value and rented.payback_months is None
    assert rented.break_even_utilisation is not None and document.rented is not None
    even = report(apis=("o1",), terms={"utilisation": rented.break_even_utilisation.value}).rented_apis[0]
    assert even.saving.value == pytest.approx(0, abs=0.002 * even.month.value)


def test_rent_alone_is_enough_to_compare() -> None:
    h800 = r1(hardware={"accelerator": "h800-sxm-80gb", "per_node": 8, "nodes": 2}, serving={"tp": 16, "ep": 16})
    document = report(h800, apis=("o1",))
    assert document.owned is None and document.apis == () and len(document.rented_apis) == 1
