"""What a person may say of money and power: bounds, and that every answer stays a number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from planner.account.assumed import defaults
from planner.cost.document import CostDocument
from planner.cost.knobs import BY_NAME, KNOBS
from planner.cost.prices_loader import Price
from planner.cost_report import Assumptions, CostRequest, cost_of, cost_report, with_workload
from planner.documents.encode import to_plain
from planner.errors import BadDocument, BadInput
from planner.estimate import exact
from tests.cost.build import library, r1
from tests.cost.test_account import estimates, rules

HOSTILE = (math.nan, math.inf, -math.inf, -1.0, 1e300)
FREE_AT_ZERO = {"utilisation", "residual", "interest", "maintenance", "hosting", "salary", "people", "utc_offset"}


def account(**said: Any) -> CostDocument:
    return cost_of(r1(), library(), Assumptions(**{"apis": ("o1",), **said}))


def every_float(value: Any) -> Iterator[float]:
    """All of a document, before JSON hides what is not finite."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from every_float(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from every_float(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from every_float(getattr(value, field.name))


def test_every_knob_is_a_field_and_an_option_of_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    from planner.cli.main import main

    with pytest.raises(SystemExit):
        main(["cost", "--help"])
    helped = capsys.readouterr().out
    names = {field.name for field in fields(Assumptions)}
    for knob in KNOBS:
        assert knob.name in names and knob.option in helped and knob.label and knob.unit


OUTSIDE = [(name, value) for name in BY_NAME for value in HOSTILE if (name, value) != ("utc_offset", -1.0)]
"""An hour west of Greenwich is no error."""


@pytest.mark.parametrize(("name", "value"), OUTSIDE)
def test_values_out_of_bounds_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(BadDocument) as refused:
        account(**{name: value})
    assert BY_NAME[name].option in str(refused.value)
    assert refused.value.problems[0].fix


@pytest.mark.parametrize("name", sorted(BY_NAME.keys() - FREE_AT_ZERO - {"pue"}))
def test_nothing_that_divides_may_be_zero(name: str) -> None:
    with pytest.raises(BadDocument):
        account(**{name: 0.0})


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadDocument) as refused:
        account(years=0.0, interest=-1.0, growth=math.nan, currency="euros", profile=(0.5,))
    assert len(refused.value.problems) == 5


@pytest.mark.parametrize("amount", [*HOSTILE, 0.0])
@pytest.mark.parametrize("name", ["purchase", "rental", "kwh"])
def test_a_price_is_a_number_above_zero(name: str, amount: float) -> None:
    with pytest.raises(BadInput):
        cost_report(r1(), library(), CostRequest(**{name: Price(exact(amount), "USD", "x", "y")}))


KNOB_VALUES = {knob.name: st.floats(knob.least, min(knob.most, 1e7)) for knob in KNOBS}


@example({"utilisation": 2.2e-309})
@example({"utilisation": 1e-6, "years": 0.1, "purchase": 1e9, "kwh": 1e6})
@example({"efficiency": 1e-3, "growth": 1000.0, "horizon": 20.0})
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional=KNOB_VALUES))
def test_any_allowed_assumptions_give_finite_ordered_figures(said: dict[str, float]) -> None:
    document = account(**said)
    assert all(math.isfinite(number) for number in every_float(document))
    for one in estimates(to_plain(document)):
        assert all(math.isfinite(one[end]) for end in ("low", "value", "high")), one
        assert one["low"] <= one["value"] + 1e-9 * abs(one["value"]), one
        assert one["value"] <= one["high"] + 1e-9 * abs(one["high"]), one


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 1), st.floats(0, 1))
def test_more_use_costs_more_a_month_and_less_a_token(one: float, other: float) -> None:
    low, high = (account(utilisation=used).owned for used in sorted((one, other)))
    assert low is not None and high is not None
    assert low.real.month.value <= high.real.month.value + 1e-6
    if low.real.per_mtok and high.real.per_mtok:
        assert low.real.per_mtok.value >= high.real.per_mtok.value - 1e-9


def test_what_was_said_is_marked_and_the_rest_has_a_source() -> None:
    rows = {row.name: row for row in account(years=4.0, kwh=0.2).assumptions}
    assert rows["years"].given and rows["years"].value.value == 4 and rows["kwh"].given
    assert not rows["interest"].given
    assert all(row.source and row.option and row.unit for row in rows.values())
    assert set(rows) == {knob.name for knob in KNOBS} - {"utc_offset"}


def test_defaults_fill_a_form_before_anything_is_computed() -> None:
    rows = {row.name: row for row in defaults(library(), "h200-sxm-141gb")}
    assert rows["purchase"].value.value > 20_000 and "USD" in rows["purchase"].unit
    nothing = {row.name for row in defaults(library())}
    assert "purchase" not in nothing and "years" in nothing


def test_the_profile_of_a_day_is_the_utilisation_and_the_rented_hours() -> None:
    day = (0.0,) * 12 + (0.5,) * 12
    document = account(profile=day)
    assert document.owned is not None and document.rented is not None
    assert document.owned.real.utilisation == 0.25
    assert document.rented.open_share == 0.5, "half full still pays the whole hour"
    kept, by_hour = document.rented.reserved.month.value, document.rented.by_the_hour.month.value
    assert by_hour == pytest.approx(kept / 2)


def test_idle_hours_cost_what_full_use_would_save() -> None:
    document = account(utilisation=0.25)
    assert document.owned is not None and document.owned.idle is not None and document.rented is not None
    assert 0.7 < document.owned.idle.value / document.owned.real.month.value < 0.76
    assert account(utilisation=1.0).owned.idle.value == pytest.approx(0)  # type: ignore[union-attr]
    assert document.rented.idle is not None
    assert document.rented.idle.value == pytest.approx(0.75 * document.rented.reserved.month.value)


def test_euros_all_the_way_with_one_rate() -> None:
    document = cost_report(
        r1(), library(), CostRequest(purchase=Price(exact(27_000.0), "EUR", "2026", "offer"), apis=("o1",))
    )
    assert document.owned is None and "currency" in rules(document)
    turned = cost_report(
        r1(),
        library(),
        CostRequest(purchase=Price(exact(27_000.0), "EUR", "2026", "offer"), apis=("o1",), exchange={"USD": 0.9}),
    )
    assert turned.owned is not None and turned.owned.real.month.currency == "EUR"
    assert turned.apis[0].month.currency == "EUR" and turned.apis[0].api.output == pytest.approx(54.0)


@pytest.mark.parametrize("name", ["isl", "osl", "concurrency", "prefix_hit_rate"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_load_said_anew_is_checked(name: str, value: float) -> None:
    with pytest.raises(BadInput):
        with_workload(r1(), **{name: value})
