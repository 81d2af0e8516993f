"""Recorded requests as the workload: asked for, taken, refused beside the field, kept, simulated."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from planner.documents.trace import read_trace
from planner.trace_load import load_of
from tests.tui.conftest import FakePlanner, app_on, running, screen_text, settled, until
from tui.app import PlannerApp
from tui.draft import Draft
from tui.modals.prompt import PromptModal
from tui.modals.reader import ExplainModal
from tui.modals.simulated import SimulatedScreen
from tui.session_document import Kept, document_of, kept_of
from tui.trace import Trace, plain_of, read_trace_file, trace_of
from tui.widgets.listing import Listing

HOUR = Path(__file__).parents[2] / "examples" / "traces" / "office-hour.csv"
HEAD = "timestamp,input_tokens,output_tokens\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.csv").write_text(HEAD + "0,100,20\n1,300,40\n2,500,60\n3,1100,80\n")
    (tmp_path / "columns.csv").write_text("a,b\n1,2\n")
    (tmp_path / "nan.csv").write_text(HEAD + "0,nan,20\n1,-4,40\n")
    (tmp_path / "year.csv").write_text(HEAD + "0,1,1\n99999999,1,1\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.csv").write_text("")
    return tmp_path


async def taken(app: PlannerApp, pilot: object, name: str) -> None:
    """Ask for a file by its path, as typed."""
    await pilot.press("o")  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(app.screen, PromptModal))  # type: ignore[arg-type]
    app.screen.query_one(Input).value = name
    await pilot.press("enter")  # type: ignore[attr-defined]
    await until(pilot, lambda: app.screen is app.walk and not app.running("trace"))  # type: ignore[arg-type]
    await settled(pilot)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_last_preset_asks_for_a_file_which_becomes_the_load(
    size: tuple[int, int], folder: Path, planner: FakePlanner
) -> None:
    app = app_on(planner=planner)
    async with running(app, size) as pilot:
        await pilot.press("3", *["right"] * 8)
        await until(pilot, lambda: isinstance(app.screen, PromptModal))
        assert app.session.draft.preset == "custom", "nothing is taken yet"
        await pilot.press(*"few")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "4 requests in 3.0 s" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.session.draft.trace is not None)
        await settled(pilot)
        load = planner.asked[-1].workload
        assert (load.isl, load.osl, load.request_rate, load.concurrency) == (500, 50, 1.0, None)
        assert load.isl_cv and planner.asked[-1].max_model_len == 2048
        assert load.service_level is not None, "promises stay"
        screen = screen_text(app)
        assert "‹ few.csv ›" in screen and "4 requests in 3.0 s, 60 a minute" in screen
        assert screen.count("from the trace") == 4
        assert app.focused is app.walk.query_one("#choice-preset")
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.trace is None and app.session.draft.preset == "custom"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.csv", "no such file"),
        (".", "is a directory"),
        ("~nobody-of-that-name/x.csv", "no such file"),
        ("columns.csv", "has no column for the time of a request"),
        ("nan.csv", "is not finite"),
        ("year.csv", "spans more than a year"),
        ("binary.csv", "is not UTF-8"),
        ("empty.csv", "has no column"),
        ("/dev/zero", "no such file"),
    ],
)
async def test_a_file_that_is_no_trace_is_said_beside_the_field_and_changes_nothing(
    name: str, said: str, folder: Path
) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3")
        before = app.session.draft
        await taken(app, pilot, name)
        assert app.session.draft == before and app.session.current
        assert f"✗ {name}" in screen_text(app).replace(str(folder) + "/", "")
        assert said in " ".join(screen_text(app).replace("│", " ").split())
        await pilot.press("down", "right")
        assert "✗" not in screen_text(app).partition("Users at once")[0], "gone with the next change"


async def test_while_typing_the_prompt_says_what_a_file_is(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3", "o")
        await until(pilot, lambda: isinstance(app.screen, PromptModal))
        line = app.screen.query_one(Input)
        for name, said in (("nan.csv", "is not finite"), ("few.csv", "✓ 4 requests"), ("fewer", "no such file")):
            line.value = name
            await until(pilot, lambda said=said: said in screen_text(app))  # type: ignore[misc]
        await pilot.press("escape")
        assert app.screen is app.walk and app.session.draft.trace is None


async def test_times_in_milliseconds_are_read_again(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3")
        await taken(app, pilot, "few.csv")
        assert app.session.draft.rate == 60
        app.walk.query_one("#choice-trace_unit").focus()
        await pilot.press("right")
        await until(pilot, lambda: app.session.draft.rate == 60_000)
        assert app.session.draft.trace is not None and app.session.draft.trace.unit == "ms"


async def test_promises_and_rate_keep_the_trace_lengths_do_not(folder: Path, planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("3")
        await taken(app, pilot, "few.csv")
        for name, keys in (("ttft_ms", "900"), ("rate", "30"), ("max_model_len", "4096")):
            app.walk.query_one(f"#number-{name}").focus()
            await pilot.press(*keys, "enter")
        await settled(pilot)
        assert app.session.draft.preset == "trace" and planner.asked[-1].workload.request_rate == 0.5
        assert screen_text(app).count("from the trace") == 2, "those that are still its own"
        app.walk.query_one("#number-isl").focus()
        await pilot.press(*"800", "enter")
        await settled(pilot)
        assert (app.session.draft.preset, app.session.draft.trace) == ("custom", None)
        assert "few.csv" not in screen_text(app) and planner.asked[-1].workload.isl_cv is None


async def test_the_trace_is_run_through_the_scheduler_of_the_plan(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3")
        await taken(app, pilot, "few.csv")
        await pilot.press("4", "s")
        await until(pilot, lambda: isinstance(app.screen, SimulatedScreen))
        await until(pilot, lambda: app.screen.query_one(Listing).has_focus)
        screen = screen_text(app)
        for words in ("few.csv: 4 requests as they came", "First token", "Whole answer", "p99", "✓≤2.0 s", "100"):
            assert words in screen
        await pilot.press("right", "right", "question_mark")
        assert isinstance(app.screen, ExplainModal) and app.screen.explanation.title == "First token · 90 % within"
        await pilot.press("escape", "escape")
        assert app.screen is app.walk


async def test_a_load_without_a_trace_is_simulated_too_and_can_be_left(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4", "s")
        await until(pilot, lambda: isinstance(app.screen, SimulatedScreen))
        await pilot.press("escape")
        assert app.screen is app.walk
        await pilot.press("s")
        await until(pilot, lambda: bool(app.screen.query(Listing)) and bool(app.screen.query_one(Listing).listed))
        assert "Promises kept" in screen_text(app)


async def test_an_engine_without_a_scheduler_to_simulate_is_said(folder: Path) -> None:
    app = app_on("rtx-4090")
    async with running(app) as pilot:
        app._change({"model": "Qwen/Qwen3-8B", "engine": "llama.cpp"})
        await settled(pilot)
        await pilot.press("4", "s")
        await until(pilot, lambda: "Nothing was run" in screen_text(app))
        said = " ".join(screen_text(app).replace("│", " ").split())
        assert "its scheduler is not simulated → estimate answers for it" in said
        await pilot.press("escape")
        assert app.screen is app.walk


async def test_a_queue_that_grows_is_said_above_the_times(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        app._change({"load": "rate", "rate": 600_000})
        await settled(pilot)
        assert app.session.best is not None
        await pilot.press("4", "s")
        await until(pilot, lambda: isinstance(app.screen, SimulatedScreen) and app.screen.query_one(Listing).has_focus)
        assert "the queue grows without bound →" in " ".join(screen_text(app).replace("│", " ").split())


async def test_a_trace_that_is_gone_by_then_is_said(folder: Path) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3")
        await taken(app, pilot, "few.csv")
        (folder / "few.csv").unlink()
        await pilot.press("4", "s")
        await until(pilot, lambda: "no such file" in screen_text(app))


def test_a_trace_is_kept_with_the_session_and_checked_when_it_comes_back() -> None:
    found = read_trace_file(str(HOUR), "s")
    draft = Draft().changed(found.changes())
    document = document_of(Kept((draft,), 0, "workload", "2026-01-01 00:00", None))
    assert kept_of(document, "session", ("workload",)).draft == draft
    assert draft.workload().request_rate == load_of(read_trace(HOUR)).rate, "the exact rate, not the one that is shown"


@pytest.mark.parametrize(
    "change",
    [
        {"path": ""}, {"path": 5}, {"path": "x" * 5000}, {"path": "a\nb"}, {"unit": "h"}, {"load": None},
        {"load": {"rate": 1}}, {"more": 1},
        *({"load": {name: value}} for name in ("rate", "isl") for value in (0, -1, math.nan, math.inf, "1", True)),
        {"load": {"requests": 0}}, {"load": {"longest": 1.5}},
    ],
)  # fmt: skip
def test_a_kept_trace_that_nobody_wrote_is_none(change: dict[str, object]) -> None:
    plain = plain_of(read_trace_file(str(HOUR), "s"))
    assert plain is not None and trace_of(plain) == read_trace_file(str(HOUR), "s")
    load = change.get("load", {})
    if isinstance(load, dict) and load != {"rate": 1}:
        change = {**change, "load": {**plain["load"], **load}}
    assert trace_of({**plain, **change}) is None


def test_numbers_stay_within_their_fields(tmp_path: Path) -> None:
    (tmp_path / "huge.csv").write_text(HEAD + "0,10000000,10000000\n0.0000001,10000000,10000000\n")
    found: Trace = read_trace_file(str(tmp_path / "huge.csv"), "s")
    draft = Draft().changed(found.changes())
    assert (draft.isl, draft.osl, draft.rate) == (1_000_000, 200_000, 600_000)
    assert draft.workload().isl == 10_000_000
