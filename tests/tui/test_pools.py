"""A fleet of two kinds of servers: each kind is exported as a deployment of its own, whole requests are counted."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from planner.buy import buy
from planner.buy_document import BuyDocument, BuyRequest
from planner.documents.encode import to_plain
from planner.library import Library
from planner.presets import preset
from planner.units import human_whole, whole
from tests.tui.conftest import LIBRARY, answered, app_on, inventory_of, running, screen_text, settled, until
from tui import text
from tui.answers import plan_of, pools_of
from tui.draft import Draft
from tui.export_bundle import document_name, pool_names
from tui.figures import FIGURES
from tui.needs import USERS, in_flight
from tui.services import Stopped
from tui.what_if import changes_for
from tui.widgets.choice import ChoiceField
from tui.widgets.words import Words

MODEL = "Qwen/Qwen3-32B"


@cache
def bought(mixed: bool = True) -> BuyDocument:
    load = replace(preset("chat").workload, concurrency=500.0)
    kinds = ("h200-nvl-141gb", "a100-pcie-80gb")
    return buy(BuyRequest(model=MODEL, workload=load, hardware=kinds, mixed=mixed), LIBRARY)


def sold(request: BuyRequest, library: Library, stopped: Stopped) -> BuyDocument:
    return bought()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_both_pools_of_a_mixed_fleet_are_written(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [pool.fleet.accelerator for pool in bought().offers[0].pools]
    assert len(names) == 2
    app = app_on(buy=sold)
    async with running(app, size) as pilot:
        app._change({"purpose": "buy", "model": MODEL})
        await settled(pilot)
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        screen = screen_text(app)
        assert f"Pool             ‹ {names[0]} ›" in screen and "^P commands" in screen
        await pilot.press("w")
        await until(pilot, (tmp_path / f"deployment-{names[0]}.toml").is_file)
        await until(pilot, lambda: "another kind of servers" in screen_text(app))
        app.walk.query_one("#export-pool").focus()
        await pilot.pause()
        assert "two kinds of servers" in screen_text(app)
        await pilot.press("right")
        await until(
            pilot, lambda: app.session.rendered is not None and app.session.rendered.plan is app.session.exported
        )
        assert f"deployment-{names[1]}.toml" in screen_text(app)
        await pilot.press("w")
        await until(pilot, (tmp_path / f"deployment-{names[1]}.toml").is_file)
    for name, pool in zip(names, bought().offers[0].pools, strict=True):
        document = tomllib.loads((tmp_path / f"deployment-{name}.toml").read_text())
        assert document["hardware"]["accelerator"] == name
        assert document["workload"]["concurrency"] == pytest.approx(500 * pool.share)
        assert document["estimate"]["verdict"] in ("fits", "tight")


async def test_what_is_rendered_is_the_pools_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on(buy=sold)
    async with running(app, (120, 40)) as pilot:
        app._change({"purpose": "buy", "model": MODEL})
        await settled(pilot)
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        app.walk.query_one("#export-pool").focus()
        await pilot.press("right")
        await until(
            pilot, lambda: app.session.rendered is not None and app.session.rendered.plan is app.session.exported
        )
        await pilot.press("tab", "down", "space")
        await until(pilot, lambda: "[x]  vllm" in screen_text(app))
        second = bought().offers[0].pools[1].fleet.accelerator
        assert f"qwen3-32b-{second}" in screen_text(app), "a folder of its own"
        await pilot.press("w")
        await until(pilot, (tmp_path / f"qwen3-32b-{second}" / "MANIFEST.json").is_file)
        kept = tomllib.loads((tmp_path / f"qwen3-32b-{second}" / "deployment.toml").read_text())
        assert kept["hardware"]["accelerator"] == second


async def test_a_fleet_of_one_kind_and_a_plan_have_no_pools() -> None:
    app = app_on(buy=lambda request, library, stopped: bought(mixed=False))
    async with running(app) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.session.rendered is not None)
        assert not app.walk.query_one("#export-pool", ChoiceField).display and app.session.exported is app.session.best
        app._change({"purpose": "buy", "model": MODEL})
        await settled(pilot)
        assert app.session.exported_pools == () and app.session.exported is app.session.best


def test_pools_are_predicted_at_their_share() -> None:
    offer = bought().offers[0]
    pools = pools_of(offer, LIBRARY)
    for plan, pool in zip(pools, offer.pools, strict=True):
        assert plan.gpus_used == pool.fleet.used and plan.estimate.performance is not None
        assert plan.estimate.performance.tpot_s is not None and pool.tpot_s is not None
        assert plan.estimate.performance.tpot_s.value == pytest.approx(pool.tpot_s.value, rel=0.1)
    assert not pools_of(bought(mixed=False).offers[0], LIBRARY)


def test_names_of_pools_differ() -> None:
    same = [{"hardware": {"accelerator": "l40s"}}] * 2
    assert pool_names([*same, {}]) == ["l40s-1", "l40s-2", "pool"]
    assert document_name("") == "deployment.toml" and document_name("l40s") == "deployment-l40s.toml"


def test_a_rate_buys_for_what_it_keeps_in_flight() -> None:
    """Little's law at the promised times: 2 requests a second that may take 2 s + 400 × 100 ms each."""
    rate = Draft(load="rate", rate=120).with_preset(preset("chat"))
    load = replace(rate, load="rate", rate=120).workload()
    assert in_flight(load) == 84
    assert in_flight(replace(load, service_level=None)) == USERS
    assert in_flight(replace(load, concurrency=7.0, request_rate=None)) == 7


async def test_a_fleet_for_a_rate_says_for_how_many_it_is() -> None:
    app = app_on(buy=sold)
    async with running(app) as pilot:
        app._change({"purpose": "buy", "model": MODEL, "load": "rate", "rate": 120})
        await settled(pilot)
        assert app.session.best is not None
        pattern = r"bought for \d+ requests in flight: as many as the rate keeps going within the promises"
        said = next(reason for reason in app.session.best.reasons if re.fullmatch(pattern, reason))
        await pilot.press("4", "i")
        await until(pilot, lambda: said in " ".join(app.walk.query_one("#plan-why", Words).said.split()))


def test_what_can_be_tried_of_a_fleet() -> None:
    plan = plan_of(bought(), LIBRARY)
    draft = Draft(model=MODEL, purpose="buy", users=500).with_preset(preset("chat"))
    found = {change.key: change.draft(draft) for change in changes_for(draft, plan.candidates[0], plan)}
    assert found["users-double"].users == 1000 and found["spare"].purchase.spare == "yes"
    assert not [key for key in found if key.startswith(("gpu", "machine", "cache"))], "there is no hardware yet"


@pytest.mark.parametrize(
    ("number", "said"), [(11.7, "11"), (0.9, "0"), (12.0, "12"), (11.9999999999, "12"), (1e7, "10M")]
)
def test_room_is_counted_in_whole_things(number: float, said: str) -> None:
    assert human_whole(number) == said and whole(number) == int(float(f"{number:.6f}"))


def test_no_room_has_a_decimal_and_the_document_keeps_them() -> None:
    document = answered(Draft(inventory=inventory_of("8xH200"), model="deepseek-ai/DeepSeek-R1").request())
    figure = FIGURES["max_concurrency"]
    exact = []
    for plan in document.candidates:
        estimate = figure.of(plan)
        assert estimate is not None
        assert "." not in text.room_of(plan) and "." not in text.shown(estimate.value, figure.unit)
        assert "." not in text.span(estimate, figure.unit)
        exact.append(to_plain(plan)["estimate"]["memory"]["max_concurrency"]["value"])
    assert any(value != int(value) for value in exact)
