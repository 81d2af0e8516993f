"""Walks of ``scenes.toml`` through the staged app, each in one run."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual.pilot import Pilot

from tests.tui.screens.frames import Frame, frame_of, written
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
FEW = ("dialogs", "tune", "nothing-fits")
"""Walks that have every kind of thing: tables, forms, bars, plots, dialogs, refusals."""
LOOKS = (
    Look("80x24", SMALL),
    Look("120x40", MIDDLE),
    Look("200x60", LARGE),
    Look("80x24-no-color", SMALL, themes.ANSI, no_color=True),
    Look("80x24-ascii", SMALL, themes.ANSI, no_color=True, ascii_only=True, walks=(*FEW, "machines")),
    Look("80x24-16-colours", SMALL, themes.ANSI, walks=FEW),
    Look("80x24-high-contrast", SMALL, themes.CONTRAST, walks=FEW),
    Look("80x24-light", SMALL, themes.LIGHT, walks=FEW),
)


@cache
def walks() -> dict[str, Any]:
    """Name → hardware, answers, scenes."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["walks"]


def walks_of(look: Look) -> tuple[str, ...]:
    return look.walks or tuple(walks())


def scenes_of(look: Look, walk: str) -> tuple[str, ...]:
    """Names of the frames of a walk that are drawn in a look: what is marked small only at the smallest size."""
    told = walks()[walk]
    small = told.get("small", False)
    kept = [s for s in told["scenes"] if look.size == SMALL or not (small or s.get("small", False))]
    return tuple(f"{walk}-{scene['name']}" for scene in kept)


@asynccontextmanager
async def on_stage(look: Look, walk: str, folder: Path) -> AsyncIterator[tuple[StagedApp, Pilot[None]]]:
    """The app of a walk, running in a look."""
    told = walks()[walk]
    with staged_machine(folder, no_color=look.no_color):
        app = StagedApp(told["hardware"], told.get("answers", "recorded"), ascii_only=look.ascii_only)
        async with app.run_test(size=look.size, notifications=True) as pilot:
            app.theme = look.theme
            await at_rest(app, pilot)
            yield app, pilot


async def played(walk: str, app: StagedApp, pilot: Pilot[None]) -> AsyncIterator[str]:
    """Name of every scene of a walk, the app standing at it."""
    for scene in walks()[walk]["scenes"]:
        app.clear_notifications()
        for key in scene["keys"]:
            await pressed(app, pilot, key)
        await at_rest(app, pilot)
        yield f"{walk}-{scene['name']}"


async def frames(look: Look, walk: str) -> dict[str, Frame]:
    """Name → frame of every scene of a walk that is drawn in a look."""
    wanted = scenes_of(look, walk)
    with TemporaryDirectory() as folder:
        async with on_stage(look, walk, Path(folder)) as (app, pilot):
            names = played(walk, app, pilot)
            return {name: frame_of(app) async for name in names if name in wanted}


def drawn(look: str, walk: str) -> dict[str, str]:
    """The frames of a walk as they are kept, by name: a call that can be made in a process of its own."""
    named = next(one for one in LOOKS if one.name == look)
    return {name: written(frame) for name, frame in asyncio.run(frames(named, walk)).items()}


@contextmanager
def painters() -> Iterator[ProcessPoolExecutor]:
    """Processes that draw walks side by side."""
    count = max(1, min(4, os.cpu_count() or 1))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool


def jobs() -> list[tuple[str, str]]:
    """Every look with every walk that is drawn in it, the longest first."""
    pairs = [(look, walk) for look in LOOKS for walk in walks_of(look) if scenes_of(look, walk)]
    pairs.sort(key=lambda pair: -len(walks()[pair[1]]["scenes"]) * pair[0].size[0])
    return [(look.name, walk) for look, walk in pairs]
