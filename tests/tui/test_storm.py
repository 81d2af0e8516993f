"""Many keys in no order, sizes that change, plans that come late, break or are superseded: nothing crashes or hangs."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.errors import BadInput
from planner.library import Library
from tests.tui.conftest import answered, app_on, inventory_of, running, screen_text, until
from tests.tui.test_typing import SIGNS
from tui.app import PlannerApp
from tui.draft import Draft

KEYS = (*"12345" * 3, *"nbgu" * 2, *"pxcmitloRafdUPFrTeE?/$", *("up", "down", "left", "right", "tab", "enter") * 4,
        *("escape", "backspace", "home", "end", "pagedown", "ctrl+r", "space") * 2, *"7dq4-")  # fmt: skip
SIZES = ((80, 24), (120, 40), (200, 60), (40, 10))


@dataclass
class Jittery:
    """Plans after a random while, breaks now and then, says for how many users it planned."""

    dice: random.Random
    base: PlanDocument = field(default_factory=lambda: answered(Draft(inventory=inventory_of("8xH200")).request()))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(
        self, request: PlanRequest, library: Library, progress: Callable[[int, int, str], None],
        stopped: Callable[[], bool],
    ) -> PlanDocument:  # fmt: skip
        with self.lock:
            fate, end = self.dice.random(), time.monotonic() + self.dice.random() * 0.03
        if request.limit == 1:
            return PlanDocument(verdict="unknown", request={}, inventory={})
        while time.monotonic() < end and not stopped():
            progress(0, 2, "one of two")
            time.sleep(0.001)
        if fate < 0.1:
            raise BadInput("plan", "is broken this time")
        if fate < 0.15:
            raise KeyError("a defect")
        users = request.workload.concurrency if request.workload else None
        return replace(self.base, request={**self.base.request, "users": users})


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_of_keys_ends_in_an_answer_to_the_last_question(elsewhere: None, seed: int) -> None:
    dice = random.Random(seed)
    app = app_on(plan=Jittery(random.Random(seed)).plan)
    app._debounce_s = 0.01
    async with running(app, (120, 40), settle=False) as pilot:
        for _ in range(25):
            for key in dice.choices([key for key in KEYS if key != "q"], k=dice.randint(1, 6)):
                app.post_message(events.Key(SIGNS.get(key, key), key if len(key) == 1 else None))
            if dice.random() < 0.1:
                await pilot.resize_terminal(*dice.choice(SIZES))
            await asyncio.sleep(dice.random() * 0.02)
        await pilot.resize_terminal(120, 40)
        await at_rest(app, pilot)
        session = app.session
        if session.failure is None and session.draft.purpose == "serve" and session.plan is not None:
            assert session.planned_for == session.draft
            assert session.plan.request["users"] == session.draft.request().workload.concurrency  # type: ignore[union-attr]


async def at_rest(app: PlannerApp, pilot: Pilot[None]) -> None:
    """Every dialog left, every question answered or given up, and nothing on the screen says otherwise."""
    for _ in range(20):
        await until(pilot, lambda: not app._typed and app._following is None)
        if app.screen is app.walk:
            break
        await pilot.press("escape")
    assert app.screen is app.walk
    await until(pilot, lambda: not app.planning and not app.running("hardware") and not app.running("fits"))
    await pilot.pause(0.05)
    assert app.session.activity == "" or app.session.activity.startswith(("not planned", "stopped")), (
        app.session.activity
    )
    assert "planning" not in screen_text(app) and not app.session.fits_activity


async def test_back_to_the_same_question_while_it_is_planned_waits_for_the_whole_answer(elsewhere: None) -> None:
    """The plan that was stopped for another question does not answer when the question is asked again."""
    gate, asked, found = threading.Event(), [], answered(Draft(inventory=inventory_of("8xH200")).request())

    def plan(request: PlanRequest, library: Library, progress: object, stopped: Callable[[], bool]) -> PlanDocument:
        asked.append(request)
        while not gate.is_set() and not stopped():
            time.sleep(0.001)
        return found

    app = app_on(plan=plan)
    app._debounce_s = 0.3
    async with running(app, settle=False) as pilot:
        await until(pilot, lambda: bool(asked))
        first = app.session.draft
        app._change({"users": 99})
        app._change({"users": first.users})
        assert app.session.draft == first
        for _ in range(20):
            await pilot.pause(0.003)
            assert not app.session.partial and app.session.plan is None
        gate.set()
        await until(pilot, lambda: app.session.current and not app.planning)
        assert not app.session.partial and len(asked) == 2


async def test_a_badge_that_was_stopped_is_none(elsewhere: None) -> None:
    """A plan that was stopped early found nothing: that says nothing about the model."""
    began, last = threading.Event(), []

    def plan(request: PlanRequest, library: Library, progress: object, stopped: Callable[[], bool]) -> PlanDocument:
        if request.limit == 1:
            last.append(request.models[0])
            began.set()
            while not stopped():
                time.sleep(0.001)
            return PlanDocument(verdict="does-not-fit", request={}, inventory={})
        return answered(Draft(inventory=inventory_of("8xH200")).request())

    app = app_on(plan=plan)
    async with running(app) as pilot:
        await pilot.press("2")
        await until(pilot, began.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: not app.running("fits"))
        assert last and not set(last) & set(app.session.fits) and not app.session.fits_activity
