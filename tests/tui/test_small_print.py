"""What stands on the screen is whole, is of now, and does what it says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from planner.documents.files import write_whole
from planner.errors import BadInput
from tests.tui.conftest import TRAINED, FakePlanner, app_on, running, screen_text, settled, until
from tui.app import PlannerApp
from tui.export_file import written
from tui.modals.reader import HelpModal
from tui.modals.what_if import WhatIfScreen
from tui.text import elided, short_count
from tui.what_if_rows import BASE
from tui.widgets.key_line import KeyLine
from tui.widgets.listing import Listing

TOO_LARGE = "moonshotai/Kimi-K3"
"""No plan of it fits into 8 × H200."""
FULL = Path("/dev/full")


def keys_of(app: PlannerApp) -> set[str]:
    return {key.label for key in app.screen.query_one(KeyLine)._keys}


async def test_the_line_of_keys_has_no_key_that_does_nothing() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: {"Why", "Mark"} <= keys_of(app))
        app._change({"model": TOO_LARGE})
        await settled(pilot)
        await until(pilot, lambda: not {"Why", "Mark"} & keys_of(app))
        assert "Rejected" in keys_of(app)
        await pilot.press("5")
        await until(pilot, lambda: app.walk.step == "export")
        await until(pilot, lambda: not {"Write", "Copy"} & keys_of(app))
        await pilot.press("3")
        await until(pilot, lambda: app.walk.step == "workload" and "Plans" in keys_of(app))
        assert "What if" not in keys_of(app)


async def test_a_tab_never_goes_on_showing_a_plan_that_is_gone() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "m")
        await until(pilot, lambda: "Activations" in screen_text(app))
        app._change({"model": TOO_LARGE})
        await settled(pilot)
        await until(pilot, lambda: "Activations" not in screen_text(app))
        assert "Nothing that fits was found" in screen_text(app)
        assert "R: all reasons" in screen_text(app) and "Enter there applies" not in screen_text(app)
        await pilot.press("u")
        await settled(pilot)
        await pilot.press("m")
        await until(pilot, lambda: "Activations" in screen_text(app))


async def test_hardware_that_is_refused_says_why_in_full_and_explains_itself() -> None:
    reason = f"rack.json: nodes.0.{'name' * 30}: unknown key — known here: host, devices, link and the last of them"

    def refuse(library: object) -> object:
        raise BadInput("rack.json", reason.partition(": ")[2])

    app = app_on(detect=refuse)
    async with running(app, settle=False) as pilot:
        await until(pilot, lambda: app.session.failure is not None)
        await until(pilot, lambda: "the last of them" in screen_text(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpModal))


async def test_a_power_limit_of_four_digits_is_whole() -> None:
    app = app_on("8xB200")
    async with running(app, (100, 30)) as pilot:
        await until(pilot, lambda: "1000 W" in screen_text(app))


async def test_columns_side_by_side_share_the_width() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("4", "c")
        await until(pilot, lambda: "sglang 0.5.16" in screen_text(app) or "vllm 0.33.0" in screen_text(app))
        widths = [width for column, width in app.walk.query_one("#comparison", Listing).shown if column.key != "name"]
        assert len(widths) == 2 and min(widths) > 20


async def test_down_goes_from_write_to_the_targets() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        targets = app.walk.query("#targets")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "write" and bool(targets))
        await until(pilot, lambda: app.walk.query_one("#targets", Listing).display)
        await pilot.press("down", "down")
        assert app.focused is app.walk.query_one("#targets", Listing)


async def test_what_if_holds_the_best_with_a_change_against_the_best_without(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "down", "down")
        await until(pilot, lambda: app.session.selected == 2)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhatIfScreen) and not app.running("what-if"))
        screen = app.screen
        assert isinstance(screen, WhatIfScreen) and app.session.plan is not None
        assert screen._base is app.session.plan.candidates[0]
        assert "Against plan 1" in screen_text(app)
        assert screen.query_one(Listing).listed[BASE].cells["change"] == "Plan 1"


async def test_what_if_names_the_model_where_it_becomes_another() -> None:
    from tui.what_if import Change
    from tui.what_if_rows import Outcome, row_of

    app = app_on()
    async with running(app):
        plan = app.session.plan
        assert plan is not None
        base = plan.candidates[0]
        other = replace(base, deployment={**base.deployment, "model": {"id": "google/gemma-4-31B-it"}})
        change = Change("users-half", "Users ÷2: 8", {"users": 8})
        same = row_of(Outcome(change, answer=plan), base, "serve", 80)
        moved = row_of(Outcome(change, answer=replace(plan, candidates=(other,))), base, "serve", 80)
    assert same.cells["change"] == "Users ÷2: 8" and moved.cells["change"] == "Users ÷2: 8 → gemma-4-31B-it"


async def test_a_room_is_of_the_longest_requests_and_users_are_of_the_load() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await until(pilot, lambda: "Room for" in screen_text(app))
        line = next(line for line in screen_text(app).splitlines() if "Room for" in line)
        assert "of 32k" in line
        app._change({"purpose": "buy", "model": TRAINED})
        await settled(pilot)
        await pilot.press("4")
        await until(pilot, lambda: app.walk.step == "plans" and "Fleets" in screen_text(app))
        labels = [column.label for column, _ in app.walk.query_one("#buy-plans #ranking", Listing).shown]
        assert "Users" in labels and "Room" not in labels


async def test_the_folded_answer_to_buying_says_what_is_bought_and_what_it_costs() -> None:
    app = app_on()
    async with running(app) as pilot:
        app._change({"purpose": "buy", "model": TRAINED})
        await settled(pilot)
        offer = app.session.offer
        assert offer is not None
        shown = screen_text(app)
        assert offer.title in shown and "to buy" in shown and "a month" in shown and " users" in shown


async def test_another_place_to_write_to_leaves_no_word_about_the_one_before() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.walk.step == "export" and app.session.rendered is not None)
        place = app.walk.query_one("#export-path", Input)
        place.value = "/nowhere/at/all.toml"
        await pilot.press("w")
        await until(pilot, lambda: "There is no folder" in screen_text(app))
        place.value = "other.toml"
        await until(pilot, lambda: "There is no folder" not in screen_text(app))
        await pilot.press("w")
        await until(pilot, lambda: "Run now" in screen_text(app))
        place.value = "third.toml"
        await until(pilot, lambda: "Run now" not in screen_text(app) and "llama" not in screen_text(app))
        assert app.walk.query_one("#targets", Listing).display


async def test_commands_to_run_take_names_that_a_shell_would_read_otherwise(tmp_path: Path) -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.walk.step == "export" and app.session.rendered is not None)
        app.walk.query_one("#export-path", Input).value = "a [b] $c.toml"
        await pilot.press("w")
        await until(pilot, lambda: "doctor 'a [b] $c.toml'" in screen_text(app))


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file descriptor of the temporary file is one of the device that is always full."""
    opened = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda descriptor, *a, **k: (os.close(descriptor), opened(_full(), *a, **k))[1])
    with pytest.raises(BadInput, match="No space left") as refused:
        write_whole(tmp_path / "a.toml", "x" * 100_000)
    assert "Errno" not in str(refused.value) and list(tmp_path.iterdir()) == []
    said = written(tmp_path / "a.toml", "x" * 100_000, overwrite=False)
    assert not said.ok and "No space left" in said.words


def _full() -> int:
    return os.open(FULL, os.O_WRONLY)


def test_names_in_wide_letters_are_cut_with_an_ellipsis() -> None:
    assert (
        elided("漢字漢字", 8) == "漢字漢字" and elided("漢字漢字", 7) == "漢字漢…" and elided("漢字漢字", 6) == "漢字…"
    )
    assert elided("a漢", 2) == "a…" and elided("", 0) == "" and elided("ü" * 9, 5) == "üüüü…"


@pytest.mark.parametrize(
    ("number", "words"),
    [(512, "512"), (1024, "1k"), (65_536, "64k"), (1 << 20, "1M"), (10_000, "10k"), (2_000_000, "2M"), (1000, "1k")],
)
def test_bounds_that_are_powers_of_two_are_said_like_lengths(number: int, words: str) -> None:
    assert short_count(number) == words


async def test_one_is_no_plural() -> None:
    from tui.hardware_text import _beyond, _users

    app = app_on()
    async with running(app):
        plan = app.session.plan
        assert plan is not None
        large = replace(plan.rejected[0], rule="model-too-large", count=1)
        app.session.plan, app.session.fits = replace(plan, rejected=(large,)), {}
        assert _beyond(app.session) == "; 1 catalogue model is too large."
    assert _users("1") == "1 user" and _users("1,234") == "1,234 users"


async def test_enter_is_no_slash_where_there_is_no_unicode() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "enter Plans" in screen_text(app))


def test_the_tab_in_front_shows_without_unicode_and_colour() -> None:
    from tui.signs import stand_in

    assert stand_in("━━╸━━━╺━━") == "== === =="


def test_one_request_is_no_plural_in_plain_words() -> None:
    from planner.detect.spec import inventory_from_spec
    from planner.documents.request import PlanRequest
    from planner.plan import plan
    from tests.tui.conftest import LIBRARY
    from tui.plain.words import plan_sentence

    found = plan(PlanRequest(inventory_from_spec("1xrtx-4090", LIBRARY.database), models=(TRAINED,)), LIBRARY)
    one = found.candidates[0]
    memory = one.estimate.memory
    assert memory is not None
    single = replace(memory.max_concurrency, low=1.0, value=1.2, high=1.5)
    one = replace(one, estimate=replace(one.estimate, memory=replace(memory, max_concurrency=single)))
    assert "room for 1 request of" in plan_sentence(one)


@pytest.mark.parametrize("size", [(40, 10), (60, 15)])
async def test_a_low_terminal_shows_the_step_and_which_one_it_is(size: tuple[int, int]) -> None:
    app = app_on()
    async with running(app, size) as pilot:
        for number, name, words in (
            (2, "Model", "best that fits"),
            (3, "Workload", "Preset"),
            (4, "Plans", "DeepSeek"),
        ):
            await pilot.press(str(number))
            await until(pilot, lambda words=words: words in screen_text(app))  # type: ignore[misc]
            assert f"{number} {name} ●" in screen_text(app)
