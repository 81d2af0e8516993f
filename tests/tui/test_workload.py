"""The workload step: images beside the text, on narrow terminals too."""

from __future__ import annotations

from tests.tui.conftest import FakePlanner, app_on, running, screen_text, settled

VISION = "google/gemma-4-31B-it"


async def test_the_images_preset_asks_for_models_that_see(planner: FakePlanner) -> None:
    """R1 reads no images: the answer says so and where the way out is; a vision model answers."""
    app = app_on(planner=planner)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("3", *["right"] * 6)
        await settled(pilot)
        assert app.session.draft.preset == "images" and planner.asked[-1].workload.images == 1
        assert app.session.best is None
        screen = screen_text(app)
        assert "no vision tower" in screen and "choose a vision model" in screen and "‹ Images ›" in screen
        assert app._change({"model": VISION})
        await settled(pilot)
        assert app.session.best is not None and "gemma-4-31B-it" in screen_text(app)
        assert "Tokens an image  [     auto]" in screen_text(app)


async def test_images_are_typed_and_emptied_and_leave_their_tokens_with_them(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app, (80, 24)) as pilot:
        app._change({"model": VISION})
        await pilot.press("3")
        assert "Images a request [     none]" in screen_text(app) and "Tokens an image" not in screen_text(app)
        app.walk.query_one("#number-images").focus()
        await pilot.press("4", "enter", "down", *"900", "enter")
        await settled(pilot)
        load = planner.asked[-1].workload
        assert (load.images, load.image_tokens, app.session.draft.preset) == (4, 900, "custom")
        app.walk.query_one("#number-images").focus()
        await pilot.press("backspace", "enter")
        await settled(pilot)
        load = planner.asked[-1].workload
        assert load.images is None and load.image_tokens is None
        assert "Tokens an image" not in screen_text(app)
        await pilot.press("u", "u")
        await settled(pilot)
        assert app.session.draft.images == 4, "undo brings them back"


async def test_the_way_out_of_a_model_without_eyes_is_the_list_of_models(planner: FakePlanner) -> None:
    app = app_on(planner=planner)
    async with running(app, (80, 24)) as pilot:
        app._change({"images": 2})
        await settled(pilot)
        await pilot.press("4", "R")
        await pilot.pause()
        listing = app.walk.query_one("#rejections")
        rules = [item.rule for item in app.session.plan.rejected] if app.session.plan else []
        listing.focus()
        listing.go_to(str(rules.index("images-need-vision")))  # type: ignore[attr-defined]
        await pilot.press("enter")
        await settled(pilot)
        assert app.walk.step == "model" and app.session.draft.images == 2
