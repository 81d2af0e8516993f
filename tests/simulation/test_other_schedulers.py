"""Slots of llama.cpp, prefill and decode on workers of their own, engines that keep a slot for padding."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.documents.files import parse_deployment
from planner.documents.simulation import SimulationDocument
from planner.estimate import Estimate
from planner.memory.gguf import gguf_memory
from planner.memory.serving import serving_memory
from planner.performance.local import local_performance
from planner.performance.serving import serving_performance
from planner.performance.simulation.apart import run_apart
from planner.performance.simulation.group import Rules
from planner.performance.simulation.local import local_bench_of
from planner.performance.simulation.plant import ApartBench, apart_bench_of
from planner.performance.simulation.requests import Lengths, endless, open_loop
from planner.performance.simulation.run import Course, Run
from planner.performance.simulation.worker import Plant
from planner.simulate import Asked, simulate
from tests.local.build import LLAMA_8B as GGUF_8B
from tests.local.build import resolved as local
from tests.performance.builders import LLAMA_8B, deployment, library
from tests.simulation.test_scheduler import RULES, Flat

SERVING: dict[str, Any] = {"max_model_len": 16384, "dp": 2, "disaggregation": {"prefill": {"replicas": 1}}}
HARDWARE = {"accelerator": "h100-sxm-80gb", "per_node": 8}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def slots(users: int, parallel: int = 4, requests: int = 60, **workload: Any) -> Run:
    load = {"isl": 500, "osl": 100, "concurrency": users} | workload
    ready = local_bench_of(local(GGUF_8B, serving=_slots(parallel), workload=load), library().local_curves)
    lengths = Lengths(load["isl"], load["osl"], 0.3, 0.3)
    return ready.run(endless(lengths, 1), Course(requests, warm=3 * users, concurrency=users))


def _slots(parallel: int) -> dict[str, Any]:
    return {"parallel": parallel, "max_model_len": 4096 * parallel}


def test_one_request_in_a_slot_is_what_the_closed_form_says() -> None:
    one = local(GGUF_8B, serving=_slots(4), workload={"isl": 500, "osl": 100, "concurrency": 1})
    said, found = local_performance(one, gguf_memory(one), library().local_curves), slots(1).record
    assert said.tpot_s is not None
    assert said.ttft_s is not None
    assert mean(found.tpot) == pytest.approx(said.tpot_s.value, rel=0.03)
    assert mean(found.ttft) == pytest.approx(said.ttft_s.value, rel=0.15)


def test_requests_beyond_the_slots_wait_for_one() -> None:
    few, many = slots(4).record, slots(12, requests=120).record
    assert many.peak_running == 4
    assert many.peak_waiting >= 8
    assert many.rate() == pytest.approx(few.rate(), rel=0.1)
    assert mean(many.ttft) > 3 * mean(few.ttft)


def test_more_users_never_answer_less_or_faster() -> None:
    runs = [slots(n, parallel=8).record for n in (1, 2, 4, 8)]
    assert [r.rate() for r in runs] == sorted(r.rate() for r in runs)
    assert all(b >= 0.98 * a for a, b in itertools.pairwise(mean(r.tpot) for r in runs))


def test_a_small_cache_holds_fewer_requests_than_slots() -> None:
    """Two answers of 600 tokens in 1280 cells; nothing is ever sent back."""
    tight = local(GGUF_8B, serving={"parallel": 4, "max_model_len": 1280}, workload={"isl": 500, "osl": 100})
    ready = local_bench_of(tight, library().local_curves)
    found = ready.run(endless(Lengths(500, 100), 1), Course(20, warm=12, concurrency=4))
    assert found.record.peak_running == 2
    assert found.preemptions == 0


@pytest.mark.parametrize("engine", ["llama.cpp", "ollama", "ik_llama.cpp"])
def test_the_verb_runs_slots(engine: str) -> None:
    document = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "gguf:Q4_K_M"},
        "hardware": {"accelerator": "rtx-4090"},
        "engine": {"name": engine},
        "serving": {"parallel": 4, "max_model_len": 16384},
        "workload": {"isl": 500, "osl": 100},
    }
    asked = Asked(requests=50, concurrency=8.0)
    first, second = (simulate(parse_deployment(document, "test"), library(), asked) for _ in range(2))
    assert first == second
    assert first.internals is not None
    assert first.internals.peak_running == 4
    assert value(first, "ttft_s") > value(simulated(document, 1.0), "ttft_s")


def simulated(document: dict[str, Any], users: float) -> SimulationDocument:
    return simulate(parse_deployment(document, "test"), library(), Asked(requests=50, concurrency=users))


def value(found: SimulationDocument, name: str) -> float:
    estimate: Estimate = getattr(found.service, name).mean
    assert 0 < estimate.low <= estimate.value <= estimate.high
    return estimate.value


def apart(load: float, isl: int = 2000, osl: int = 300, requests: int = 800) -> tuple[Any, Run]:
    """Closed form and simulation at a share of what the deployment carries."""
    tables: dict[str, Any] = {"hardware": HARDWARE, "serving": SERVING}
    idle = deployment(LLAMA_8B, **tables, workload={"isl": isl, "osl": osl, "request_rate": 0.01})
    limit = serving_performance(idle, serving_memory(idle), library().curves).stable_request_s
    assert limit is not None
    rate = load * limit.value
    busy = deployment(LLAMA_8B, **tables, workload={"isl": isl, "osl": osl, "request_rate": rate})
    memory = serving_memory(busy)
    said = serving_performance(busy, memory, library().curves)
    ready = apart_bench_of(busy, memory, library().curves)
    return said, ready.run(open_loop(rate, Lengths(isl, osl), 1), Course(requests, warm=requests // 5))


@pytest.mark.parametrize(("isl", "osl"), [(2000, 300), (500, 500)])
@pytest.mark.parametrize("load", [0.1, 0.4, 0.7])
def test_workers_of_their_own_agree_with_the_closed_form(load: float, isl: int, osl: int) -> None:
    said, found = apart(load, isl, osl)
    assert said.tpot_s.value == pytest.approx(mean(found.record.tpot), rel=0.08)
    assert said.ttft_s.value == pytest.approx(mean(found.record.ttft), rel=0.25)
    assert said.request_s.value == pytest.approx(found.record.rate(), rel=0.08)


def test_waits_grow_with_the_load() -> None:
    runs = [apart(load)[1].record for load in (0.1, 0.5, 0.9)]
    assert [mean(r.ttft) for r in runs] == sorted(mean(r.ttft) for r in runs)
    assert [mean(r.tpot) for r in runs] == sorted(mean(r.tpot) for r in runs)


def test_the_verb_runs_prefill_and_decode_workers() -> None:
    document = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
        "hardware": HARDWARE,
        "engine": {"name": "vllm"},
        "serving": SERVING,
        "workload": {"isl": 1000, "osl": 200},
    }
    found = simulate(parse_deployment(document, "test"), library(), Asked(requests=200, rate=4.0))
    assert found.service is not None
    assert found.service.stable_request_s is not None
    assert found.service.stable_request_s.value > 4
    assert not [p for p in found.problems if p.rule == "no-simulation"]


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 40),
    isl=st.floats(1, 3000),
    osl=st.floats(1, 300),
    cv=st.floats(0, 2),
    seats=st.integers(1, 20),
    pool=st.floats(100, 20000),
    workers=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    clients=st.none() | st.integers(1, 30),
    seed=st.integers(0, 5),
)
def test_no_request_is_lost_between_workers(
    count: int, isl: float, osl: float, cv: float, seats: int, pool: float, workers: tuple[int, int],
    clients: int | None, seed: int,
) -> None:  # fmt: skip
    rules = Rules(seats, 512.0, pool, block=16.0)
    lengths = Lengths(isl, osl, cv, cv, 8000.0)
    load = open_loop(50.0, lengths, seed) if clients is None else endless(lengths, seed)
    course = Course(count, forever=False, concurrency=clients)
    found = run_apart((Plant(RULES), Flat(), workers[0]), (Plant(rules), Flat(), workers[1]), 0.02, load, course)
    record = found.record
    assert len(record.ttft) == len(record.e2e) == count
    assert all(0.02 < first <= whole + 1e-9 for first, whole in zip(record.ttft, record.e2e, strict=True))


def test_a_padded_slot_makes_closed_loops_wait() -> None:
    """TensorRT-LLM 1.0 without a stated max_num_seqs: one client always waits, as in estimate."""
    document = {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "fp8"},
        "hardware": {"accelerator": "h100-sxm-80gb"},
        "engine": {"name": "trtllm", "version": "1.0"},
        "serving": {"max_model_len": 8192},
        "workload": {"isl": 1000, "osl": 200},
    }
    stated = document | {"serving": {"max_model_len": 8192, "max_num_seqs": 256}}
    waits, free = (value(simulated(each, 8.0), "ttft_s") for each in (document, stated))
    assert waits > 3 * free


def test_benches_name_their_parts() -> None:
    resolved = deployment(LLAMA_8B, hardware=HARDWARE, serving=SERVING, workload={"isl": 100, "osl": 10})
    ready = apart_bench_of(resolved, serving_memory(resolved), library().curves)
    assert isinstance(ready, ApartBench)
    assert ready.workers == (1, 2)
    assert ready.handover_s > 0
