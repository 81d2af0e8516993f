"""Makes docs/tour.md and its pictures: the app driven through the walk, headless, on a recorded plan.

    python -m docs.make_tour             pictures and text from docs/tour/plan.json
    python -m docs.make_tour --record    plan anew first: 8×H200, chat, DeepSeek-R1

Pictures depend on the app alone as long as the plan stays; a test compares what they show with what the app shows.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from planner.documents.encode import to_json
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.library import Library
from tui.app import PlannerApp
from tui.services import Progress, Services, Stopped
from tui.themes import DARK

HERE = Path(__file__).parent
PICTURES = HERE / "tour"
RECORDED = PICTURES / "plan.json"
SPEC, MODEL, SIZE = "8xH200", "deepseek-ai/DeepSeek-R1", (120, 34)
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


def recorded() -> PlanDocument:
    """The plan that the pictures show."""
    return TypeAdapter(PlanDocument).validate_python(json.loads(RECORDED.read_text(encoding="utf-8")))


def record() -> None:
    """Plan anew, and keep the first proposals."""
    from planner.detect.spec import inventory_from_spec
    from planner.plan import plan
    from planner.presets import DEFAULT, preset
    from tui.draft import Draft

    library = Library()
    draft = Draft(inventory=inventory_from_spec(SPEC, library.database), model=MODEL).with_preset(preset(DEFAULT))
    document = plan(draft.request(), library)
    plain = json.loads(to_json(document))
    plain["candidates"] = plain["candidates"][:KEPT]
    RECORDED.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def tour_app() -> PlannerApp:
    """The app on the recorded plan, whatever is asked."""
    document = recorded()
    inventory = TypeAdapter(Inventory).validate_python(document.inventory)

    def plan(request: PlanRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
        return document

    services = Services(load=lambda spec, library: inventory, plan=plan)
    return PlannerApp(SPEC, services=services, debounce_s=0.001)


async def pictures() -> dict[str, str]:
    """Name → SVG of every scene."""
    app, found = tour_app(), {}
    async with app.run_test(size=SIZE) as pilot:
        app.theme = DARK
        for scene in scenes():
            await pilot.press(*scene.keys)
            while not app.session.current or app.planning:
                await pilot.pause(0.01)
            await pilot.pause()
            found[scene.name] = self_contained(app.export_screenshot(title="deploy-planner"))
    return found


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
