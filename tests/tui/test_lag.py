"""How long the event loop works without a pause: so long may a key wait. In processor time, other work aside."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual import events

from tests.tui.conftest import FakePlanner, app_on, running, settled, until
from tui.ahead import read_modules
from tui.app import DEBOUNCE_S, PlannerApp
from tui.purposes import STEPS
from tui.tidying import NEVER, YOUNG
from tui.typing_order import TypingOrder

BOUND_S = 0.050
"""On a processor that does ``yardstick`` in ``YARD_S``."""
YARD_S = 0.0054
MOST_WALKS = 8
CALM = 5
"""Waits of the loop from which on a key's whole effect is counted: redraws come within two."""


@pytest.fixture(autouse=True)
def collected_as_in_the_program() -> Iterator[None]:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*YOUNG, NEVER)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def yardstick() -> float:
    """Processor seconds of work like that of the loop: calls, objects, text."""
    start = time.thread_time()
    rows = [{"name": f"row {n}", "cells": [str(n + k) for k in range(5)]} for n in range(3000)]
    "\n".join(f"{row['name']:<12}" + " ".join(row["cells"]) for row in rows)
    return time.thread_time() - start


@dataclass
class Stretches:
    """Stands in for the loop's selector; what lies between two waits is a stretch of work."""

    inner: Any
    found: list[float] = field(default_factory=list)
    since: float = field(default_factory=time.thread_time)

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return self.inner.select(timeout)
        self.found.append(time.thread_time() - self.since)
        ready = self.inner.select(timeout)
        self.since = time.thread_time()
        return ready

    async def calm(self) -> None:
        """Until the loop has done what there was to do, and waited a few times."""
        end = len(self.found) + CALM
        while len(self.found) < end:
            await asyncio.sleep(0.03)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@asynccontextmanager
async def measured() -> AsyncIterator[Stretches]:
    loop: Any = asyncio.get_running_loop()
    stretches = Stretches(loop._selector)
    loop._selector = stretches
    try:
        yield stretches
    finally:
        loop._selector = stretches.inner


async def longest(app: PlannerApp, *keys: str) -> dict[str, float]:
    """Each key with the longest stretch of work that it causes."""
    found = {}
    for key in keys:
        async with measured() as stretches:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
            await stretches.calm()
        found[key] = max(stretches.found)
    return found


async def opened_ahead(app: PlannerApp) -> float:
    """Every pane mounted before it is asked for; the longest stretch of that."""
    read_modules(lambda: False)
    async with measured() as stretches:
        while await app.walk.open_ahead():
            await stretches.calm()
    return max(stretches.found)


async def measured_walk(planner: FakePlanner) -> dict[str, float]:
    """The longest stretches of one app: of what is got ready, of steps, tabs, lists."""
    app = app_on(planner=planner)
    app._debounce_s = DEBOUNCE_S
    async with running(app, (120, 40)) as pilot:
        found = {"ahead": await opened_ahead(app)}
        found |= await longest(app, *"2345")
        await pilot.press("4")
        found |= await longest(app, *"mitoc", "escape", "down", "g")
        await pilot.press("g", "g", "2")
        await until(pilot, lambda: app.session.catalogue is not None)
        await settled(pilot)
        return found | await longest(app, "f", "end", "pageup")


async def test_no_key_makes_the_loop_work_longer_than_the_bound() -> None:
    """A busy machine is slow now and then, a slow app always: each key must hold the bound in one walk of a few."""
    least: dict[str, float] = {}
    for _ in range(MOST_WALKS):
        walk, scale = await measured_walk(FakePlanner()), YARD_S / yardstick()
        least = {key: min(least.get(key, found * scale), found * scale) for key, found in walk.items()}
        if max(least.values()) <= BOUND_S:
            return
    raise AssertionError({key: f"{found * 1e3:.0f} ms" for key, found in least.items() if found > BOUND_S})


async def test_panes_are_opened_ahead_while_nobody_types(planner: FakePlanner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.ahead.STILL_S", 0.2)
    monkeypatch.setattr("tui.ahead.PULSE_S", 0.01)
    app = app_on(planner=planner)
    async with running(app) as pilot:
        app.open_ahead_when_still()
        await until(pilot, lambda: all(app.walk.pane(step) is not None for step in STEPS))
        assert app.walk.step == "hardware" and app.focused is not None and app.focused.id == "devices"
        await pilot.press("4", "x")
        assert app.session.marked == (0,)


async def test_nothing_is_opened_while_somebody_types_or_a_step_opens(
    planner: FakePlanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("down")
        await app.open_ahead()
        assert app.walk.pane("model") is None, "a key was just pressed"
        app._last_key = 0.0
        monkeypatch.setattr(TypingOrder, "opening", True)
        await app.open_ahead()
        assert app.walk.pane("model") is None, "a step is being opened"
        monkeypatch.undo()
        await app.open_ahead()
        assert app.walk.pane("model") is not None


async def test_a_step_that_is_being_opened_ahead_is_waited_for(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        ahead = asyncio.create_task(app.walk.open_ahead())
        await asyncio.sleep(0)
        app.redraw()
        await app.walk.action_go("model")
        await ahead
        await pilot.pause()
        assert app.walk.step == "model" and app.focused is not None and app.focused.id == "models"
