"""The keyboard explains itself: ids, tooltips, help, palette; impossible actions are greyed."""

from __future__ import annotations

import inspect

import pytest
from textual.binding import Binding

from tests.tui.conftest import app_on, running, screen_text, settled
from tui.actions import MOVES
from tui.app import PlannerApp
from tui.key_catalogue import declared_bindings
from tui.panes.base import Pane
from tui.walk import WalkScreen
from tui.widgets.key_line import KeyLine


def bindings() -> list[tuple[str, Binding]]:
    """Every binding that a class of the app declares."""
    return list(declared_bindings())


@pytest.mark.parametrize(("owner", "binding"), bindings(), ids=lambda x: x if isinstance(x, str) else x.id or x.key)
def test_every_key_has_a_stable_id_and_says_what_it_does(owner: str, binding: Binding) -> None:
    assert binding.id, "keys can be bound anew by their id"
    assert binding.description or binding.system
    assert binding.tooltip or binding.system, "help and docs say what it does"


def test_ids_are_unique() -> None:
    ids = [binding.id for _, binding in bindings()]
    assert len(ids) == len(set(ids))


async def test_a_key_can_be_bound_anew() -> None:
    app = app_on()
    async with running(app) as pilot:
        app.set_keymap({"walk.next": "g"})
        await pilot.press("g")
        await pilot.pause()
        assert app.walk.step == "model"


async def test_every_action_of_a_step_is_in_help_and_palette() -> None:
    app = app_on()
    async with running(app, (100, 60)) as pilot:
        for digit in "12345":
            await pilot.press(digit)
            await settled(pilot)
            commands = [command.title for command in app.get_system_commands(app.screen)]
            for active in app.screen.active_bindings.values():
                binding = active.binding
                if active.enabled and binding.id and not binding.system and binding.key not in MOVES:
                    assert any(binding.description in title for title in commands), binding.id
            await pilot.press("f1")
            shown = screen_text(app)
            assert "Escape closes" in shown and app.screen is not app.walk
            await pilot.press("escape")


async def test_a_command_of_the_palette_does_what_its_key_does() -> None:
    app = app_on()
    async with running(app) as pilot:
        command = next(c for c in app.get_system_commands(app.screen) if c.title.startswith("Workload"))
        await command.callback()  # type: ignore[misc]
        await pilot.pause()
        assert app.walk.step == "workload"


async def test_what_is_impossible_is_greyed() -> None:
    app = app_on("rtx-4090")
    async with running(app) as pilot:
        assert app.session.best is None
        assert app.check_action("pin", ()) is None and app.check_action("undo", ()) is None
        await pilot.press("p")
        assert app.session.pinned is None
        await pilot.press("5")
        await settled(pilot)
        enabled = {a.binding.id: a.enabled for a in app.screen.active_bindings.values()}
        assert enabled["export.write"] is False and enabled["export.copy"] is False
        await pilot.press("enter")
        await pilot.pause()
        assert "Nothing to write" in screen_text(app)


async def test_digits_and_letters_are_text_inside_an_input() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("2", "slash", *"q5n1p")
        await pilot.pause()
        assert app.walk.step == "model" and app.is_running and app.session.pinned is None
        assert app.walk.query_one("#model-search").value == "q5n1p"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("ctrl+q", 0), ("ctrl+c", 130)])
async def test_every_way_out_has_its_exit_code(key: str, code: int) -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running
    assert (app.return_code or 0) == code


async def test_ctrl_c_leaves_from_inside_an_input_and_a_prompt() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("e", "8", "ctrl+c")
        await pilot.pause()
        assert not app.is_running
    assert app.return_code == 130


def test_every_action_of_app_walk_and_steps_has_a_key_or_stands_in_the_palette() -> None:
    """An action that only a mouse could reach does not exist."""
    bound = {binding.action.partition("(")[0].removeprefix("app.") for _, binding in bindings()}
    for owner in (PlannerApp, WalkScreen, *_panes()):
        for kind in owner.__mro__:
            if kind.__module__.startswith("tui."):
                own = {name.removeprefix("action_") for name, _ in inspect.getmembers(kind, inspect.isfunction)
                       if name.startswith("action_") and name in kind.__dict__}  # fmt: skip
                assert own <= bound, f"{kind.__name__}: {own - bound}"


def _panes() -> list[type[Pane]]:
    from tui.panes.opened import PANES, pane_class

    return [pane_class(id_) for id_ in PANES]


async def test_tab_goes_round_every_step_and_never_gets_stuck() -> None:
    """Focus order: Tab visits several places and comes back to the first; Shift+Tab goes the other way round."""
    app = app_on()
    async with running(app) as pilot:
        for digit in "12345":
            await pilot.press(digit)
            await settled(pilot)
            first, seen = app.focused, [app.focused]
            for _ in range(40):
                await pilot.press("tab")
                if app.focused is first:
                    break
                assert app.focused is not None and app.focused.display, f"step {digit}: nothing has the focus"
                assert app.focused not in seen, f"step {digit}: {app.focused} is visited twice before the first again"
                seen.append(app.focused)
            assert app.focused is first, f"step {digit}: Tab never came back"
            await pilot.press("shift+tab")
            assert app.focused is seen[-1]


async def test_the_footer_shows_five_keys_at_most_with_next_and_explain() -> None:
    app = app_on()
    async with running(app, (200, 60)) as pilot:
        for digit in "1234":
            await pilot.press(digit)
            await settled(pilot)
            keys = [key.label for key in app.walk.query_one(KeyLine)._keys]
            assert 3 <= len(keys) <= 5 and {"Next", "Explain"} <= set(keys), keys


async def test_every_modal_is_left_by_escape() -> None:
    app = app_on()
    async with running(app) as pilot:
        for key in ("question_mark", "f1", "a", "e", "o", "s", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is not app.walk, key
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is app.walk, key
