"""What to buy: fleets that really serve the load, ordered, within limits, over the whole database in seconds."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from planner.buy import buy
from planner.buy_document import BuyDocument, BuyRequest
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.files import parse_deployment
from planner.errors import BadInput
from planner.predict import predict
from tests.cost.build import library

LOAD = WorkloadTable(isl=2000, osl=1000, concurrency=100)


def bought(model: str = "deepseek-r1", **keys: Any) -> BuyDocument:
    return buy(BuyRequest(**{"model": model, "workload": LOAD, **keys}), library())


@cache
def whole() -> tuple[BuyDocument, float]:
    library().database.accelerators()
    begun = time.process_time()
    document = bought(limit=200)
    return document, time.process_time() - begun


def test_r1_over_the_whole_database_in_five_seconds() -> None:
    document, seconds = whole()
    assert document.considered > 150
    assert len(document.offers) > 20
    assert seconds < 5


def test_every_offer_is_a_deployment_that_starts_and_carries_the_load() -> None:
    for offer in whole()[0].offers[:6]:
        answer = predict(parse_deployment(dict(offer.deployment), "offer"), library())
        assert answer.verdict in ("fits", "tight"), offer.fleet.title
        assert offer.users >= 100
        assert offer.tpot_s is not None and offer.tpot_s.value <= 0.2
        assert answer.performance is not None and answer.performance.tpot_s is not None
        assert answer.performance.tpot_s.value == pytest.approx(offer.tpot_s.value, rel=0.1)


def test_boards_are_bought_whole() -> None:
    """Universal base boards (OAM) and HGX boards since Blackwell hold eight; Hopper's are sold with four too."""
    sold = {(part.accelerator, part.devices) for o in whole()[0].offers for part in (o.fleet,)}
    boards = ("mi300x", "mi325x", "gaudi-3", "b200-sxm", "b300-sxm")
    assert any(name in boards for name, _ in sold) and ("h200-sxm-141gb", 4) in sold
    assert all(devices % 8 == 0 for name, devices in sold if name in boards)


def test_known_prices_first_and_ascending() -> None:
    amounts = [offer.purchase.value if offer.purchase else None for offer in whole()[0].offers]
    known = [a for a in amounts if a is not None]
    assert amounts[: len(known)] == known == sorted(known)
    assert all(offer.as_of for offer in whole()[0].offers[: len(known)])


@pytest.mark.parametrize("order", ["tco", "power", "devices"])
def test_other_orders(order: Any) -> None:
    offers = bought(rank_by=order, limit=200, hardware=("h200-sxm-141gb", "mi300x", "b200-sxm", "h100-sxm-80gb")).offers
    values = {
        "tco": [o.month.value for o in offers if o.month],
        "power": [o.plug_w.value for o in offers if o.plug_w],
        "devices": [o.fleet.devices for o in offers],
    }[order]
    assert len(values) > 3 and values == sorted(values)


def test_a_floor_keeps_small_formats_out() -> None:
    offers = bought(quality_floor="fp8", hardware=("h200-sxm-141gb", "h100-sxm-80gb")).offers
    assert {o.deployment["model"]["weights"] for o in offers} == {"fp8"}
    assert {o.fleet.accelerator: o.fleet.devices for o in offers} == {"h200-sxm-141gb": 8, "h100-sxm-80gb": 16}


def test_one_larger_server_is_preferred_to_many_small_ones() -> None:
    (offer,) = bought(quality_floor="fp8", hardware=("b200-sxm",), weights=("fp8",)).offers
    assert (offer.fleet.nodes, offer.fleet.devices) == (1, 8)


def test_more_users_and_tighter_promises_never_need_fewer_devices() -> None:
    kinds = ("h200-sxm-141gb",)
    few = bought(hardware=kinds).offers[0]
    many = bought(hardware=kinds, workload=replace(LOAD, concurrency=2000)).offers[0]
    assert many.fleet.devices > few.fleet.devices and many.copies > few.copies
    strict = replace(LOAD, service_level=ServiceLevelTable(tpot_s=0.03))
    fast = bought(hardware=kinds, workload=strict, rank_by="devices").offers[0]
    assert fast.fleet.devices >= few.fleet.devices
    assert fast.tpot_s is not None and fast.tpot_s.value <= 0.03


def test_a_spare_set_holds_the_load_when_a_server_is_down() -> None:
    plain = bought(hardware=("h200-sxm-141gb",), quality_floor="fp8").offers[0]
    spare = bought(hardware=("h200-sxm-141gb",), quality_floor="fp8", spare=True).offers[0]
    assert not plain.outages[1].holds and plain.outages[1].copies == 0
    assert spare.fleet.nodes == plain.fleet.nodes + 1
    assert all(outage.holds for outage in spare.outages)


def test_budget_and_room_rule_out_with_a_reason() -> None:
    kinds = ("h200-sxm-141gb", "h200-nvl-141gb", "a100-pcie-80gb", "mi325x")
    none = bought(budget=1000.0, hardware=kinds)
    assert none.offers == () and {"budget", "price-unknown"} <= {r.rule for r in none.rejected}
    assert none.problems[0].rule == "nothing-fits"
    some = bought(max_power_w=4000.0, hardware=kinds)
    assert some.offers and all(o.plug_w and o.plug_w.value <= 4000 for o in some.offers)
    assert "power" in {r.rule for r in some.rejected}


def test_a_small_model_fits_one_card() -> None:
    document = bought("qwen3-8b", workload=replace(LOAD, concurrency=4), hardware=("rtx-4090",))
    assert document.offers[0].fleet.devices == 1
    assert document.next_model is not None


def test_servers_have_what_loading_needs() -> None:
    offer = bought(hardware=("h200-sxm-141gb",), quality_floor="fp8").offers[0]
    assert offer.machine.ram_bytes > 600e9 and offer.machine.sockets == 2 and offer.machine.disk_bytes > 1.8e12


def test_without_users_there_is_nothing_to_buy() -> None:
    with pytest.raises(BadInput, match="users"):
        bought(workload=WorkloadTable(isl=100, osl=100))


def test_same_question_same_answer() -> None:
    kinds = ("h200-sxm-141gb", "mi300x")
    assert bought(hardware=kinds) == bought(hardware=kinds)


def test_the_nearest_miss_is_the_example() -> None:
    document = bought(budget=150_000.0, quality_floor="fp8", hardware=("h200-sxm-141gb", "h200-nvl-141gb"))
    (over,) = (r for r in document.rejected if r.rule == "budget")
    assert document.offers == () and over.count == 2
    nearest = bought(quality_floor="fp8", hardware=("h200-nvl-141gb",)).offers[0]
    assert nearest.purchase is not None
    assert over.change == {"budget": nearest.purchase.value}


def test_models_that_only_read_are_bought_for_too() -> None:
    load = WorkloadTable(isl=400, osl=0, concurrency=5)
    first = bought("bge-m3", workload=load, hardware=("l4", "h200-sxm-141gb"), rank_by="devices").offers[0]
    assert (first.fleet.accelerator, first.fleet.devices, first.tpot_s) == ("l4", 1, None)


def test_images_for_a_model_that_sees_none_are_refused_for_that_reason() -> None:
    blind = bought("qwen3-8b", workload=replace(LOAD, images=1.0), hardware=("h100-sxm-80gb", "l40s"))
    assert not blind.offers
    assert {item.rule for item in blind.rejected} == {"images-need-vision"}
    assert all(item.fix == "choose a vision model" for item in blind.rejected)
