"""Speed over load, what would lift it, and what flips a choice."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest

from planner.detect.spec import load_hardware
from planner.documents.deployment import Deployment, EngineTable, WorkloadTable
from planner.documents.files import parse_deployment
from planner.documents.request import PlanRequest
from planner.engines.registry import engine_profile
from planner.levers import levers
from planner.load_curve import load_curve
from planner.plan import plan
from planner.predict import predict
from planner.sensitivity import identity, sensitivity
from tests.performance.builders import LLAMA_70B, library


def document(load: dict[str, Any], **serving: Any) -> Deployment:
    return parse_deployment(
        {
            "model": {"config": LLAMA_70B, "weights": "fp8"},
            "hardware": {"accelerator": "h100-sxm-80gb", "per_node": 4},
            "engine": {"name": "vllm", "version": "0.19.0"},
            "serving": {"tp": 4, "max_model_len": 16384, **serving},
            "workload": {"isl": 2000, "osl": 500} | load,
        },
        "test",
    )


def test_a_curve_over_requests_in_flight() -> None:
    points = load_curve(document({"concurrency": 40}), library(), 12)
    loads = [point.concurrency for point in points]
    assert loads[0] == 1 and 40.0 in loads and loads == sorted(loads)  # type: ignore[type-var]
    rates = [point.performance.output_tok_s.value for point in points if point.performance.output_tok_s]
    assert all(b >= 0.999 * a for a, b in itertools.pairwise(rates))
    same = next(point.performance for point in points if point.concurrency == 40)
    assert same == predict(document({"concurrency": 40}), library()).performance


def test_a_curve_over_rates_ends_below_the_largest_stable_one() -> None:
    points = load_curve(document({"request_rate": 2}), library(), 10)
    assert len(points) == 10
    limit = points[0].performance.stable_request_s
    assert limit is not None
    assert points[-1].request_rate == pytest.approx(0.98 * limit.value)
    waits = [point.performance.ttft_s.value for point in points if point.performance.ttft_s]
    assert waits == sorted(waits)


def test_forty_points_take_fifty_milliseconds() -> None:
    """Processor time of this thread; the best of a few, as other work may run."""
    deployment = document({"concurrency": 40})
    times = []
    for _ in range(5):
        start = time.thread_time()
        load_curve(deployment, library(), 40)
        times.append(time.thread_time() - start)
    assert min(times) < 0.05


@pytest.mark.parametrize("load", [{"concurrency": 1}, {"concurrency": 256}, {"request_rate": 3}, {"saturated": True}])
def test_more_hardware_is_never_a_loss(load: dict[str, Any]) -> None:
    for lever in levers(document(load), library()):
        gains = (lever.ttft, lever.tpot, lever.throughput, lever.stable_rate)
        if lever.kind == "hardware" and "memory +" not in lever.name:
            assert all(gain is None or gain > -0.02 for gain in gains), lever


def test_the_bound_names_the_lever() -> None:
    """Alone, decode waits for weights; a crowd of long prompts waits for compute."""
    alone = levers(document({"concurrency": 1}), library())
    best = max((lever for lever in alone if lever.kind == "hardware"), key=lambda lever: lever.tpot or 0)
    assert best.name.startswith("memory bandwidth")
    crowd = levers(document({"isl": 12000, "osl": 20, "concurrency": 64}), library())
    best = max((lever for lever in crowd if lever.kind == "hardware"), key=lambda lever: lever.throughput or 0)
    assert best.name.startswith("compute")


def test_small_pools_ask_for_memory() -> None:
    names = [lever.name for lever in levers(document({"concurrency": 500, "isl": 8000}), library())]
    assert "device memory + 25 %" in names
    assert "kv_cache_dtype fp8" in names


def test_changes_that_are_illegal_or_have_no_room_are_no_levers() -> None:
    """Twice the tensor ranks of eight leave the node."""
    full = document({"concurrency": 4}, tp=8)
    names = [lever.name for lever in levers(full, library())]
    assert "tp × 2" not in names
    assert "tp × 2" in [lever.name for lever in levers(document({"concurrency": 1}), library())]


def test_layers_that_predict_are_a_lever() -> None:
    """Alone, a token guessed ahead saves a step; models without such layers are not told so."""
    r1 = parse_deployment(
        {
            "model": {"id": "deepseek-ai/DeepSeek-R1", "weights": "fp8"},
            "hardware": {"accelerator": "h200-sxm-141gb", "per_node": 8},
            "engine": {"name": "vllm", "version": "0.33.0"},
            "serving": {"tp": 8, "max_model_len": 8192},
            "workload": {"isl": 1000, "osl": 400, "concurrency": 1},
        },
        "test",
    )
    (found,) = [lever for lever in levers(r1, library()) if lever.name.startswith("speculative mtp")]
    assert found.tpot is not None and 0.2 < found.tpot < 1.0
    assert not [lever for lever in levers(document({"concurrency": 1}), library()) if "mtp" in lever.name]


def test_the_newest_release_is_no_lever_of_itself() -> None:
    newest = engine_profile("vllm").version

    def named(version: str) -> list[str]:
        asked = document({"concurrency": 64})
        return [
            lever.name for lever in levers(replace(asked, engine=EngineTable(name="vllm", version=version)), library())
        ]

    assert "newest release of the engine" not in named(newest)
    assert "newest release of the engine" in named("0.8.0")


def test_what_flips_the_choice_really_does() -> None:
    request = PlanRequest(
        load_hardware("8xH200", library().database),
        ("deepseek-ai/DeepSeek-R1",),
        WorkloadTable(isl=1000, osl=400, concurrency=64),
    )
    first = plan(request, library())
    flips = sensitivity(request, first, library())
    assert {flip.input for flip in flips} == {"concurrency", "isl", "osl"}
    assert any(flip.instead for flip in flips)
    for flip in flips:
        workload = request.workload.model_copy(update={flip.input: flip.at})
        there = plan(PlanRequest(request.inventory, request.models, workload), library())
        now = identity(there.candidates[0])
        assert (now != identity(first.candidates[0])) == (flip.instead is not None)
        assert flip.instead in (None, now)
