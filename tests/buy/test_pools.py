"""Fleets of two kinds, machines that are there already, what a fleet carries, and the models after this one."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from planner.account.request import Assumptions
from planner.buy import buy
from planner.buy_document import BuyDocument, BuyRequest, Offer
from planner.buying.carriers import keeps, speed_at
from planner.buying.errand import errand_of
from planner.buying.offers import offer_of
from planner.buying.owned import owned_parts
from planner.detect.spec import inventory_from_spec
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.files import parse_deployment
from planner.errors import BadDocument, BadInput
from planner.predict import predict
from tests.cost.build import library

FAST = ServiceLevelTable(tpot_s=0.05)
MANY = WorkloadTable(isl=1000, osl=400, concurrency=600, service_level=FAST)
SMALL = WorkloadTable(isl=500, osl=200, concurrency=20)


def bought(model: str = "deepseek-r1", load: WorkloadTable = MANY, **keys: Any) -> BuyDocument:
    return buy(BuyRequest(**{"model": model, "workload": load, **keys}), library())


def there(spec: str) -> Any:
    return inventory_from_spec(spec, library().database)


@cache
def many() -> BuyDocument:
    return bought(quality_floor="fp8", limit=50)


def mixed(document: BuyDocument) -> list[Offer]:
    return [offer for offer in document.offers if len(offer.pools) > 1]


def test_two_kinds_are_offered_only_where_they_beat_each_alone() -> None:
    offers = mixed(many())
    assert offers
    alone = {o.fleet.accelerator: o.purchase.value for o in many().offers if len(o.pools) == 1 and o.purchase}
    for offer in offers:
        assert offer.purchase is not None
        for pool in offer.pools:
            assert offer.purchase.value < alone[pool.fleet.accelerator]


def test_the_pools_of_a_fleet_share_load_price_and_power() -> None:
    for offer in mixed(many()):
        assert sum(pool.share for pool in offer.pools) == pytest.approx(1)
        assert len({pool.deployment["model"]["weights"] for pool in offer.pools}) == 1, "one format for all answers"
        assert len({pool.fleet.accelerator for pool in offer.pools}) == 2
        assert offer.purchase is not None and offer.month is not None and offer.carries is not None
        assert sum(p.purchase.value for p in offer.pools if p.purchase) == pytest.approx(offer.purchase.value)
        assert sum(p.month.value for p in offer.pools if p.month) == pytest.approx(offer.month.value)
        assert sum(p.carries for p in offer.pools) == pytest.approx(offer.carries.value)
        assert offer.carries.value >= (MANY.concurrency or 0)
        assert " + " in offer.title


def test_every_pool_is_a_deployment_that_keeps_the_promises_at_its_share() -> None:
    for offer in mixed(many())[:2]:
        for pool in offer.pools:
            deployment = parse_deployment(dict(pool.deployment), "pool")
            assert deployment.workload is not None
            load = replace(deployment.workload, concurrency=(MANY.concurrency or 0) * pool.share)
            answer = predict(replace(deployment, workload=load), library())
            assert answer.verdict in ("fits", "tight")
            assert answer.performance is not None and answer.performance.tpot_s is not None
            assert answer.performance.tpot_s.value <= 0.05 * 1.05


def test_mixed_fleets_can_be_left_out() -> None:
    kinds = tuple(dict.fromkeys(pool.fleet.accelerator for pool in mixed(many())[0].pools))
    assert mixed(bought(quality_floor="fp8", hardware=kinds))
    assert not mixed(bought(quality_floor="fp8", hardware=kinds, mixed=False))


def test_with_a_spare_any_set_may_go() -> None:
    kinds = tuple(dict.fromkeys(pool.fleet.accelerator for pool in mixed(many())[0].pools))
    document = bought(quality_floor="fp8", hardware=kinds, spare=True)
    assert document.offers
    for offer in document.offers:
        assert all(outage.holds for outage in offer.outages), offer.title


def test_what_a_fleet_carries_is_what_the_promises_allow() -> None:
    """At that many users the promises hold, a tenth above they do not, or the memory is full."""
    request = BuyRequest(model="deepseek-r1", workload=MANY, quality_floor="fp8", have=there("8xH200-SXM"))
    errand = errand_of(request, library())
    (part,), _ = owned_parts(errand, there("8xH200-SXM"))
    carried = errand.capacity.of(part.unit)
    held = []
    for users in (carried, 1.1 * carried):
        performance = speed_at(part.unit.candidate, users, errand.tools)
        assert performance is not None
        held.append(keeps(performance, errand.question.task, "value"))
    assert held[0] and (not held[1] or carried >= part.unit.candidate.users - 1)
    carries = offer_of(errand, (part,)).carries
    assert carries is not None and carries.low <= carries.value <= carries.high
    assert carries.value == carried


def test_machines_that_carry_the_load_need_no_others() -> None:
    document = bought("qwen3-32b", SMALL, have=there("2x8xA100-SXM-80GB"), spare=True)
    assert document.enough and document.offers == () and document.problems == ()
    have = document.have
    assert have is not None and have.headroom_load > 1 and all(pool.owned for pool in have.pools)
    assert all(outage.holds for outage in have.outages), "half of it is still enough"
    assert have.purchase is None and have.month is not None, "they are paid for, not free to run"


def test_only_the_rest_is_bought() -> None:
    whole = bought(hardware=("h200-sxm-141gb",), quality_floor="fp8").offers[0]
    rest = bought(hardware=("h200-sxm-141gb",), quality_floor="fp8", have=there("2x8xH200-SXM"))
    assert not rest.enough and rest.have is not None
    offer = rest.offers[0]
    new = [pool for pool in offer.pools if not pool.owned]
    assert sum(pool.fleet.devices for pool in new) < whole.fleet.devices
    assert offer.purchase is not None and whole.purchase is not None and offer.purchase.value < whole.purchase.value
    assert offer.carries is not None and offer.carries.value >= (MANY.concurrency or 0)


def test_with_a_spare_the_machines_that_are_there_may_go_too() -> None:
    load = replace(MANY, concurrency=150)
    document = bought(
        load=load, hardware=("h200-sxm-141gb",), quality_floor="fp8", have=there("8xH200-SXM"), spare=True
    )
    assert not document.enough
    assert all(outage.holds for outage in document.offers[0].outages)


def test_machines_of_several_kinds_are_pools_and_useless_ones_are_named() -> None:
    document = bought("deepseek-r1", replace(MANY, concurrency=10), have=there("8xH200-SXM+1xL4"))
    assert document.have is not None
    assert [pool.fleet.accelerator for pool in document.have.pools] == ["h200-sxm-141gb"]
    assert "have-unused" in {finding.rule for finding in document.problems}
    two = bought("qwen3-8b", SMALL, have=there("8xH100-SXM+4xL40S")).have
    assert two is not None and len(two.pools) == 2
    with pytest.raises(BadInput, match="no accelerator"):
        bought("qwen3-8b", SMALL, have=there("cpu"))


def test_the_models_after_this_one_grow_and_have_a_fleet() -> None:
    document = bought("qwen3-8b", SMALL, hardware=("h100-pcie-80gb",))
    sizes = [model.least_bytes for model in document.next_models]
    assert len(sizes) == 2 and sizes == sorted(sizes)
    assert document.next_model == document.next_models[0]
    assert all(model.fleet and model.purchase for model in document.next_models)


def test_the_price_of_one_kind_needs_one_kind() -> None:
    mine = Assumptions(purchase=1000.0)
    offer = bought("qwen3-8b", SMALL, hardware=("l4",), assumptions=mine).offers[0]
    assert offer.account is not None and offer.account.purchase["devices"].value == 1000 * offer.fleet.devices
    for hardware in ((), ("l4", "l40s")):
        with pytest.raises(BadInput, match="one kind"):
            bought("qwen3-8b", SMALL, hardware=hardware, assumptions=mine)


def test_what_cannot_be_bought_is_not_offered() -> None:
    names = ("google-tpu-v6e", "aws-trainium2", "a10g", "l4")
    document = bought("qwen3-8b", SMALL, hardware=names)
    assert {offer.fleet.accelerator for offer in document.offers} == {"l4"}
    assert next(r.count for r in document.rejected if r.rule == "not-sold") == 3


def test_electricity_of_a_region_counts_in_a_month() -> None:
    plain = bought("qwen3-8b", SMALL, hardware=("l40s",)).offers[0]
    dear = bought("qwen3-8b", SMALL, hardware=("l40s",), assumptions=Assumptions(kwh=1.0)).offers[0]
    assert plain.month is not None and dear.month is not None and dear.month.value > plain.month.value


def test_the_building_counts_in_the_bill_but_not_at_the_plugs() -> None:
    lean, fat = (
        bought("qwen3-8b", SMALL, hardware=("l40s",), assumptions=Assumptions(pue=pue)).offers[0] for pue in (1.0, 2.0)
    )
    assert lean.month is not None and fat.month is not None and lean.plug_w is not None
    assert fat.month.value > lean.month.value and fat.plug_w == lean.plug_w


def test_a_small_room_is_met_by_power_caps_while_the_promises_hold() -> None:
    kinds, load = ("h200-nvl-141gb", "h200-sxm-141gb"), replace(MANY, concurrency=100, service_level=None)
    free = {o.fleet.accelerator: o for o in bought(load=load, hardware=kinds).offers}
    capped = {o.fleet.accelerator: o for o in bought(load=load, hardware=kinds, max_power_w=3200.0).offers}
    assert capped
    for name, offer in capped.items():
        before = free[name]
        assert offer.cap_w is not None and any("capped" in remark for remark in offer.remarks)
        assert (
            offer.plug_w is not None and before.plug_w is not None and offer.plug_w.value <= 3200 < before.plug_w.value
        )
        assert offer.ttft_s is not None and before.ttft_s is not None and offer.ttft_s.value > before.ttft_s.value
        assert offer.carries is not None and offer.carries.value >= 100
    loose = replace(load, service_level=ServiceLevelTable(ttft_s=free["h200-nvl-141gb"].ttft_s.value * 1.01))  # type: ignore[union-attr]
    quick = min(o.ttft_s.value for o in bought(load=loose, hardware=("h200-nvl-141gb",)).offers if o.ttft_s)
    tight = replace(load, service_level=ServiceLevelTable(ttft_s=quick * 1.01))
    slow = bought(load=tight, hardware=("h200-nvl-141gb",), max_power_w=3200.0)
    assert all(offer.cap_w is None for offer in slow.offers), "a capped prompt would come too late"
    none = bought(load=load, hardware=kinds, max_power_w=100.0)
    assert none.offers == () and next(r for r in none.rejected if r.rule == "power").change["max_power_w"] > 3000


HOSTILE = (math.nan, math.inf, -1.0, 0.0)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["budget", "max_power_w", "max_nodes", "limit"])
def test_limits_out_of_bounds_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadDocument):
        bought("qwen3-8b", SMALL, hardware=("l4",), **{name: value})


@pytest.mark.parametrize("value", HOSTILE[:3])
@pytest.mark.parametrize("name", ["concurrency", "isl", "osl", "context", "prefix_hit_rate"])
def test_loads_out_of_bounds_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadDocument):
        bought("qwen3-8b", replace(SMALL, **{name: value}), hardware=("l4",))
