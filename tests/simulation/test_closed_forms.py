"""Closed forms of queues against the simulation: independent ways to the same figures."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from planner.performance.queueing import OpenLoop
from tests.performance.builders import LLAMA_70B, QWEN3_30B
from tests.simulation.loads import PERCENTILES, Both, bench, closed_both, open_both

CHAT = {"workload": {"isl": 1024, "osl": 256}}
LONG = {"workload": {"isl": 4000, "osl": 2000}}
VARIED = {"workload": {"isl": 1024, "osl": 256, "isl_cv": 0.8, "osl_cv": 0.8}}
SGLANG = CHAT | {"engine": {"name": "sglang", "version": "0.5.6"}}
BIG = CHAT | {"config": LLAMA_70B, "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 4}, "serving": {"tp": 4}}
GROUPS = CHAT | {
    "config": QWEN3_30B,
    "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 4},
    "serving": {"attention_dp": 4, "ep": 4},
}
STAGES = CHAT | {
    "config": LLAMA_70B, "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8}, "serving": {"pp": 2, "tp": 4},
}  # fmt: skip
LOADS: dict[str, dict[str, Any]] = {
    "chat": CHAT, "long answers": LONG, "varied": VARIED, "prompts first": SGLANG, "tensor parallel": BIG,
    "attention groups": GROUPS, "stages": STAGES,
}  # fmt: skip


@pytest.fixture(scope="module", params=list(itertools.product(LOADS, (0.3, 0.6, 0.8))), ids=str)
def both(request: pytest.FixtureRequest) -> Both:
    name, load = request.param
    return open_both(load, **LOADS[name])


def test_means_of_an_open_loop(both: Both) -> None:
    assert both.outcome.ttft_s == pytest.approx(both.ttft.mean, rel=0.25)
    assert both.outcome.tpot_s == pytest.approx(both.tpot.mean, rel=0.2 if both.batching.groups == 1 else 0.3)


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_percentiles_of_an_open_loop(both: Both, percentile: float) -> None:
    assert both.tails.ttft(percentile) == pytest.approx(both.ttft.at(percentile), rel=0.35 if percentile < 99 else 0.6)
    width = 0.25 if both.batching.groups == 1 else 0.35
    assert both.tails.tpot(percentile) == pytest.approx(both.tpot.at(percentile), rel=width)


def test_gaps_of_an_open_loop(both: Both) -> None:
    """A percentile of gaps lies between whole numbers of prompts in a step; two of them may be off."""
    one = both.outcome.added_s
    for percentile in PERCENTILES:
        off = abs(both.tails.itl(percentile) - both.itl.at(percentile))
        assert off < 2 * one + 0.2 * both.itl.at(percentile)


@pytest.mark.parametrize("name", ["chat", "varied", "tensor parallel", "prompts first"])
def test_the_stable_rate_is_that_of_a_full_engine(name: str) -> None:
    """A replica with somebody always waiting answers what the closed form calls the largest stable rate."""
    resolved, ready = bench(**LOADS[name])
    slots = round(ready.batching.demand.slots)
    assert OpenLoop(ready.batching).capacity == pytest.approx(_full(slots, **LOADS[name]), rel=0.15)
    del resolved


PIPELINES = [
    pytest.param({"serving": {"pp": pp, "tp": tp} | serving, "workload": load}, id=f"{name} pp{pp} tp{tp}")
    for name, serving, load in (
        ("chat", {}, {"isl": 1024, "osl": 256}),
        ("long answers", {}, {"isl": 2000, "osl": 1000}),
        ("hits", {}, {"isl": 4096, "osl": 256, "prefix_hit_rate": 0.8}),
        ("chunks", {"max_num_batched_tokens": 512}, {"isl": 2000, "osl": 300}),
    )
    for pp, tp in ((2, 4), (4, 1))
]


@pytest.mark.parametrize("load", [0.3, 0.7])
@pytest.mark.parametrize("tables", PIPELINES)
def test_batches_of_a_pipeline_wait_for_the_longest(tables: dict[str, Any], load: float) -> None:
    """Rounds as long as their longest batch, which a mean over batches misses by a factor of two and more."""
    found = open_both(load, requests=800, **(STAGES | tables))
    assert found.outcome.tpot_s == pytest.approx(found.tpot.mean, rel=0.22)
    assert found.outcome.ttft_s == pytest.approx(found.ttft.mean, rel=0.35)


@pytest.mark.parametrize("concurrency", [4, 64])
@pytest.mark.parametrize("tables", PIPELINES)
def test_closed_loops_of_a_pipeline(tables: dict[str, Any], concurrency: int) -> None:
    found = closed_both(concurrency, requests=min(40 * concurrency, 400), **(STAGES | tables))
    assert found.outcome.tpot_s == pytest.approx(found.tpot.mean, rel=0.15)
    assert found.outcome.request_s == pytest.approx(found.run.record.rate(), rel=0.2)


@pytest.mark.parametrize("concurrency", [2, 4, 8])
@pytest.mark.parametrize("isl", [10_000, 32_000])
@pytest.mark.parametrize("version", [{"name": "vllm", "version": "0.19.0"}, {"name": "sglang", "version": "0.5.6"}])
def test_few_clients_with_long_prompts(version: dict[str, str], isl: int, concurrency: int) -> None:
    """Each other client has its prompt once a cycle, and none beside one's own: a rate that a mean number of running
    requests less one misses by up to a third."""
    tables = BIG | {"engine": version, "workload": {"isl": isl, "osl": 100}}
    found = closed_both(concurrency, requests=25 * concurrency, **tables)
    assert found.outcome.request_s == pytest.approx(found.run.record.rate(), rel=0.06)
    assert found.outcome.tpot_s == pytest.approx(found.tpot.mean, rel=0.25)


@pytest.mark.parametrize(("seats", "clients"), [(4, 5), (8, 64), (64, 80), (64, 256)])
@pytest.mark.parametrize(("isl", "osl"), [(4000, 200), (1000, 1000)])
@pytest.mark.parametrize("version", [{"name": "vllm", "version": "0.11.0"}, {"name": "sglang", "version": "0.5.6"}])
def test_prompts_queue_outside_of_full_engines(
    version: dict[str, str], isl: int, osl: int, seats: int, clients: int
) -> None:
    """Who waits for a seat gets it when a step has room for the prompt: seats are held by prompts under way alone."""
    serving = {"tp": 4, "max_num_seqs": seats}
    tables = BIG | {"engine": version, "serving": serving, "workload": {"isl": isl, "osl": osl}}
    found = closed_both(clients, requests=min(12 * clients, 1000), **tables)
    assert found.outcome.request_s == pytest.approx(found.run.record.rate(), rel=0.04)
    assert found.outcome.tpot_s == pytest.approx(found.tpot.mean, rel=0.08)
    assert found.outcome.ttft_s == pytest.approx(found.ttft.mean, rel=0.1)


def _full(slots: int, **tables: Any) -> float:
    return closed_both(slots, requests=3 * slots, **tables).run.record.rate()


@pytest.mark.parametrize("concurrency", [1, 8, 64, 200])
def test_closed_loops(concurrency: int) -> None:
    """Rate and pace of the closed form; its first token counts the start of a test, its percentiles do not."""
    found = closed_both(concurrency, workload={"isl": 1024, "osl": 256, "isl_cv": 0.3, "osl_cv": 0.3})
    assert found.outcome.request_s == pytest.approx(found.run.record.rate(), rel=0.1)
    assert found.outcome.tpot_s == pytest.approx(found.tpot.mean, rel=0.1)
    for percentile in PERCENTILES:
        assert found.tails.ttft(percentile) == pytest.approx(found.ttft.at(percentile), rel=0.35)
        assert found.tails.tpot(percentile) == pytest.approx(found.tpot.at(percentile), rel=0.12)


@pytest.mark.parametrize("name", ["chat", "long answers", "prompts first"])
def test_beyond_the_stable_rate_the_queue_grows(name: str) -> None:
    """Below it waits settle; above it they grow with the length of the run, at the rate of the backlog."""
    calm = [open_both(0.8, requests=count, **LOADS[name]).ttft.at(95.0) for count in (1000, 3000)]
    over = [open_both(1.4, requests=count, **LOADS[name]).ttft.at(95.0) for count in (1000, 3000)]
    assert calm[1] < 2 * calm[0]
    assert over[1] > 2 * over[0]
