"""docs/tour.md is what the script makes of the app as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from docs import make_tour


async def test_the_pictures_say_what_the_app_says() -> None:
    """Run ``python -m docs.make_tour`` when this fails."""
    for name, svg in (await make_tour.pictures()).items():
        kept = (make_tour.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert make_tour.words_of(svg) == make_tour.words_of(kept), f"docs/tour/{name}.svg is stale"


async def test_what_the_tour_writes_is_not_left_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export = next(scene for scene in make_tour.scenes() if scene.name == "8-export")
    to_files = replace(export, keys=("settle", "R", "settle", "5", "settle", "tab", "tab", "down", "space", "w"))
    said = make_tour.words_of((await make_tour.pictures([to_files]))["8-export"])
    assert any("what to do now" in words for words in said)
    assert not list(tmp_path.iterdir())


def test_the_text_is_that_of_the_script_and_names_every_picture() -> None:
    text = (make_tour.HERE / "tour.md").read_text(encoding="utf-8")
    assert text == make_tour.tour_text()
    pictures = {path.stem for path in make_tour.PICTURES.glob("*.svg")}
    assert pictures == {scene.name for scene in make_tour.scenes()}
    for name in pictures:
        outside = (
            (make_tour.PICTURES / f"{name}.svg").read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        )
        assert "http" not in outside, "a picture needs nothing from elsewhere"
