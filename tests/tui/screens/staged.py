"""The app on recorded answers: whatever is asked, the same comes back, at once or never."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual.pilot import Pilot
from textual.widgets import Input

import tui.app
from docs.make_tour import RECORDED_RUNS
from docs.make_tour import recorded as of_tour
from planner.detect.recorded import read_recorded
from planner.detect.spec import inventory_from_spec
from planner.documents.encode import to_json
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.errors import BadInput
from planner.library import Library
from planner.models.catalogue import Catalogue
from planner.models.catalogue_row import CatalogueModel
from tests.tui.screens.frames import Frame, frame_of
from tests.tui.screens.record import recorded
from tui.app import PlannerApp
from tui.export_bundle import written_bundle
from tui.export_file import Written
from tui.load_curve import LoadPoint
from tui.services import Services
from tui.verify_file import Compared

HOPS = 24
"""Turns of the loop in which a message is surely up at the screen, from whatever is deepest."""
FIXTURES = Path(__file__).parents[2] / "fixtures" / "recorded"
HERE, HOME = Path("/srv/plans"), "/home/operator"
"""Where the app believes to be."""
TODAY = "2026-11-01"
PATIENCE = 4000
MODELS = (
    "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "Qwen/Qwen3-32B", "Qwen/Qwen3-8B",
    "Qwen/Qwen3-235B-A22B", "openai/gpt-oss-120b", "openai/gpt-oss-20b", "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-405B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3",
    "google/gemma-3-27b-it", "moonshotai/Kimi-K2-Instruct", "zai-org/GLM-4.6",
)  # fmt: skip
"""Of the catalogue that is shown: a list that does not change with every model that comes out."""


class FewModels(Catalogue):
    """The catalogue, cut down to ``MODELS``."""

    def models(self) -> tuple[CatalogueModel, ...]:
        return tuple(model for model in super().models() if model.id in MODELS)


class StagedLibrary(Library):
    """The planner's own facts, fewer models."""

    @cached_property
    def catalogue(self) -> Catalogue:
        return FewModels()


LIBRARY = StagedLibrary()


@cache
def hardware_of(name: str) -> Inventory:
    """A spec, or ``file:NAME`` for recorded tool output, as if it were this machine."""
    if name.startswith("file:"):
        with contextlib.chdir(FIXTURES):
            found = read_recorded(name[5:].split("+"), LIBRARY.database)
    else:
        found = inventory_from_spec(name, LIBRARY.database)
    return replace(found, origin="detected")


@dataclass
class Answers:
    """The planner's side: ``kind`` says how it answers a question about serving."""

    kind: str = "recorded"
    never: threading.Event | None = None

    def plan(self, request: PlanRequest, library: Library, progress: Any, stopped: Any) -> PlanDocument:
        if request.limit == 1:
            return self._badge(request)
        if self.kind == "busy":
            progress(0, 14, "the first of them")
            while not stopped():
                threading.Event().wait(0.01)
        if self.kind == "broken":
            raise BadInput("prices/own.toml: amount", "is not a number: 'much'", "write digits, for example 1200")
        if self.kind == "bug":
            raise RuntimeError("something that nobody thought of")
        document = of_tour()
        if self.kind == "nothing":
            return replace(document, verdict="does-not-fit", candidates=())
        return document

    def _badge(self, request: PlanRequest) -> PlanDocument:
        """How a model of the list does: by its name, each verdict once."""
        name, document = request.models[0], of_tour()
        if "405B" in name or "Kimi" in name or self.kind == "nothing":
            return replace(document, verdict="does-not-fit", candidates=())
        if "gemma" in name:
            return replace(document, verdict="unknown", candidates=())
        tight = replace(document.candidates[1].estimate, verdict="tight" if "70B" in name else "fits")
        return replace(document, candidates=(replace(document.candidates[1], estimate=tight),))

    def services(self, hardware: str) -> Services:
        def detect(library: Library) -> Inventory:
            if hardware == "busy":
                while True:
                    threading.Event().wait(3600)
            return hardware_of(hardware)

        return Services(
            library=lambda overlays: LIBRARY,
            detect=detect,
            plan=self.plan,
            finetune=lambda request, library, progress, stopped: of_tour(RECORDED_RUNS),
            buy=lambda request, library, stopped: recorded("bought"),
            cost=lambda deployment, library, request: recorded("cost"),
        )


class StagedApp(PlannerApp):
    """The app without anything that time changes: no cursor blinks, no motion, toasts stay."""

    CSS_PATH = Path(tui.app.__file__).with_name("app.tcss")

    def __init__(self, hardware: str, answers: str = "recorded", **options: Any) -> None:
        super().__init__(services=Answers(answers).services(hardware), debounce_s=0.001, **options)
        self.animation_level = "none"
        self.waits_for_ever = "busy" in (hardware, answers)

    def notify(self, message: str, **options: Any) -> None:  # type: ignore[override]
        super().notify(message, **{**options, "timeout": 3600})

    def watch_hardware(self) -> None:
        """The machine is looked at once."""

    @property
    def at_rest(self) -> bool:
        """Nothing is being worked out, or what is never ends."""
        answered = self.session.current or self.session.failure is not None
        working = self._debounce is not None or any(worker.is_running for worker in self.workers)
        return not self.typing and (self.waits_for_ever or (answered and not working))


def _curve(plan: object, library: object) -> Iterator[LoadPoint]:
    yield from (LoadPoint(users, speed) for users, speed in recorded("curve"))


def _compared(plan: Any, source: str, library: object, **options: object) -> Compared:
    from planner.verify.verification import Verified

    return Compared(plan, source, Verified(recorded("verified"), None, ()))  # type: ignore[arg-type]


def _written(folder: Path) -> Callable[..., Written]:
    """Writes into a throw-away folder, and says that it is ``HERE``."""

    def write(*args: Any, **options: Any) -> Written:
        done = written_bundle(*args, **options)
        return replace(done, words=done.words.replace(str(folder.resolve()), str(HERE)))

    return write


def _keep_a_site(folder: Path) -> None:
    """Hardware that was saved under a name before."""
    place = folder / "deploy-planner" / "sites" / "gpu-07.json"
    place.parent.mkdir(parents=True)
    place.write_text(to_json(hardware_of("8xH200")), encoding="utf-8")


@contextlib.contextmanager
def staged_machine(folder: Path, *, no_color: bool = False) -> Iterator[None]:
    """A home, a place and a clock that are the same on every machine."""
    place = {"HOME": HOME, "XDG_CONFIG_HOME": str(folder / "config"), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, place))
        for name in ("NO_COLOR", "TEXTUAL_ANIMATIONS", "TEXTUAL_THEME"):
            os.environ.pop(name, None)
        if no_color:
            os.environ["NO_COLOR"] = "1"
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(patch.object(Path, "cwd", lambda: HERE))
        stack.enter_context(patch("planner.export.document._today", lambda: TODAY))
        stack.enter_context(patch("planner.export.document.VERSION", "0"))
        stack.enter_context(patch("tui.panes.export.written_bundle", _written(folder)))
        stack.enter_context(patch("tui.load_curve.load_curve", _curve))
        stack.enter_context(patch("tui.modals.verify.compared", _compared))
        stack.enter_context(patch("tui.simulated.simulated", lambda *asked: recorded("simulated")))
        stack.enter_context(patch("tui.answers.plan_of", lambda found, library: recorded("fleets")))
        _keep_a_site(folder / "config")
        yield


async def pressed(app: StagedApp, pilot: Pilot[None], key: str) -> None:
    """A key, or "type:words" letter by letter, and all that follows from it."""
    for one in key[5:] if key.startswith("type:") else (key,):
        await _sent(app, pilot, one)
        await settled(app, pilot)


async def _sent(app: StagedApp, pilot: Pilot[None], key: str) -> None:
    """As ``pilot.press`` sends a key, without its waits for an idle processor: those who call wait for the app."""
    with patch("textual.app.wait_for_idle", _no_wait):
        await pilot.press(key)


async def _no_wait(*args: object) -> None:
    """Instead of waiting."""


async def settled(app: StagedApp, pilot: Pilot[None]) -> None:
    """Every message is handled and nothing is being worked out."""
    for _ in range(PATIENCE):
        await pilot.pause(0)
        if app.at_rest:
            for _ in range(HOPS):
                await asyncio.sleep(0)
            await pilot.pause(0)
            return
        await pilot.pause(0.002)
    raise TimeoutError(f"never at rest: {[w.group for w in app.workers if w.is_running]}")


async def at_rest(app: StagedApp, pilot: Pilot[None]) -> Frame:
    """What stands there once nothing is being worked out and two looks in a row are alike."""
    last: Frame | None = None
    for _ in range(PATIENCE):
        await settled(app, pilot)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        now = frame_of(app)
        if now == last:
            return now
        last = now
    raise TimeoutError("the screen never stopped changing")
