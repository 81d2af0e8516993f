"""The walks of fine-tuning and buying: other inputs, the same steps, answers of the real planner."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import BadInput
from tests.tui.conftest import LIBRARY, TRAINED, app_on, inventory_of, running, screen_text, settled, until
from tui.answers import over
from tui.draft import Draft
from tui.needs import Purchase, Training, needs_of
from tui.panes.fleets import FleetsPane
from tui.panes.model import ModelPane
from tui.panes.runs import RunsPane
from tui.panes.training import TrainingPane
from tui.session import Session
from tui.widgets.purpose_bar import PurposeBar

SMALL = TRAINED
SIZES = ((80, 24), (120, 40), (200, 60))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_fine_tuning_from_a_model_to_the_trainers_files(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with running(app, size) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: app.walk.step == "model")
        assert "No model yet" in screen_text(app), "what is missing is said"
        app._change({"model": SMALL})
        await settled(pilot)
        await pilot.press("3")
        await until(pilot, lambda: bool(app.walk.query(TrainingPane)))
        assert "Hours allowed" in screen_text(app)
        run = app.session.best
        assert run is not None and run.estimate.finetune is not None
        shown = screen_text(app)
        assert ("Peak per GPU" in shown and "Checkpoint" in shown) or "peak" in shown
        await pilot.press("4")
        await until(pilot, lambda: bool(app.walk.query(RunsPane)) and "Ranked" in screen_text(app))
        for key, words in (("m", "Activations"), ("i", "sequences of up to"), ("t", "Speed"), ("o", "proposal")):
            await pilot.press(key)
            await until(pilot, lambda words=words: words in screen_text(app))  # type: ignore[misc]
        await pilot.press("5", "w")
        await until(pilot, (tmp_path / "deployment.toml").is_file)
    written = tomllib.loads((tmp_path / "deployment.toml").read_text())
    assert written["finetune"]["method"] == run.deployment["finetune"]["method"]


async def test_hours_allowed_put_longer_runs_behind() -> None:
    app = app_on()
    async with running(app) as pilot:
        app._change({"purpose": "tune", "model": SMALL, "training": Training(preset="distillation", hours=10)})
        await settled(pilot)
        late = [over(run, 10) for run in app.session.plan.candidates] if app.session.plan else []
        assert late and late == sorted(late)
        assert [run.rank for run in app.session.plan.candidates] == list(range(1, len(late) + 1))  # type: ignore[union-attr]


async def test_a_method_below_the_quality_is_refused_in_words() -> None:
    app = app_on()
    async with running(app) as pilot:
        app._change({"purpose": "tune", "model": SMALL, "training": Training(method="qlora", quality="full")})
        await settled(pilot)
        assert app.session.failure is not None and "qlora" in app.session.failure
        await pilot.press("u")
        await settled(pilot)
        assert app.session.draft.purpose == "serve" and app.session.best is not None


async def test_buying_ranks_fleets_and_says_what_each_leaves() -> None:
    app = app_on()
    async with running(app, (160, 40)) as pilot:
        app._change({"purpose": "buy", "model": SMALL, "users": 8, "purchase": Purchase(vendor="nvidia", budget_k=400)})
        await settled(pilot)
        await pilot.press("4")
        await until(pilot, lambda: bool(app.walk.query(FleetsPane)))
        offers = app.session.fleets.offers if app.session.fleets else ()
        assert offers and app.session.offer is offers[0]
        assert all(offer.purchase is None or offer.purchase.value <= 400_000 for offer in offers)
        shown = screen_text(app)
        assert offers[0].fleet.title in shown and "Next model up" in shown and "devices idle" in shown
        await pilot.press("down")
        await pilot.pause()
        assert app.session.offer is offers[min(1, len(offers) - 1)]
        await pilot.press("1")
        await pilot.pause()
        assert "Budget" in screen_text(app) and "dated facts" in screen_text(app)


async def test_going_back_to_a_purpose_asks_nothing_anew() -> None:
    from tests.tui.conftest import FakePlanner

    planner = FakePlanner()
    app = app_on(planner=planner)
    async with running(app) as pilot:
        asked, plan = len(planner.asked), app.session.plan
        app._change({"purpose": "tune"})
        await settled(pilot)
        assert app.session.plan is None and app.session.failure
        app._change({"purpose": "serve"})
        await settled(pilot)
        assert app.session.plan is plan and len(planner.asked) == asked


async def test_a_click_turns_the_walk_and_the_model_list_follows() -> None:
    app = app_on()
    async with running(app, (120, 40)) as pilot:
        await pilot.press("2")
        await settled(pilot)
        assert "(best that fits)" in screen_text(app)
        bar = next(bar for bar in app.walk.query(PurposeBar) if bar.region.width)
        await pilot.click(bar, offset=(str(bar.render()).index("fine-tune") + 2, 0))
        await until(pilot, lambda: app.session.draft.purpose == "tune")
        await until(pilot, lambda: "(best that fits)" not in screen_text(app))
        assert "Time" in screen_text(app) and app.walk.query_one(ModelPane).display


async def test_buying_takes_the_model_of_the_plan_along() -> None:
    app = app_on()
    async with running(app) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: app.session.draft.purpose == "tune")
        assert app.session.draft.model is None
        await pilot.press("g")
        await until(pilot, lambda: app.session.draft.purpose == "buy")
        assert app.session.draft.model == "deepseek-ai/DeepSeek-R1"


def test_a_question_looks_only_at_its_own_inputs() -> None:
    draft = Draft(inventory=inventory_of("8xH200"), model=SMALL)
    assert draft.question == replace(draft, training=Training(hours=3)).question
    tune = replace(draft, purpose="tune")
    assert tune.question == replace(tune, users=7, purchase=Purchase(budget_k=3)).question
    assert tune.question != replace(tune, training=Training(hours=3)).question
    buy = replace(draft, purpose="buy")
    assert buy.question == replace(buy, inventory=None).question != replace(buy, users=9).question


def test_samples_make_tokens_and_a_preset_takes_its_numbers_with_it() -> None:
    inventory = inventory_of("8xH200")
    asked = Training(samples=1000, sample_tokens=300).request(inventory, SMALL)
    assert asked.tokens == 300_000 and asked.seq_len is None
    assert Training(seq_len=99, tokens=5).changed({"preset": "domain"}) == Training(preset="domain")
    with pytest.raises(BadInput, match="quality"):
        Training(method="lora", quality="full").request(inventory, SMALL)


def test_what_is_bought_is_limited_to_a_maker() -> None:
    load = Draft().workload()
    asked = Purchase(vendor="amd", budget_k=50, power_kw=3, spare="yes").request(SMALL, load, LIBRARY)
    assert asked.hardware and asked.budget == 50_000 and asked.max_power_w == 3000 and asked.spare
    assert {LIBRARY.database.accelerator(name).vendor for name in asked.hardware} == {"amd"}
    assert asked.workload.concurrency == 64 and not asked.workload.saturated


def test_a_slider_of_another_part_is_one_step_of_history() -> None:
    session = Session(Draft())
    for hours in (2, 3, 4):
        session.change({"training": Training(hours=hours)})
    session.change({"training": Training(hours=4, epochs=2)})
    assert session.undo() and session.draft.training == Training(hours=4)
    assert session.undo() and session.draft.training == Training()


@pytest.mark.parametrize("hostile", [None, [], {}, {"preset": 1}, "x", {"hours": -1}])
def test_kept_needs_of_a_stranger_are_refused(hostile: object) -> None:
    assert needs_of(hostile, Training) is None


def test_kept_needs_come_back_and_bounds_hold() -> None:
    from dataclasses import asdict

    value = Training(hours=5, method="lora", samples=10)
    assert needs_of(asdict(value), Training) == value
    wrongs = ({"hours": 0}, {"hours": True}, {"hours": 1.5}, {"method": "rm -rf"}, {"preset": "a\x1b[2J"})
    for wrong in (*wrongs, {"epochs": 10**15}):
        assert needs_of({**asdict(value), **wrong}, Training) is None, wrong
    assert needs_of({**asdict(Purchase()), "rank_by": "luck"}, Purchase) is None
