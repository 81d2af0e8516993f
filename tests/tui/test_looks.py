"""Every size, every look: nothing cut, nothing said by colour alone, a resize in the middle."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.widget import Widget

from tests.tui.conftest import app_on, running, screen_text, settled
from tui import themes
from tui.app import PlannerApp
from tui.panes.base import Pane
from tui.widgets.key_line import PALETTE, Key, KeyLine, fitting_keys

SIZES = ((80, 24), (120, 40), (200, 60))


def reachable(app: PlannerApp) -> list[Widget]:
    """Everything of the walk that Tab comes by."""
    return [widget for widget in app.screen.focus_chain if isinstance(widget, Widget)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_step_shows_everything_that_can_be_focused(size: tuple[int, int]) -> None:
    app = app_on("2x8xH100")
    async with running(app, size) as pilot:
        for digit in "12345":
            app.set_focus(None)
            await pilot.press(digit)
            await settled(pilot)
            assert len(reachable(app)) >= 1
            ends = reachable(app) if size == SIZES[0] else [*reachable(app)[:1], *reachable(app)[-2:]]
            for widget in ends:
                widget.focus()
                await pilot.pause()
                seen = app.screen.find_widget(widget)
                assert seen.visible_region.area > 0, f"{widget} of step {digit} is not to be seen at {size}"
            keys = str(app.walk.query_one(KeyLine).render())
            assert cell_len(keys) <= size[0] - 2 and keys.endswith(PALETTE)
            assert "Next" in keys or digit == "5"
            assert "Back" in keys or digit == "1"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_no_figure_of_the_answer_is_cut(size: tuple[int, int]) -> None:
    app = app_on()
    async with running(app, size) as pilot:
        await pilot.press("4")
        await settled(pilot)
        text = screen_text(app)
        speed = app.session.best.estimate.performance if app.session.best else None
        assert speed is not None and speed.tpot_s is not None
        for words in ("DeepSeek-R1 fp8" if size[0] < 110 else "DeepSeek-R1 · fp8", "✓ fits", "GPU0-7 WWWW", "tok/s"):
            assert words in text
        assert "…" not in "".join(line for line in text.splitlines() if "✓ fits" in line)


async def test_a_resize_in_the_middle_loses_neither_place_nor_choice() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("4", "down", "down", "right")
        await pilot.pause()
        held = app.walk.query_one("#ranking").at  # type: ignore[attr-defined]
        for size in ((80, 24), (200, 60), (60, 20), (40, 12), (120, 40)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert app.walk.step == "plans" and app.session.selected == 2
        ranking = app.walk.query_one("#ranking")
        assert ranking.at.row == held.row and ranking.has_focus  # type: ignore[attr-defined]


async def test_without_colour_no_colour_is_drawn_and_the_cursor_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on()
    async with running(app) as pilot:
        for digit in "1234":
            await pilot.press(digit)
            await settled(pilot)
            strips = app.screen._compositor.render_strips()
            styles = [
                segment.style
                for strip in strips
                for segment in strip.apply_filter(app._filters[-1], app.screen.background_colors[1])
                if segment.style
            ]
            assert all(not s.color or s.color.is_default for s in styles)
            assert all(not s.bgcolor or s.bgcolor.is_default for s in styles)
            assert "▸" in screen_text(app), "the cursor has a shape"
        assert any(style.reverse for style in styles)


async def test_the_looks_go_round_and_all_draw() -> None:
    app = app_on()
    async with running(app) as pilot:
        first, seen = app.theme, []
        for _ in themes.CYCLE:
            await pilot.press("T")
            await pilot.pause()
            seen.append(app.theme)
            assert "DeepSeek-R1" in screen_text(app)
        assert sorted(seen) == sorted(themes.CYCLE) and app.theme == first


@pytest.mark.parametrize(
    ("no_color", "system", "theme"),
    [
        (True, "truecolor", themes.ANSI),
        (False, "standard", themes.ANSI),
        (False, "truecolor", themes.DARK),
        (False, "256", themes.DARK),
    ],
)
def test_a_poor_terminal_keeps_its_own_colours(no_color: bool, system: str, theme: str) -> None:
    assert themes.first_theme(no_color, system) == theme


def test_the_style_sheet_names_no_colour() -> None:
    from pathlib import Path

    import tui.app

    sheet = Path(tui.app.__file__).with_name("app.tcss").read_text()
    body = sheet.replace("ansi_default", "")
    assert "rgb" not in body and "ansi_" not in body
    assert not any(line.strip().startswith(("color: #", "background: #")) for line in body.splitlines())


def test_the_key_line_keeps_what_fits_the_nearest_first() -> None:
    keys = [Key(str(n), str(n), f"label {n}") for n in range(9)]
    for width in range(12, 140):
        kept = fitting_keys(keys, width)
        assert kept == keys[: len(kept)]
        assert sum(key.width + 2 for key in kept) + len(PALETTE) <= max(width, len(PALETTE))


async def test_a_click_on_the_key_line_and_on_a_step_is_a_key() -> None:
    app = app_on()
    async with running(app) as pilot:
        line = str(app.walk.query_one(KeyLine).render())
        await pilot.click(KeyLine, offset=(1 + line.index("Next"), 0))
        await pilot.pause()
        assert app.walk.step == "model"
        await pilot.click("#steps", offset=(str(app.walk.query_one("#steps").render()).index("Plans"), 0))
        await pilot.pause()
        assert app.walk.step == "plans"


async def test_a_tiny_terminal_is_no_crash() -> None:
    app = app_on()
    async with running(app, (20, 5)) as pilot:
        for digit in "12345":
            await pilot.press(digit)
            await pilot.pause()
        assert len(app.walk.query(Pane)) == 5


def test_every_sign_has_a_stand_in_of_its_width() -> None:
    from pathlib import Path

    import tui.app
    from tui.ascii import stand_in

    signs = {
        c for path in Path(tui.app.__file__).parent.rglob("*.py") for c in path.read_text("utf-8") if not c.isascii()
    }
    for sign in sorted(signs | set("╭─╮│╰╯━╸╺▇▁▔█漢")):
        assert stand_in(sign).isascii() and len(stand_in(sign)) == cell_len(sign), sign
    assert stand_in("✓ fits") == "+ fits" and stand_in("╭─ Plans ─╮") == "+- Plans -+"


@pytest.mark.parametrize(
    ("environ", "poor"),
    [({}, False), ({"LANG": "C"}, True), ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True), ({"LC_CTYPE": "C.UTF-8"}, False),
     ({"LC_ALL": "POSIX"}, True), ({"LANG": "de_DE.UTF-8"}, False), ({"TERM": "linux"}, True),
     ({"LC_ALL": "en_US.ISO-8859-1", "LANG": "en_US.UTF-8"}, True), ({"TERM": "xterm-256color"}, False)],
)  # fmt: skip
def test_terminals_without_unicode_are_recognised(environ: dict[str, str], poor: bool) -> None:
    from tui.ascii import wanted

    assert wanted(environ) is poor


async def test_the_answer_stands_beside_or_below_never_both_also_after_a_resize() -> None:
    app = app_on()
    async with running(app, size=(80, 24)) as pilot:
        for size in ((80, 24), (120, 40), (200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            shown = [app.walk.query_one(place).display for place in ("#folded", "#beside")]
            assert shown == ([True, False] if size[0] < 110 else [False, True]), size
