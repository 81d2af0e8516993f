"""The walk from launch to a document, forwards, backwards and straight to a step."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.documents.files import read_deployment
from tests.tui.conftest import FakePlanner, app_on, running, screen_text, settled, until
from tui.purposes import STEPS


async def test_five_times_enter_reaches_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From launch on detected hardware to a written, readable deployment in fewer than ten keys."""
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with running(app) as pilot:
        for step in STEPS[1:]:
            await pilot.press("enter")
            await settled(pilot)
            assert app.walk.step == step
        await pilot.press("enter")
        await until(pilot, (tmp_path / "deployment.toml").is_file)
    assert app.session.best is not None
    written = read_deployment(tmp_path / "deployment.toml")
    assert written.model.id == app.session.best.deployment["model"]["id"]
    assert written.provenance is not None and written.estimate


async def test_every_step_is_a_digit_away_and_back_again() -> None:
    app = app_on()
    async with running(app) as pilot:
        for digit in "5432112345":
            await pilot.press(digit)
            await pilot.pause()
            assert app.walk.step == STEPS[int(digit) - 1]
            assert app.focused is not None, f"step {digit} has nothing under the cursor"


async def test_next_and_back_stop_at_the_ends() -> None:
    app = app_on()
    async with running(app) as pilot:
        for _ in range(7):
            await pilot.press("n")
            await pilot.pause()
        assert app.walk.step == "export"
        for _ in range(7):
            await pilot.press("ctrl+left")
            await pilot.pause()
        assert app.walk.step == "hardware"
        await pilot.press("ctrl+right")
        await pilot.pause()
        assert app.walk.step == "model"
        await pilot.press("q")
        await pilot.pause()
        assert app.walk.step == "hardware"


async def test_the_answer_is_on_the_screen_at_every_step() -> None:
    app = app_on()
    async with running(app) as pilot:
        for digit in "12345":
            await pilot.press(digit)
            await settled(pilot)
            assert "DeepSeek-R1 fp8" in screen_text(app)
            assert "✓ fits" in screen_text(app)


async def test_what_is_under_the_cursor_is_explained_at_every_step() -> None:
    app = app_on()
    async with running(app) as pilot:
        said = set()
        for digit in "12345":
            await pilot.press(digit)
            await settled(pilot)
            words = str(app.walk.query_one("#explain").content)
            assert len(words) > 20
            said.add(words)
        assert len(said) == 5


async def test_steps_are_ticked_when_they_have_what_they_need() -> None:
    app = app_on()
    async with running(app) as pilot:
        assert "4 Plans ✓" in screen_text(app)
        await pilot.press("5")
        await settled(pilot)
        assert "5 Export ●" in screen_text(app)


async def test_undo_takes_back_a_model_and_redo_makes_it_again() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("2")
        await settled(pilot)
        await pilot.press("slash", *"./nowhere", "enter")
        await settled(pilot)
        assert app.session.draft.model == "./nowhere"
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.model is None
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert app.session.draft.model == "./nowhere"


async def test_the_first_hardware_is_where_one_starts_and_no_step_to_undo() -> None:
    app = app_on()
    async with running(app) as pilot:
        assert not app.session.done
        await pilot.press("u")
        await pilot.pause()
        assert app.session.draft.inventory is not None


async def test_a_plan_that_is_impossible_says_why_and_what_to_change(planner: FakePlanner) -> None:
    app = app_on("rtx-4090", planner)
    async with running(app) as pilot:
        text = screen_text(app)
        assert "Nothing that fits" in text
        await pilot.press("5")
        await pilot.pause()
        assert "Nothing to export" in screen_text(app)
        await pilot.press("w")
        await pilot.pause()
    assert not Path("deployment.toml").exists()


async def test_what_fails_while_the_app_is_left_changes_nothing(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app):
        app.exit(None, 129)
        app._handle_exception(RuntimeError("a step that was being opened"))
    assert app.return_code == 129 and app._exception is None
