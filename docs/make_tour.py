"""Makes docs/tour.md and its pictures: the app driven through the walk, headless, on a recorded plan.

    python -m docs.make_tour             pictures and text from docs/tour/plan.json
    python -m docs.make_tour --record    plan anew first: 8×H200, chat, DeepSeek-R1

Pictures depend on the app alone as long as the plan stays; a test compares what they show with what the app shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter
from textual.pilot import Pilot
from textual.widgets import Input

from planner.documents.encode import to_json
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.library import Library
from planner.training.request import FinetuneRequest
from tui.app import PlannerApp
from tui.services import Progress, Services, Stopped
from tui.themes import DARK

HERE = Path(__file__).parent
PICTURES = HERE / "tour"
RECORDED, RECORDED_RUNS = PICTURES / "plan.json", PICTURES / "runs.json"
TRAINED = "Qwen/Qwen3-32B"
SPEC, MODEL, SIZE = "8xH200", "deepseek-ai/DeepSeek-R1", (120, 34)
SETTLE = "settle"
"""In a list of keys: wait until everything before has shown."""
PATIENCE, STILL = 800, 4
"""Looks at a picture at most, and how many in a row must be alike."""
KEPT = 5
"""Proposals of the recorded plan."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Keys that lead from the scene before, and what there is to see."""

    name: str
    title: str
    keys: tuple[str, ...]
    text: str


@cache
def script() -> dict[str, Any]:
    """docs/tour/scenes.toml."""
    return tomllib.loads((PICTURES / "scenes.toml").read_text(encoding="utf-8"))


def scenes() -> list[Scene]:
    """In the order of the walk."""
    return [Scene(s["name"], s["title"], tuple(s["keys"]), s["text"].strip()) for s in script()["scenes"]]


@cache
def recorded(path: Path = RECORDED) -> PlanDocument:
    """The plan that the pictures show."""
    return TypeAdapter(PlanDocument).validate_python(json.loads(path.read_text(encoding="utf-8")))


def record() -> None:
    """Plan anew, and keep the first proposals."""
    from planner.detect.spec import inventory_from_spec
    from planner.plan import plan
    from planner.presets import DEFAULT, preset
    from planner.training.search import plan_finetune
    from tui.draft import Draft

    library = Library()
    draft = Draft(inventory=inventory_from_spec(SPEC, library.database), model=MODEL).with_preset(preset(DEFAULT))
    _keep(plan(draft.request(), library), RECORDED)
    machines = inventory_from_spec(SPEC, library.database)
    _keep(plan_finetune(draft.training.request(machines, TRAINED), library), RECORDED_RUNS)


def _keep(document: PlanDocument, path: Path) -> None:
    plain = json.loads(to_json(document))
    plain["candidates"] = plain["candidates"][:KEPT]
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def tour_app() -> PlannerApp:
    """The app on the recorded plan, whatever is asked."""
    document = recorded()
    inventory = TypeAdapter(Inventory).validate_python(document.inventory)

    def plan(request: PlanRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
        return document

    def finetune(request: FinetuneRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
        return recorded(RECORDED_RUNS)

    services = Services(load=lambda spec, library: inventory, plan=plan, finetune=finetune)
    return PlannerApp(SPEC, services=services, debounce_s=0.001)


async def pictures(shown: Sequence[Scene] | None = None) -> dict[str, str]:
    """Name → SVG of every scene, walked in an empty folder: a key may write what is marked for export."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        return await _walked(shown or scenes())


async def _walked(shown: Sequence[Scene]) -> dict[str, str]:
    app, found = tour_app(), dict[str, str]()
    async with app.run_test(size=SIZE) as pilot:
        app.theme = DARK
        for scene in shown:
            for key in scene.keys:
                await (settled(app, pilot) if key == SETTLE else pilot.press(key))
            found[scene.name] = await settled(app, pilot)
    return found


async def settled(app: PlannerApp, pilot: Pilot[None]) -> str:
    """The picture once nothing is being worked out and it has stopped changing."""
    last, alike = "", 0
    for _ in range(PATIENCE):
        await pilot.pause(0.01)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        answered = app.session.current or app.session.failure is not None
        busy = app.planning or any(worker.is_running for worker in app.workers) or not answered
        now = self_contained(app.export_screenshot(title="deploy-planner"))
        alike = alike + 1 if now == last and not busy else 0
        last = now
        if alike >= STILL:
            return now
    raise TimeoutError(f"the picture never came to rest: {[w.group for w in app.workers if w.is_running]}")


def self_contained(svg: str) -> str:
    """The picture without fonts from elsewhere, its ids the same from run to run."""
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+-", "terminal-", svg)


def words_of(svg: str) -> list[str]:
    """What a picture says, without how."""
    import html

    pieces = re.findall(r"<text[^>]*>(.*?)</text>", svg, flags=re.DOTALL)
    return [html.unescape(piece).replace("\xa0", " ").strip() for piece in pieces if piece.strip()]


def tour_text() -> str:
    """docs/tour.md."""
    parts = [f"## {n}. {s.title}\n\n{s.text}\n\n![{s.title}](tour/{s.name}.svg)\n" for n, s in enumerate(scenes(), 1)]
    return "\n".join([script()["head"].strip() + "\n", *parts, script()["tail"].strip() + "\n"])


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    if "--record" in sys.argv[1:]:
        record()
    for name, svg in asyncio.run(pictures()).items():
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    (HERE / "tour.md").write_text(tour_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
