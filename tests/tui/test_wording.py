"""Words and numbers as they are put on the screen: rounded alike, wrapped under themselves, not cut where it counts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from planner.documents.inventory import GpuDevice
from planner.estimate import Estimate
from tests.tui.conftest import app_on, running, until
from tui import text
from tui.catalogue_view import View
from tui.draft import Draft
from tui.hardware_text import short_name
from tui.plots import round_ticks
from tui.purposes import PURPOSES
from tui.session import INTERNAL, Session
from tui.widgets.answer import folded
from tui.widgets.answer_lines import CHANGE_IT, REPORT_IT, waiting_lines

ROOM = 66
"""Cells of a line of the model step at 120 columns, the narrowest that it has."""


@pytest.mark.parametrize(
    ("value", "shown"), [(0.4, "0.40 USD"), (7.836, "7.84 USD"), (99.999, "100.00 USD"), (11674.2, "11,674 USD")]
)
def test_small_money_has_cents(value: float, shown: str) -> None:
    assert text.shown(value, "USD") == shown


def test_a_range_of_money_has_its_currency_once() -> None:
    assert text.span(Estimate(low=0.882, value=5.0, high=18.0, origin="assumed"), "EUR") == "0.88–18.00 EUR"
    assert text.shown(19.7, "") == "19.7", "a count is no money"


@given(st.floats(0, 1e9), st.floats(1e-3, 1e9), st.integers(1, 12))
def test_ticks_are_round_inside_and_evenly_apart(low: float, span: float, most: int) -> None:
    ticks = round_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * (low + span)
    assert all(low - slack <= tick <= low + span + slack for tick in ticks)
    gaps = [b - a for a, b in pairwise(ticks)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-3) for gap in gaps)


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [(0, 130, 7, (0, 20, 40, 60, 80, 100, 120)), (1472, 2114, 4, (1600, 1800, 2000)), (29, 42, 3, (30, 35, 40)),
     (5, 5, 3, ()), (0.303, 0.503, 4, (0.35, 0.4, 0.45, 0.5))],
)  # fmt: skip
def test_ticks_as_people_would_choose_them(low: float, high: float, most: int, ticks: tuple[float, ...]) -> None:
    assert round_ticks(low, high, most) == pytest.approx(ticks)


def test_what_follows_stands_under_the_words_of_a_line() -> None:
    assert text.hanging("• keeps the service level of all users", 20) == "• keeps the service\n  level of all users"
    assert text.hanging("  key = value and more", 14) == "  key = value\n  and more"
    assert text.hanging("", 20) == ""


@given(st.text(), st.integers(8, 200))
def test_no_line_is_longer_than_there_is_room(words: str, width: int) -> None:
    assert all(len(line) <= width for line in text.hanging(words, width).splitlines())


def test_the_filters_of_the_catalogue_fit_beside_the_answer() -> None:
    assert cell_len(View().chips) <= ROOM
    assert View(fitting=True, use="chat").chips.startswith("[f fits]") and "[U chat]" in View(use="chat").chips


def test_a_device_is_named_without_its_maker() -> None:
    assert short_name(GpuDevice(index=0, vendor="nvidia", name="NVIDIA GeForce RTX 4090")) == "GeForce RTX 4090"
    assert short_name(GpuDevice(index=0, vendor="amd", name="")) == "amd"


def test_a_mistake_of_the_program_is_not_the_users_to_change() -> None:
    session = Session(Draft(inventory=None))
    session.failure = f"{INTERNAL}: KeyError: 'x'"
    assert REPORT_IT in waiting_lines(session)
    session.draft, session.failure = Draft(inventory=object()), "tp: is not a number"  # type: ignore[arg-type]
    assert CHANGE_IT in waiting_lines(session)


def test_what_is_missing_is_a_sentence() -> None:
    for purpose in ("tune", "buy"):
        lines = waiting_lines(Session(Draft(purpose=purpose)))
        assert lines[-1] == f"{PURPOSES[purpose].about.capitalize()}."


async def test_what_does_not_fit_says_a_way_out_in_three_lines() -> None:
    app = app_on("rtx-4090")
    async with running(app):
        lines = [line.plain for line in folded(app.session, 78)]
        assert len(lines) == 3 and lines[0].startswith("✗") and lines[2].strip().startswith("→")
        assert " × " not in lines[1].partition("GiB")[0], "a count is not mistaken for a product"


async def test_models_say_how_they_would_train_before_one_is_chosen() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: app.session.draft.purpose == "tune" and app.session.catalogue is not None)
        assert app.session.draft.model is None and app.session.wants_model
        await until(pilot, lambda: "meta-llama/Llama-3.1-8B-Instruct" in app.session.fits)
        assert app.session.fits["meta-llama/Llama-3.1-8B-Instruct"].token
