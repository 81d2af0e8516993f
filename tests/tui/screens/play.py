"""Walks of ``scenes.toml`` through the staged app, each in one run."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.tui.screens.frames import Frame
from tests.tui.screens.staged import StagedApp, at_rest, pressed, staged_machine
from tui import themes

FILE = Path(__file__).parent / "scenes.toml"


@dataclass(frozen=True, slots=True)
class Look:
    """A terminal: its size and its colours."""

    name: str
    size: tuple[int, int]
    theme: str = themes.DARK
    no_color: bool = False
    ascii_only: bool = False
    walks: tuple[str, ...] = ()
    """Only these; empty: all."""


SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
LOOKS = (
    Look("80x24", SMALL),
    Look("120x40", MIDDLE),
    Look("200x60", LARGE),
    Look("80x24-no-color", SMALL, themes.ANSI, no_color=True),
    Look("80x24-ascii", SMALL, themes.ANSI, no_color=True, ascii_only=True, walks=("tune", "nothing-fits", "machines")),
    Look("120x40-16-colours", MIDDLE, themes.ANSI, walks=("tune", "nothing-fits")),
    Look("120x40-high-contrast", MIDDLE, themes.CONTRAST, walks=("tune", "nothing-fits")),
    Look("120x40-light", MIDDLE, themes.LIGHT, walks=("tune", "nothing-fits")),
)


@cache
def walks() -> dict[str, Any]:
    """Name → hardware, answers, scenes."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["walks"]


def walks_of(look: Look) -> tuple[str, ...]:
    return look.walks or tuple(walks())


Watcher = Callable[[str, StagedApp, Pilot[None]], Any]


async def played(look: Look, walk: str, folder: Path) -> AsyncIterator[tuple[str, Frame, StagedApp, Pilot[None]]]:
    """Every scene of a walk, the app standing at it."""
    told = walks()[walk]
    with staged_machine(folder, no_color=look.no_color):
        app = StagedApp(told["hardware"], told.get("answers", "recorded"), ascii_only=look.ascii_only)
        async with app.run_test(size=look.size, notifications=True) as pilot:
            app.theme = look.theme
            await at_rest(app, pilot)
            for scene in told["scenes"]:
                app.clear_notifications()
                for key in scene["keys"]:
                    await pressed(app, pilot, key)
                yield f"{walk}-{scene['name']}", await at_rest(app, pilot), app, pilot


async def frames(look: Look, walk: str, folder: Path) -> dict[str, Frame]:
    """Name → frame of every scene of a walk."""
    return {name: frame async for name, frame, _, _ in played(look, walk, folder)}
