"""The keyboard explains itself: ids, tooltips, help, palette; impossible actions are greyed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from tests.tui.conftest import app_on, running, screen_text, settled


def bindings() -> list[tuple[str, Binding]]:
    """Every binding that a class of the app declares."""
    found = {}
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__.startswith("tui."):
                found[name] = [b for b in kind.__dict__.get("BINDINGS", ()) if isinstance(b, Binding)]
    return [(name, binding) for name, declared in sorted(found.items()) for binding in declared]


@pytest.mark.parametrize(("owner", "binding"), bindings(), ids=lambda x: x if isinstance(x, str) else x.id or x.key)
def test_every_key_has_a_stable_id_and_says_what_it_does(owner: str, binding: Binding) -> None:
    assert binding.id, "keys can be bound anew by their id"
    assert binding.description or binding.system
    assert binding.tooltip or not binding.show, "a key on the screen has a tooltip"


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
                if active.binding.show and active.enabled:
                    assert any(active.binding.description in title for title in commands), active.binding.id
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
