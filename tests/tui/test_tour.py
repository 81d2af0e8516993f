"""docs/tour.md is what the script makes of the app as it is."""

from __future__ import annotations

from docs import make_tour


async def test_the_pictures_say_what_the_app_says() -> None:
    """Run ``python -m docs.make_tour`` when this fails."""
    for name, svg in (await make_tour.pictures()).items():
        kept = (make_tour.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert make_tour.words_of(svg) == make_tour.words_of(kept), f"docs/tour/{name}.svg is stale"


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
