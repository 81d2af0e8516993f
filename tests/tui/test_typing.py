"""Keys typed without waiting: while the app starts, while a step or a dialog opens, while it plans."""

from __future__ import annotations

import threading

import pytest
from textual import events
from textual.widgets import Input

from planner.errors import Exit
from tests.tui.conftest import FakePlanner, app_on, running, settled, until
from tui.app import PlannerApp
from tui.panes.form import FormPane
from tui.panes.model import ModelPane
from tui.widgets.listing import Listing

SIGNS = {"/": "slash", "?": "question_mark", "$": "dollar_sign", "-": "minus"}


def burst(app: PlannerApp, *keys: str) -> None:
    """All at once, as from a terminal that was not read for a moment."""
    for key in keys:
        character = key if len(key) == 1 else None
        app.post_message(events.Key(SIGNS.get(key, key), character))


def focused_id(app: PlannerApp) -> str:
    return (app.focused.id or "") if app.focused is not None else ""


async def test_keys_behind_that_of_a_step_are_the_steps(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.gate = threading.Event()
        burst(app, "3", "down", "down", "7", "7", "enter")
        await until(pilot, lambda: app.session.draft.users == 77)
        assert app.walk.step == "workload"
        planner.gate.set()
        await settled(pilot)


async def test_keys_typed_while_the_app_starts_are_kept(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with app.run_test(size=(80, 24)) as pilot:
        burst(app, "3", "down", "down", "7", "7", "enter")
        await until(pilot, lambda: focused_id(app) == "number-users")
        await settled(pilot)
        assert app.walk.step == "workload"


async def test_steps_in_a_row_are_gone_through_and_the_last_has_the_keys(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        burst(app, "2", "3", "4", "x", "down", "x")
        await until(pilot, lambda: app.session.marked == (0, 1))
        assert app.walk.step == "plans" and focused_id(app) == "ranking"


async def test_what_is_typed_behind_a_dialogs_key_is_in_the_dialog(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        burst(app, "e", *"rtx-4090", "enter")
        await until(pilot, lambda: app.session.draft.site.startswith("rtx-4090"))
        await settled(pilot)
        burst(app, "?", "escape", "4", "?", "escape", "$", "escape", "3", "down")
        await until(pilot, lambda: focused_id(app) == "choice-load")
        assert app.screen is app.walk and app.walk.step == "workload"


async def test_a_search_takes_every_letter(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        burst(app, "2", "/", *"deepseek-r1", "enter", "down")
        await until(pilot, lambda: app.session.catalogue is not None and focused_id(app) == "models")
        pane = app.walk.pane("model")
        assert isinstance(pane, ModelPane) and pane.query_one(Input).value == "deepseek-r1"
        await until(pilot, lambda: len(pane.query_one(Listing).listed) > 1)
        app.post_message(events.Key("slash", "/"))
        app.post_message(events.Paste("qwen"))
        await until(pilot, lambda: pane.query_one(Input).value.endswith("qwen"))


async def test_the_turn_of_the_walk_comes_before_the_keys_behind_it(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        app._change({"model": "meta-llama/Llama-3.1-8B-Instruct"})
        await settled(pilot)
        burst(app, "3", "g", "down")
        await until(pilot, lambda: isinstance(app.walk.pane("workload"), FormPane) and "number-" in focused_id(app))
        assert app.session.draft.purpose == "tune"


async def test_enter_opens_a_step_and_the_keys_behind_it_are_there(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await until(pilot, lambda: focused_id(app) == "devices")
        burst(app, "enter", "enter", "down", "enter", "x")
        await until(pilot, lambda: app.session.marked == (0,))
        assert app.walk.step == "plans"


async def test_the_interrupt_waits_for_nothing(planner: FakePlanner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlannerApp, "opening", True)
    app = app_on(planner=planner)
    async with running(app) as pilot:
        burst(app, "4", "ctrl+c")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == Exit.INTERRUPTED


async def test_keys_that_come_while_the_app_is_left_are_dropped(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("2")
        burst(app, "/", *"deepseek" * 5)
        app.exit(return_code=3)
    assert app.return_code == 3


async def test_keys_wait_no_longer_than_a_bound_for_what_never_opens(
    planner: FakePlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlannerApp, "opening", True)
    monkeypatch.setattr("tui.typing_order.PATIENCE_S", 0.05)
    app = app_on(planner=planner)
    async with running(app) as pilot:
        burst(app, "4")
        await until(pilot, lambda: app.walk.step == "plans")
