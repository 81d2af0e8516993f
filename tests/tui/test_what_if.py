"""What if: single changes against the pinned plan, worked out beside everything else, taken by Enter or left."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.presets import preset
from tests.tui.conftest import (
    LIBRARY,
    TRAINED,
    FakePlanner,
    answered,
    app_on,
    inventory_of,
    running,
    screen_text,
    settled,
    trained,
    until,
)
from tui.app import PlannerApp
from tui.draft import Draft
from tui.inputs.workload import NUMBERS
from tui.modals.reader import ExplainModal
from tui.modals.what_if import WhatIfScreen
from tui.needs import Training
from tui.trace import read_trace_file
from tui.what_if import changes_for
from tui.what_if_rows import BASE, SHOWN, columns
from tui.widgets.listing import Listing

TRACE = Path(__file__).parents[2] / "examples" / "traces" / "office-hour.csv"
DRAFT = Draft(inventory=inventory_of("8xH200"), model="deepseek-ai/DeepSeek-R1").with_preset(preset("chat"))


def listing(app: PlannerApp) -> Listing:
    return app.screen.query_one("#what-ifs", Listing)


def all_known(app: PlannerApp) -> bool:
    return (
        isinstance(app.screen, WhatIfScreen)
        and "left to work out" not in screen_text(app)
        and not app.running("what-if")
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_change_is_held_against_the_plan_and_escape_leaves_all_as_it_was(
    size: tuple[int, int], planner: FakePlanner
) -> None:
    app = app_on(planner=planner)
    async with running(app, size) as pilot:
        await pilot.press("3")
        session = app.session
        before = (session.draft, session.plan, list(session.done), session.pinned, session.selected)
        await pilot.press("w")
        await until(pilot, lambda: all_known(app))
        screen = screen_text(app)
        for words in ("Plan 1", "Users ×2: 128", "KV cache fp8", "One GPU fewer: 7", "▼", "▲", "^P commands"):
            assert words in screen, words
        asked = [request.workload.concurrency for request in planner.asked]
        assert 128 in asked and 32 in asked and "fp8" in [request.kv_cache for request in planner.asked]
        cells = listing(app).listed["users-double"].cells
        assert cells["ttft_s"].endswith("%") and "▼" in cells["ttft_s"] and "▲" in cells["output_tok_s"]
        assert ("ms ▼" in cells["ttft_s"]) == (size[0] > 80), "values too where there is room"
        await pilot.press("escape")
        assert app.screen is app.walk
        assert (session.draft, session.plan, list(session.done), session.pinned, session.selected) == before


async def test_enter_takes_a_change_with_the_answer_that_was_shown(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "w")
        await until(pilot, lambda: all_known(app))
        base, count = app.session.best, len(planner.asked)
        listing(app).go_to("users-double")
        await pilot.press("enter")
        await until(pilot, lambda: app.session.draft.users == 128)
        assert app.session.current and len(planner.asked) == count, "nothing is planned a second time"
        assert app.session.pinned is base and app.screen is app.walk
        assert any("u takes it back" in notice.message for notice in app._notifications)
        assert "▼ +" in screen_text(app)
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.users is None


async def test_a_pinned_plan_is_what_is_compared_with(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("p", "3", "down", "down", *"500", "enter")
        await settled(pilot)
        pinned = app.session.pinned
        await pilot.press("w")
        await until(pilot, lambda: all_known(app))
        assert "Against the pinned plan" in screen_text(app) and "Pinned plan" in screen_text(app)
        assert "▼" in listing(app).listed["answer-double"].cells["ttft_s"]
        await pilot.press("p")
        await until(pilot, lambda: app.session.pinned is not pinned)
        assert "Against the pinned plan" in screen_text(app)


async def test_keys_work_while_the_rows_fill_and_leaving_stops_them(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("3")
        planner.gate = threading.Event()
        await pilot.press("w")
        await until(pilot, lambda: app.running("what-if"))
        await pilot.press("down", "down", "right")
        assert listing(app).at.row == "users-half" and "left to work out" in screen_text(app)
        assert listing(app).listed["users-half"].cells["verdict"] == "…"
        await pilot.press("escape")
        await until(pilot, lambda: planner.stopped == 1)
        planner.gate = None
        await pilot.press("down", "down", *"77", "enter")
        await settled(pilot)
        assert app.session.draft.users == 77 and app.session.current


async def test_a_change_that_is_taken_before_it_is_known_is_planned(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("3")
        planner.gate = threading.Event()
        await pilot.press("w", "down", "enter")
        await until(pilot, lambda: app.session.draft.users == 128)
        planner.gate.set()
        await settled(pilot)
        assert app.session.current and planner.asked[-1].workload.concurrency == 128


async def test_where_nothing_fits_the_reason_stands_and_enter_takes_nothing(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        app._change(
            {"weights": "bf16", "model": "meta-llama/Llama-3.3-70B-Instruct", "inventory": inventory_of("2xH100")}
        )
        await settled(pilot)
        assert app.session.best is not None
        await pilot.press("4", "w")
        await until(pilot, lambda: all_known(app))
        draft = app.session.draft
        row = listing(app).listed["gpu-1"]
        assert row.cells["verdict"] == "✗" and "of memory together" in row.about
        listing(app).go_to("gpu-1")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, WhatIfScreen) and "Not taken" in screen_text(app) and app.session.draft == draft


async def test_what_the_planner_refuses_is_said_in_its_row(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("3")
        planner.broken = BadInput("engine", "is unknown", "name another")
        await pilot.press("w")
        await until(pilot, lambda: all_known(app))
        assert "engine: is unknown" in listing(app).listed["users-double"].about
        assert "internal error" not in screen_text(app)


async def test_a_figure_of_a_change_opens(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("3", "w")
        await until(pilot, lambda: all_known(app))
        await pilot.press("down", "right", "question_mark")
        assert isinstance(app.screen, ExplainModal) and "Users ×2: 128" in app.screen.explanation.title


async def test_elsewhere_the_key_is_another_or_none(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("1", "w")
        assert app.screen is app.walk
        await pilot.press("2", "w")
        assert app.screen is app.walk
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        assert app.screen is app.walk


async def test_a_training_job_has_changes_of_its_own() -> None:
    app = app_on("2xRTX-4090")
    async with running(app, (120, 40)) as pilot:
        app._change({"model": TRAINED, "purpose": "tune"})
        await settled(pilot)
        await pilot.press("3", "w")
        await until(pilot, lambda: all_known(app))
        rows = listing(app).listed
        assert {BASE, "seq_len-double", "batch-double", "gpu+1"} <= set(rows)
        assert set(SHOWN["tune"]) <= set(rows["seq_len-double"].cells)


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"users": 10_000}, {"users": 1}, {"load": "rate", "rate": 1}, {"load": "full"}, {"isl": 1_000_000},
        {"max_model_len": 10_000_000}, {"max_model_len": 256}, {"kv_cache": "fp8"}, {"engine": "vllm"},
        {"weights": "fp8"}, {"osl": 200_000, "users": 9_999},
    ],
)  # fmt: skip
def test_changes_change_something_stay_in_bounds_and_have_keys_of_their_own(changes: dict[str, object]) -> None:
    document = answered(DRAFT.request())
    draft = replace(DRAFT, **changes)
    found = changes_for(draft, document.candidates[0], document)
    assert found and len({change.key for change in found}) == len(found)
    for change in found:
        changed = change.draft(draft)
        assert changed != draft
        for number in NUMBERS:
            value = getattr(changed, number.name)
            assert value == getattr(draft, number.name) or number.low <= value <= number.high


def test_a_trace_keeps_its_lengths_and_scales_its_rate() -> None:
    document = answered(DRAFT.request())
    draft = DRAFT.changed(read_trace_file(str(TRACE), "s").changes())
    found = {change.key: change.draft(draft) for change in changes_for(draft, document.candidates[0], document)}
    assert "prompt-double" not in found and all(changed.trace is not None for changed in found.values())
    double = found["rate-double"].workload().request_rate
    assert double is not None and double == pytest.approx(2 * round(draft.rate or 0) / 60)


def test_cards_that_differ_are_not_counted_up() -> None:
    document = answered(DRAFT.request())
    nodes = (*inventory_of("8xH200").nodes, *inventory_of("2xH100").nodes)
    draft = replace(DRAFT, inventory=replace(inventory_of("8xH200"), nodes=nodes))
    assert not [c for c in changes_for(draft, document.candidates[0], document) if "inventory" in c.changes]
    cpu = replace(DRAFT, inventory=inventory_of("cpu"))
    assert {c.key for c in changes_for(cpu, document.candidates[0], document) if "inventory" in c.changes} == {
        "machine+1"
    }


def test_more_and_fewer_cards_are_the_same_cards() -> None:
    document = answered(DRAFT.request())
    found = {change.key: change.changes for change in changes_for(DRAFT, document.candidates[0], document)}
    for key, count in (("gpu+1", 9), ("gpu-1", 7)):
        node = found[key]["inventory"].nodes[0]
        assert [device.index for device in node.devices] == list(range(count)) and node.link == "nvlink4"
        assert {device.accelerator for device in node.devices} == {"h200-sxm-141gb"}
    assert found["machine+1"]["inventory"].nodes[0].count == 2 and found["gpu+1"]["site"].endswith(", changed")


def test_training_inputs_double_from_the_presets_numbers() -> None:
    draft = Draft(inventory=inventory_of("2xRTX-4090"), model=TRAINED, purpose="tune", training=Training())
    document = trained(
        draft.training.request(inventory_of("2xRTX-4090"), TRAINED), LIBRARY, lambda *_: None, lambda: False
    )  # type: ignore[arg-type]
    found = {
        change.key: change.draft(draft).training for change in changes_for(draft, document.candidates[0], document)
    }
    assert found["seq_len-double"].seq_len and found["batch-double"].batch


@pytest.mark.parametrize("purpose", ["serve", "tune", "buy"])
@pytest.mark.parametrize("width", [76, 116, 196])
def test_columns_fit_their_place(purpose: str, width: int) -> None:
    shown = columns(purpose, width)
    assert sum(column.width + 2 for column in shown if not column.need) - 2 <= width
