"""Each step's own keys, on the real planner's answers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from textual.widgets import Input

from planner.presets import presets
from tests.tui.conftest import FakePlanner, app_on, running, screen_text, settled, until
from tui.catalogue_view import BEST
from tui.export_file import difference, written
from tui.hints import file_hint, hardware_hint, save_hint
from tui.modals.prompt import PromptModal
from tui.modals.reader import AnswerModal, ExplainModal, HelpModal
from tui.panes.export import ExportPane
from tui.panes.model import ModelPane
from tui.widgets.listing import Listing

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "nvidia-smi-q-x.tesla-t4.xml"


async def test_hardware_saved_is_hardware_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("s", "enter")
        await until(pilot, (tmp_path / "site.json").is_file)
        before = app.session.draft.inventory
        assert json.loads((tmp_path / "site.json").read_text())["nodes"][0]["devices"][0]["name"] == "NVIDIA H200"
        await pilot.press("e", *"rtx-4090", "enter")
        await until(pilot, lambda: app.session.draft.inventory != before)
        await pilot.press("o", *"site.json", "enter")
        await until(pilot, lambda: app.session.draft.site.startswith("site.json"))
        assert app.session.draft.inventory is not None and before is not None
        assert [d.name for d in app.session.draft.inventory.nodes[0].devices] == [
            d.name for d in before.nodes[0].devices
        ]


async def test_recorded_tool_output_opens() -> None:
    app = app_on()
    async with running(app) as pilot:
        app.load_hardware(str(RECORDED))
        await until(pilot, lambda: "T4" in screen_text(app))
        assert "recorded" in screen_text(app)


async def test_a_network_between_machines_is_an_input() -> None:
    app = app_on("2x8xH100")
    async with running(app) as pilot:
        assert "Fabric" in screen_text(app)
        await pilot.press("tab", "right")
        await settled(pilot)
        assert app.session.draft.inventory is not None and app.session.draft.inventory.fabric
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.inventory.fabric is None


async def test_the_catalogue_is_searched_taken_and_left_again(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("2")
        listing = app.walk.query_one("#models", Listing)
        await until(pilot, lambda: len(listing.listed) > 200)
        await pilot.press("slash", *"r1-distill")
        assert 1 < len(listing.listed) < 12 and all("R1-Distill" in key for key in listing.listed if key != BEST)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert app.walk.step == "workload"
        assert app.session.draft.model is not None and "R1-Distill" in app.session.draft.model
        await pilot.press("2", "home", "enter")
        await settled(pilot)
        assert app.session.draft.model is None


async def test_relatives_filters_and_orders_of_the_catalogue(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app) as pilot:
        await pilot.press("2")
        listing, pane = app.walk.query_one("#models", Listing), app.walk.query_one(ModelPane)
        await until(pilot, lambda: len(listing.listed) > 200 and len(app.session.fits) > 300)
        whole = list(listing.listed)
        await pilot.press("d")
        assert list(listing.listed) == whole, "the first row has no relatives"
        listing.go_to("deepseek-ai/DeepSeek-R1")
        await pilot.press("d")
        distills = set(listing.listed) - {BEST}
        assert "deepseek-ai/DeepSeek-R1-Distill-Llama-70B" in distills and len(distills) < 40
        assert listing.at.row == "deepseek-ai/DeepSeek-R1" and "relatives of DeepSeek-R1" in str(pane.border_title)
        await pilot.press("escape")
        assert list(listing.listed) == whole and listing.at.row == "deepseek-ai/DeepSeek-R1"
        await pilot.press("f")
        assert all(app.session.fits[key].mark in "✓~" for key in listing.listed if key != BEST)
        await pilot.press("f", "c")
        assert 2 < len(listing.listed) < len(whole)
        await pilot.press("c", "o")
        sizes = [app.library().catalogue.get(key).parameters_total or 0 for key in listing.listed if key != BEST]
        assert sizes == sorted(sizes, reverse=True)
        await pilot.press("o", "o")
        names = [key.rpartition("/")[2].lower() for key in listing.listed if key != BEST]
        assert names == sorted(names)


async def test_a_model_opens_with_its_licence_and_sources() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("2")
        listing = app.walk.query_one("#models", Listing)
        await until(pilot, lambda: "deepseek-ai/DeepSeek-R1" in listing.listed)
        listing.go_to("deepseek-ai/DeepSeek-R1")
        await pilot.press("question_mark")
        assert isinstance(app.screen, ExplainModal)
        assert {"licence", "parameters", "as fp8"} <= {name for name, _ in app.screen.explanation.rows}
        await pilot.press("escape")
        assert app.screen is app.walk


async def test_every_input_of_the_workload_reaches_the_planner(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app, (100, 40)) as pilot:
        await pilot.press("3", "right")
        await settled(pilot)
        second = list(presets().values())[1]
        assert app.session.draft.preset == second.name and planner.asked[-1].workload.isl == second.workload.isl
        await pilot.press("down", "right")
        await settled(pilot)
        assert planner.asked[-1].workload.request_rate == 1.0
        await pilot.press("left", "down", *"33", "enter", "down", "right", "down", *"777", "tab")
        await settled(pilot)
        load = planner.asked[-1].workload
        assert (load.concurrency, load.osl) == (33, 777) and load.isl != second.workload.isl
        assert app.session.draft.preset == "custom"
        for name, value in (("goal", "latency"), ("quality_floor", "bf16"), ("weights", "bf16")):
            app.walk.query_one(f"#choice-{name}").focus()
            await pilot.press("right")
            await settled(pilot)
            assert getattr(app.session.draft, name) == value
        assert planner.asked[-1].goal == "latency" and planner.asked[-1].quality_floor == "bf16"


async def test_pinning_shows_what_moved() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("p", "3", "down", "down", *"500", "enter")
        await settled(pilot)
        assert "▼ +" in screen_text(app), "more users wait longer"
        await pilot.press("u")
        await settled(pilot)
        assert " =" in screen_text(app)


async def test_the_tabs_of_a_plan_and_the_way_back() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4")
        for key, expected in (
            ("m", "Weights"),
            ("i", "service level"),
            ("t", "Prompt speed"),
            ("c", "Plan 1"),
            ("R", "e.g."),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert expected in screen_text(app), key
        await pilot.press("escape")
        await pilot.pause()
        assert "Ranked" in screen_text(app) and app.focused is app.walk.query_one("#ranking")


async def test_the_plan_under_the_cursor_is_the_answer_and_a_number_opens() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "down")
        await pilot.pause()
        assert app.session.selected == 1 and "Plan 2" in screen_text(app)
        await pilot.press("right", "question_mark")
        assert isinstance(app.screen, ExplainModal) and app.screen.explanation.title.startswith("First token · plan 2")
        await pilot.press("escape", "up", "a", "down", "question_mark")
        assert isinstance(app.screen, ExplainModal) and app.screen.explanation.title.startswith("Per token")


async def test_marked_plans_are_compared() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4", "down", "x", "down", "x", "c")
        await pilot.pause()
        assert app.session.marked == (1, 2)
        assert "Plan 2" in screen_text(app) and "Plan 3" in screen_text(app) and "●" in screen_text(app)


async def test_enter_on_a_rejection_applies_its_way_out(planner: FakePlanner) -> None:
    app = app_on("rtx-4090", planner)
    async with running(app) as pilot:
        await pilot.press("4", "R")
        await pilot.pause()
        listing = app.walk.query_one("#rejections", Listing)
        rules = [item.rule for item in app.session.plan.rejected] if app.session.plan else []
        listing.focus()
        listing.go_to(str(rules.index("quality-floor")))
        await pilot.press("enter")
        await settled(pilot)
        assert app.session.draft.quality_floor == "int3"
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.quality_floor is None


async def test_an_existing_file_is_shown_as_a_difference_and_replaced_on_the_second_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "deployment.toml"
    target.write_text("mine = 1\n")
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        await settled(pilot)
        pane = app.walk.query_one(ExportPane)
        await until(pilot, lambda: "mine = 1" in screen_text(app))
        assert "differs" in str(pane.border_title) and "-mine = 1" in screen_text(app)
        await pilot.press("w")
        await until(pilot, lambda: "exists" in screen_text(app))
        assert target.read_text() == "mine = 1\n"
        await pilot.press("w")
        await until(pilot, lambda: "Wrote" in screen_text(app))
        assert tomllib.loads(target.read_text())["model"]["id"] == "deepseek-ai/DeepSeek-R1"
        assert "Run now" in screen_text(app) and "verify deployment.toml" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "as this plan" in str(pane.border_title))
        assert app.walk.query_one("#targets").has_focus


async def test_another_name_asks_again_and_a_missing_folder_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deployment.toml").write_text("")
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5", "w")
        await until(pilot, lambda: "exists" in screen_text(app))
        await pilot.press("slash")
        app.walk.query_one("#export-path", Input).value = "no/such/place.toml"
        await pilot.press("enter", "w")
        await until(pilot, lambda: "There is no folder no/such" in screen_text(app))
        assert sorted(p.name for p in tmp_path.iterdir()) == ["deployment.toml"]


async def test_the_document_is_copied_by_osc_52() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        await pilot.press("y")
        await pilot.pause()
        assert tomllib.loads(app.clipboard)["schema"] == "deploy-planner/deployment/1"
        assert "Copied" in screen_text(app)


async def test_the_prompt_completes_while_typing() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("e", *"4xh20")
        assert isinstance(app.screen, PromptModal)
        await until(pilot, lambda: "4xh200-sxm-141gb" in screen_text(app))
        await pilot.press("down", "enter")
        line = app.screen.query_one(Input)
        assert line.value.startswith("4xh20") and line.has_focus
        line.value = "4xh200"
        await until(pilot, lambda: "4 accelerators" in screen_text(app))
        await pilot.press("escape")
        assert app.screen is app.walk


async def test_help_and_the_whole_answer_open_and_close() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("f1")
        assert isinstance(app.screen, HelpModal) and "accelerator" in screen_text(app)
        await pilot.press("escape", "a")
        assert isinstance(app.screen, AnswerModal) and "DeepSeek-R1" in screen_text(app)
        await pilot.press("down", "question_mark")
        assert isinstance(app.screen, ExplainModal)
        await pilot.press("escape", "escape")
        assert app.screen is app.walk


def test_hints_of_hardware_and_paths(tmp_path: Path) -> None:
    from tests.tui.conftest import LIBRARY

    assert "8 accelerators" in hardware_hint("8xh200", LIBRARY).words
    assert hardware_hint("2x8xmi3", LIBRARY).options[0].startswith("2x8xmi3")
    assert hardware_hint("8xzzzz", LIBRARY).mark == "✗"
    assert len(hardware_hint("", LIBRARY).options) == len(LIBRARY.database.accelerators())
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    assert list(file_hint(f"{tmp_path}/").options) == [f"{tmp_path}/a.json", f"{tmp_path}/sub/"]
    assert file_hint(f"{tmp_path}/a.json").words == "2 bytes"
    assert file_hint(f"{tmp_path}/nothing").mark == "✗"
    assert save_hint(f"{tmp_path}/no/x.json").mark == "✗" and save_hint(str(tmp_path)).mark == "✗"
    assert "replaced" in save_hint(f"{tmp_path}/a.json").words


def test_files_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    assert "folder" in written(tmp_path, "x", overwrite=False).words
    assert "no folder" in written(tmp_path / "a" / "b", "x", overwrite=True).words
    target = tmp_path / "t.toml"
    assert written(target, "one\n", overwrite=False).ok
    assert written(target, "two\n", overwrite=False).exists and target.read_text() == "one\n"
    found = difference(target, "two\n")
    assert found is not None and "-one" in found.lines and "+two" in found.lines
    target.write_bytes(b"\xff\xfe\x00")
    assert difference(target, "two\n") is None
