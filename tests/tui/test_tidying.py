"""Garbage is collected when nobody feels it, and only then."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from tests.tui.conftest import FakePlanner, app_on, running, settled, until
from tui.tidying import IDLE_S, NEVER


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


async def test_nothing_is_collected_while_something_is_worked_out_or_keys_are_pressed(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        app.tidy_when_idle()
        assert gc.get_threshold()[2] == NEVER
        await pilot.press("3")
        assert not app.tidy(), "a key was just pressed"
        app._last_key = time.monotonic() - IDLE_S - 1
        planner.gate = threading.Event()
        app._change({"users": 5})
        await until(pilot, lambda: app.running("plan"))
        assert not app.tidy(), "a plan is being made"
        planner.gate.set()
        await settled(pilot)
        app.stop_fits()
        app._last_key = 0.0
        await until(pilot, lambda: not app.running("fits") and not app.running("curve"))
        assert app.tidy() and gc.get_freeze_count() > 0


async def test_what_was_drawn_of_a_closed_screen_goes_too() -> None:
    from textual._styles_cache import StylesCache

    app = app_on()
    async with running(app) as pilot:
        for _ in range(10):
            await pilot.press("f1", "escape")
        await settled(pilot)
        gc.collect()
        before = sum(isinstance(one, StylesCache) for one in gc.get_objects())
        app._last_key = 0.0
        app.stop_fits()
        await until(pilot, lambda: not app.running("fits") and not app.running("curve"))
        assert app.tidy()
        gc.unfreeze()
        assert sum(isinstance(one, StylesCache) for one in gc.get_objects()) < before - 20
