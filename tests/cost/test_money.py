"""Money keeps its currency; what cannot be divided is unknown, never infinite."""

from __future__ import annotations

import pytest

from planner.cost.money import CurrencyMismatch, money, sum_of
from planner.errors import BadInput
from planner.estimate import Estimate, exact


def test_different_currencies_never_add_up() -> None:
    dollars, euros = money(1, 2, 3, "USD"), money(1, 2, 3, "EUR")
    for operation in (lambda: dollars + euros, lambda: dollars - euros, lambda: sum_of({"a": dollars, "b": euros})):
        with pytest.raises(CurrencyMismatch, match="cannot be added up"):
            operation()
    assert issubclass(CurrencyMismatch, BadInput)


def test_a_sum_names_its_parts() -> None:
    whole = sum_of({"a": money(8, 10, 12, "EUR"), "b": money(18, 20, 24, "EUR")})
    assert whole.value == 30 and whole.currency == "EUR"
    assert whole.amount.terms == {"a": 10, "b": 20}
    assert whole.amount.low < 30 < whole.amount.high


def test_money_over_nothing_is_unknown() -> None:
    assert money(1, 2, 3, "USD").per(Estimate(0.0, 0.0, 0.0)) is None
    assert money(1, 2, 3, "USD").per(Estimate(0.0, 1.0, 2.0)) is None


def test_a_difference_takes_the_worst_of_both() -> None:
    saving = money(90, 100, 110, "USD") - money(50, 60, 95, "USD")
    assert (saving.amount.low, saving.value, saving.amount.high) == (-5, 40, 60)


def test_a_range_survives_division() -> None:
    each = money(90, 100, 110, "USD").per(Estimate(5.0, 10.0, 20.0))
    assert each is not None
    assert (each.amount.low, each.value, each.amount.high) == (4.5, 10, 22)
    whole = money(1, 1, 1, "USD").per(exact(4.0))
    assert whole is not None and whole.value == 0.25
