"""Prices by the hour of the day: windows, shares, and the bill that follows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.cost.api import ApiPrice, api_price
from planner.cost.tariff import hours_in, tariff_of, windows_of
from planner.cost_report import Assumptions, cost_of
from planner.errors import BadDocument
from planner.library import Library
from tests.cost.build import library, r1

FLASH = "deepseek/deepseek-v4-flash"


def flash() -> ApiPrice:
    return api_price(FLASH, library().api_prices)


def test_windows_are_minutes_of_the_day_and_nonsense_is_none() -> None:
    assert windows_of("00:30-16:30") == (30, 990)
    for text in ("", "1-2", "25:00-26:00", "noon", "01:00", "-01:00-02:00"):
        assert windows_of(text) is None


def test_hours_add_up_also_over_midnight() -> None:
    assert sum(hours_in(["01:00-04:00", "06:00-10:00"])) == pytest.approx(7)
    night = hours_in(["22:30-02:00"])
    assert (night[22], night[23], night[0], night[1], night[2]) == (0.5, 1, 1, 1, 0)
    assert sum(hours_in(["01:00-03:00", "02:00-04:00"])) == pytest.approx(3), "overlaps count once"


def test_the_dear_price_doubles_the_cheap_one() -> None:
    tariff = tariff_of(flash(), library().cost_data.history)
    assert tariff is not None
    assert (tariff.peak.output, tariff.off_peak.output) == (1.2, 0.6)
    assert (tariff.peak_share.low, tariff.peak_share.high) == (0, 1)
    assert tariff.peak_share.value == pytest.approx(7 / 24)


def test_prices_of_another_time_have_no_tariff() -> None:
    history = library().cost_data.history
    assert tariff_of(replace(flash(), output=9.0), history) is None
    assert tariff_of(api_price("o1", library().api_prices), history) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 1), min_size=24, max_size=24), st.integers(-12, 14))
def test_a_share_is_a_share_and_the_price_lies_between(profile: list[float], offset: int) -> None:
    tariff = tariff_of(flash(), library().cost_data.history, profile, offset)
    assert tariff is not None
    for end in ("low", "value", "high"):
        share = getattr(tariff.peak_share, end)
        assert -1e-9 <= share <= 1 + 1e-9
        assert 0.6 - 1e-9 <= tariff.at(share).output <= 1.2 + 1e-9


def test_a_load_outside_the_dear_hours_pays_the_cheap_price() -> None:
    day = tuple(1.0 if 12 <= hour < 20 else 0.0 for hour in range(24))
    (cheap,) = cost_of(r1(), library(), Assumptions(profile=day, apis=(FLASH,))).apis
    night = tuple(1.0 if 1 <= hour < 4 else 0.0 for hour in range(24))
    (dear,) = cost_of(r1(), library(), Assumptions(profile=night, apis=(FLASH,))).apis
    assert dear.per_mtok.value == pytest.approx(2 * cheap.per_mtok.value, rel=1e-6)
    (moved,) = cost_of(r1(), library(), Assumptions(profile=night, utc_offset=12, apis=(FLASH,))).apis
    assert moved.per_mtok.value == pytest.approx(cheap.per_mtok.value, rel=1e-6), "01-04 local is 13-16 UTC"
    (unknown,) = cost_of(r1(), library(), Assumptions(apis=(FLASH,))).apis
    unit = unknown.per_mtok.amount
    assert unit.low == pytest.approx(cheap.per_mtok.value, rel=0.02)
    assert unit.high == pytest.approx(dear.per_mtok.value, rel=0.02)


def test_batch_prices_know_no_hours() -> None:
    (one,) = cost_of(r1(), library(), Assumptions(apis=(FLASH,), batch=True)).apis
    assert one.tariff is None


OWN = """
[[api]]
provider = "us"
model = "ours"
input = 1.0
output = 2.0
currency = "USD"
date = "2026-11-01"
source = "contract"
[[api]]
provider = "us"
model = "ours"
input = 3.0
output = 6.0
hours_utc = "08:00-20:00"
currency = "USD"
date = "2026-11-01"
source = "contract"
"""


def own(tmp_path: Path, text: str) -> Library:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "own.toml").write_text(text)
    return Library((tmp_path,))


def test_a_tariff_of_ones_own(tmp_path: Path) -> None:
    library_ = own(tmp_path, OWN)
    day = tuple(1.0 if 8 <= hour < 20 else 0.0 for hour in range(24))
    (dear,) = cost_of(r1(), library_, Assumptions(profile=day, apis=("us/ours",))).apis
    night = tuple(1.0 - share for share in day)
    (cheap,) = cost_of(r1(), library_, Assumptions(profile=night, apis=("us/ours",))).apis
    assert dear.per_mtok.value == pytest.approx(3 * cheap.per_mtok.value)
    assert cheap.api.hours_utc == "", "the price of all day is the one that a name finds"


@pytest.mark.parametrize("hours", ["25:00-26:00", "noon", "8-20", "08:00", "08:00-20:00; rm -rf /"])
def test_hours_that_are_none_are_refused_by_name(tmp_path: Path, hours: str) -> None:
    with pytest.raises(BadDocument, match="hours_utc"):
        _ = own(tmp_path, OWN.replace("08:00-20:00", hours)).api_prices
