"""The app on simulated hardware, planned by the real planner; every answer is kept, so that a question costs once."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.detect.spec import inventory_from_spec
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.library import Library
from planner.plan import plan
from planner.training.request import FinetuneRequest
from planner.training.search import plan_finetune
from tui.app import PlannerApp
from tui.services import Progress, Services, Stopped

LIBRARY = Library()
H200 = "8xH200"
PATIENCE = 3000
"""Rounds of the event loop that a condition may take."""


@cache
def inventory_of(spec: str) -> Inventory:
    return inventory_from_spec(spec, LIBRARY.database)


_ANSWERS: dict[str, PlanDocument] = {}


def answered(request: PlanRequest) -> PlanDocument:
    """The real planner's answer. A question about no model in particular is asked of one: the walk is the same."""
    if not request.models:
        request = replace(request, models=("deepseek-ai/DeepSeek-R1",))
    key = repr(request)
    if key not in _ANSWERS:
        _ANSWERS[key] = plan(request, LIBRARY)
    return _ANSWERS[key]


@dataclass
class FakePlanner:
    """Answers like the planner; can be held, broken, and asked what it was asked."""

    asked: list[PlanRequest] = field(default_factory=list)
    gate: threading.Event | None = None
    """Where set, a plan waits for it, or for being stopped."""
    broken: Exception | None = None
    stopped: int = 0

    def plan(
        self,
        request: PlanRequest,
        library: Library,
        progress: Callable[[int, int, str], None],
        stopped: Callable[[], bool],
    ) -> PlanDocument:
        if request.limit == 1:
            return self._badge(request)
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        progress(0, 2, "one of two")
        while self.gate is not None and not self.gate.wait(0.005):
            if stopped():
                self.stopped += 1
                break
        return answered(request)

    def _badge(self, request: PlanRequest) -> PlanDocument:
        """Of the catalogue only R1 is really planned; its name decides for the others."""
        name = request.models[0]
        if name == "deepseek-ai/DeepSeek-R1":
            document = answered(replace(request, limit=10))
            return replace(document, candidates=document.candidates[:1])
        verdict = "does-not-fit" if "70B" in name else "unknown"
        return PlanDocument(verdict=verdict, request={}, inventory={})


TRAINED = "meta-llama/Llama-3.1-8B-Instruct"
"""The model that the walk of fine-tuning takes: the only one that is planned for real, in the list beside it too."""


def trained(request: FinetuneRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
    """The real planner's answer for ``TRAINED``; nothing is known of others."""
    if request.model != TRAINED:
        return PlanDocument(verdict="unknown", request={}, inventory={})
    return plan_finetune(request, library, progress=progress, cancelled=stopped)


def app_on(spec: str = H200, planner: FakePlanner | None = None, **services: object) -> PlannerApp:
    """The app, not yet running, on simulated hardware that it takes as detected."""
    planner = planner or FakePlanner()
    own = Services(library=lambda overlays: LIBRARY, detect=lambda library: inventory_of(spec), plan=planner.plan)
    services = {"finetune": trained, **services}
    return PlannerApp(services=replace(own, **services), debounce_s=0.001)  # type: ignore[arg-type]


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until something holds."""
    for _ in range(PATIENCE):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.002)
    raise AssertionError("this never came true")


async def settled(pilot: Pilot[None]) -> None:
    """Let the app run until it has planned for what stands."""
    app = pilot.app
    assert isinstance(app, PlannerApp)
    await until(pilot, lambda: app.session.current or app.session.failure is not None)
    await until(pilot, lambda: not app.planning and not app.running("hardware"))


@asynccontextmanager
async def running(
    app: PlannerApp, size: tuple[int, int] = (80, 24), *, settle: bool = True
) -> AsyncIterator[Pilot[None]]:
    """The app running headless, its first plan made."""
    async with app.run_test(size=size) as pilot:
        if settle:
            await settled(pilot)
        yield pilot


def screen_text(app: PlannerApp) -> str:
    """What stands on the screen, line by line."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


@pytest.fixture
def planner() -> FakePlanner:
    return FakePlanner()


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key may write a file: it is never the checkout's folder."""
    monkeypatch.chdir(tmp_path)
