"""For everybody: every screen of the walks is gone through with the keyboard alone, at 80×24, without a colour.

On each screen Tab comes by everything that can have the focus and round again, whatever has it is wholly on the screen
and looks otherwise than without, the line of keys is whole, and Escape leads out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.screens.frames import Frame, frame_of
from tests.tui.screens.play import LOOKS, Look, on_stage, played, walks
from tests.tui.screens.staged import StagedApp, at_rest, pressed
from tui.actions import MOVES
from tui.key_catalogue import declared_keys
from tui.widgets.key_line import PALETTE, KeyLine

LOOK: Look = next(look for look in LOOKS if look.name == "80x24-no-color")
WALKS = ("serve", "tune", "buy", "planning", "nothing-fits", "machines")
MOST = 40
"""Places that Tab comes by, at most."""
FORM_LINES = 3
"""What is no higher is to be seen wholly; what is higher scrolls."""


def focusable(app: StagedApp) -> set[Widget]:
    """What can have the focus, on the screen or where it can be scrolled to."""
    return {w for w in app.screen.query("*") if w.focusable and w.is_on_screen}


async def round_of_focus(app: StagedApp, pilot: Pilot[None]) -> tuple[list[Widget], list[str]]:
    """Every place that Tab comes by, from where the focus is and back; and what is wrong with them."""
    first, seen, wrong, before = app.focused, [], [], frame_of(app)
    for _ in range(MOST):
        await pressed(app, pilot, "tab")
        now, place = await at_rest(app, pilot), app.focused
        if place is None or place in seen:
            return seen, [*wrong, f"after {seen[-1:]} Tab comes to {place}, not back to {first}"]
        wrong += looked_at(app, place)
        if place is not first and not changed(before, now, place):
            wrong.append(f"nobody sees that {place} has the focus")
        seen.append(place)
        before = now
        if place is first:
            return seen, wrong
    return seen, [*wrong, f"Tab never came back to {first}"]


def changed(before: Frame, now: Frame, place: Widget) -> bool:
    """Whether the lines that a widget stands in are drawn otherwise."""
    lines = range(max(0, place.region.y), min(place.region.bottom, len(now.lines)))
    return any(before.lines[y] != now.lines[y] for y in lines)


def looked_at(app: StagedApp, place: Widget) -> Iterator[str]:
    """A field or button is wholly on the screen; of what scrolls a part, and nothing is cut at the sides."""
    found = app.screen.find_widget(place)
    shown, whole = found.visible_region, found.region
    if not shown.area:
        yield f"{place} has the focus and is not to be seen"
    elif shown.width < whole.width:
        yield f"{place} is cut at the side"
    elif shown.height < whole.height <= FORM_LINES:
        yield f"only {shown.height} of {whole.height} lines of {place} are to be seen"


def keys_are_whole(app: StagedApp) -> Iterator[str]:
    """The last line of a screen of its own: the keys that matter, none cut, then the palette's."""
    for line in app.screen.query(KeyLine):
        said = str(line.render()).rstrip()
        if not said.endswith(PALETTE) or cell_len(said) > app.size.width - 2 or line.region.y != app.size.height - 1:
            yield f"the line of keys: {said!r} in line {line.region.y}"


def offered(app: StagedApp) -> Iterator[str]:
    """Ids of keys that act now, and of commands that the palette has now."""
    titles = {command.title for command in app.get_system_commands(app.screen)}
    for active in app.screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id:
            yield binding.id
            if f"{binding.description} ({app.get_key_display(binding)})" in titles or binding.key in MOVES:
                yield f"palette: {binding.id}"


async def gone_round(app: StagedApp, pilot: Pilot[None]) -> list[str]:
    """What is wrong with the focus of the screen."""
    if app.focused is None:
        return ["nothing has the focus"] if focusable(app) else []
    came_by, wrong = await round_of_focus(app, pilot)
    missed = focusable(app) - set(came_by)
    if missed:
        wrong.append(f"Tab never comes to {missed}")
    if len(came_by) > 1 and not wrong:
        await pressed(app, pilot, "shift+tab")
        if app.focused is not came_by[-2]:
            wrong.append(f"Shift+Tab goes to {app.focused}, Tab came from {came_by[-2]}")
        await pressed(app, pilot, "tab")
    return wrong


OFFERED: dict[str, set[str]] = {}
"""Walk → what was offered on its way."""


@pytest.mark.parametrize("walk", WALKS)
async def test_a_walk_by_keyboard_alone(walk: str, tmp_path: Path) -> None:
    OFFERED[walk], wrong = set(), []
    async with on_stage(LOOK, walk, tmp_path) as (app, pilot):
        async for name in played(walk, app, pilot):
            OFFERED[walk] |= set(offered(app))
            found = [*keys_are_whole(app), *(await gone_round(app, pilot))]
            OFFERED[walk] |= set(offered(app))
            wrong += [f"{name}: {words}" for words in found]
    assert not wrong, "\n".join(wrong)


async def test_escape_leads_out_of_every_screen_and_q_out_of_the_app(tmp_path: Path) -> None:
    """At most two Escapes from anywhere to the walk (a dialog over a screen), and from there q to the end."""
    scenes = walks()["serve"]["scenes"]
    follows = dict(zip((f"serve-{s['name']}" for s in scenes), (s["keys"] for s in scenes[1:]), strict=False))
    async with on_stage(LOOK, "serve", tmp_path) as (app, pilot):
        async for name in played("serve", app, pilot):
            if app.screen is app.walk or follows.get(name, ["escape"])[:1] != ["escape"]:
                continue
            for _ in range(2):
                if app.screen is not app.walk:
                    await pressed(app, pilot, "escape")
            assert app.screen is app.walk, f"{name}: Escape leads nowhere"
        for _ in range(len("12345") + 1):
            if app.is_running:
                await pilot.press("q")
                await pilot.pause()
        assert not app.is_running


def test_every_key_acts_somewhere_and_the_palette_has_its_command() -> None:
    """Of the keys that the catalogue declares none is out of reach."""
    if set(OFFERED) != set(WALKS):
        pytest.skip("the walks did not run")
    found = set().union(*OFFERED.values())
    ids = {declared.id for declared in declared_keys()}
    assert ids <= found, f"never at hand: {sorted(ids - found)}"
    commands = {id_ for id_ in ids if f"palette: {id_}" not in found}
    assert not commands, f"not in the palette: {sorted(commands)}"
