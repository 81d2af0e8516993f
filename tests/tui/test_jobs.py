"""Work beside the event loop: superseded, stopped, broken, hanging."""

from __future__ import annotations

import threading

import pytest

from planner.documents.inventory import Inventory
from planner.errors import BadInput
from planner.library import Library
from tests.tui.conftest import FakePlanner, answered, app_on, inventory_of, running, screen_text, settled, until


async def test_the_newest_inputs_win_and_older_answers_are_dropped(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.asked.clear()
        planner.gate = threading.Event()
        for users in (2, 3, 4):
            app._change({"users": users})
            await until(
                pilot, lambda users=users: bool(planner.asked) and planner.asked[-1].workload.concurrency == users
            )
        planner.gate.set()
        await settled(pilot)
        assert app.session.plan is not None and app.session.planned_for == app.session.draft
        assert app.session.plan.request["workload"]["concurrency"] == 4
        assert planner.stopped >= 2, "plans that were superseded were told to stop"


async def test_many_changes_at_once_are_planned_once(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.asked.clear()
        for users in range(2, 40):
            app._change({"users": users})
        await settled(pilot)
        assert [request.workload.concurrency for request in planner.asked] == [39]


async def test_escape_takes_what_there_is_so_far(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.gate = threading.Event()
        app._change({"users": 5})
        await until(pilot, lambda: app.running("plan") and bool(planner.asked[-1].workload.concurrency))
        assert "planning" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert planner.stopped == 1 and app.session.partial
        assert "stopped early" in screen_text(app)


async def test_keys_work_while_a_plan_is_being_made(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.gate = threading.Event()
        app._change({"users": 5})
        await until(pilot, lambda: app.running("plan"))
        await pilot.press("3")
        await pilot.press("down", "down", "right")
        await pilot.pause()
        assert app.walk.step == "workload" and app.session.draft.users is not None
        planner.gate.set()
        await settled(pilot)


@pytest.mark.parametrize(
    ("error", "said"),
    [(BadInput("model", "no such model", "search the catalogue"), "search the catalogue"), (KeyError("x"), "KeyError")],
)
async def test_a_planner_that_fails_is_said_and_the_app_goes_on(
    planner: FakePlanner, error: Exception, said: str
) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        planner.broken = error
        app._change({"users": 6})
        await until(pilot, lambda: app.session.failure is not None)
        assert said in screen_text(app)
        planner.broken = None
        await pilot.press("u")
        await settled(pilot)
        assert app.session.best is not None


async def test_a_driver_that_hangs_can_be_left(planner: FakePlanner) -> None:
    hang = threading.Event()

    def detect(library: Library) -> Inventory:
        hang.wait(30)
        return inventory_of("8xH200")

    app = app_on(planner=planner, detect=detect)
    async with running(app, settle=False) as pilot:
        await until(pilot, lambda: "looking at this machine" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in screen_text(app))
        await pilot.press("e", *"rtx-4090", "enter")
        await settled(pilot)
        assert app.session.draft.site.startswith("rtx-4090")
        hang.set()
        await pilot.pause()
        assert app.session.draft.site.startswith("rtx-4090"), "what was left arrives no more"


async def test_detection_that_breaks_says_so_and_leaves_a_way(planner: FakePlanner) -> None:
    def detect(library: Library) -> Inventory:
        raise RuntimeError("driver fell over")

    app = app_on(planner=planner, detect=detect)
    async with running(app, settle=False) as pilot:
        await until(pilot, lambda: "driver fell over" in screen_text(app))
        assert app.is_running


async def test_hardware_that_is_refused_changes_nothing(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        before = app.session.draft
        await pilot.press("e", *"8xNothing-9000", "enter")
        await until(pilot, lambda: len(app._notifications) > 0)
        assert app.session.draft == before
        assert "nearest" in next(iter(app._notifications)).message


async def test_other_hardware_is_planned_and_can_be_undone(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("e", *"8xMI300X", "enter")
        await until(pilot, lambda: app.session.draft.site.startswith("8xMI300X"))
        await settled(pilot)
        assert app.session.plan is not None and "MI300X" in screen_text(app)
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.inventory == inventory_of("8xH200")


async def test_badges_come_for_every_model_and_stop_on_escape(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: app.session.catalogue is not None and len(app.session.fits) > 10)
        total = len(app.library().catalogue.models())
        await until(pilot, lambda: len(app.session.fits) == total)
        fits = app.session.fits
        assert fits["deepseek-ai/DeepSeek-R1"].mark == "✓" and fits["deepseek-ai/DeepSeek-R1"].token
        assert not app.session.fits_activity
        app._change({"users": 3})
        await settled(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not app.running("fits"))
        known = len(app.session.fits)
        await pilot.press("down", "up")
        assert len(app.session.fits) == known


async def test_the_load_curve_is_of_the_plan_looked_at(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("4", "l")
        await until(pilot, lambda: app.session.load_curve is not None)
        first = app.session.load_curve
        assert first is not None and [point.users for point in first][:3] == [1, 2, 4]
        rates = [p.speed.output_tok_s.value for p in first if p.speed and p.speed.output_tok_s]
        assert rates == sorted(rates)
        await pilot.press("escape", "down", "l")
        await until(pilot, lambda: app.session.load_curve not in (None, first))


def test_an_answer_of_the_fake_is_the_real_planners() -> None:
    from tui.draft import Draft

    document = answered(Draft(inventory=inventory_of("8xH200")).request())
    assert document.candidates and document.request["models"] == ["deepseek-ai/DeepSeek-R1"]
