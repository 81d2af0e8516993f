"""Prefill and decode on workers of their own: what it does to latency, what limits it, what is illegal."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.errors import BadInput
from planner.export.prepare import prepare
from planner.predict import predict
from planner.resolve import resolve
from tests.performance.builders import LLAMA_70B, library

NODE = {"accelerator": "h100-sxm-80gb", "per_node": 8, "nodes": 2, "fabric": "infiniband-ndr"}


def document(
    prefill: dict[str, Any] | None, load: dict[str, Any], engine: dict[str, str] | None = None, **tables: Any
) -> Any:
    serving = {"tp": 4, "dp": 2, "max_model_len": 32768} | tables.pop("serving", {})
    if prefill is not None:
        serving["disaggregation"] = {"prefill": prefill}
    whole = {
        "model": {"config": LLAMA_70B, "weights": "fp8"},
        "hardware": NODE | tables.pop("hardware", {}),
        "engine": engine or {"name": "vllm", "version": "0.19.0"},
        "serving": serving,
        "workload": {"isl": 4000, "osl": 500} | load,
    }
    return parse_deployment(whole, "test")


def answer(*args: Any, **tables: Any) -> EstimateDocument:
    return predict(document(*args, **tables), library())


def value(found: EstimateDocument, name: str) -> float:
    estimate = getattr(found.performance, name)
    assert estimate is not None
    assert 0 < estimate.low <= estimate.value <= estimate.high
    return float(estimate.value)


def test_decode_is_undisturbed_and_the_first_token_pays_the_transfer() -> None:
    """Same devices, same load: gaps lose their tail, the first token costs more."""
    mixed = answer(None, {"request_rate": 4}, serving={"dp": 4})
    apart = answer({"replicas": 2}, {"request_rate": 4})
    assert value(apart, "itl_p99_s") < 0.2 * value(mixed, "itl_p99_s")
    assert value(apart, "tpot_s") < value(mixed, "tpot_s")
    assert value(apart, "ttft_s") > value(mixed, "ttft_s")
    assert apart.verdict == "fits"
    assert apart.prefill_memory is not None
    assert mixed.prefill_memory is None


def test_a_slower_network_makes_the_first_token_wait() -> None:
    times = [
        value(answer({"replicas": 2}, {"request_rate": 1}, hardware={"fabric": fabric}), "ttft_s")
        for fabric in ("infiniband-ndr", "roce-100g", "ethernet-25g")
    ]
    assert times == sorted(times)
    bytes_each = 4000 * 80 * 2 * 8 * 128 * 2 / 4
    assert times[2] - times[0] == pytest.approx(bytes_each / 3.125e9 / 0.8 - bytes_each / 50e9 / 0.8, rel=0.1)


def test_the_narrowest_part_limits_the_rate() -> None:
    few, more = (answer({"replicas": n}, {"request_rate": 1}, hardware={"nodes": 4}) for n in (1, 2))
    assert few.performance is not None
    assert few.performance.bound["deployment"] == "prefill workers"
    assert value(more, "stable_request_s") == pytest.approx(2 * value(few, "stable_request_s"), rel=1e-6)
    slow = answer({"replicas": 2}, {"request_rate": 0.1}, hardware={"fabric": "ethernet-10g"})
    assert slow.performance is not None
    assert slow.performance.bound["deployment"] == "KV transfer"


def test_littles_law_and_monotony_in_a_closed_loop() -> None:
    rates, firsts = [], []
    for concurrency in (1, 4, 16, 64, 256, 1024, 4096):
        found = answer({"replicas": 2}, {"concurrency": concurrency})
        cycle = value(found, "ttft_s") + 499 * value(found, "tpot_s")
        assert value(found, "request_s") * cycle == pytest.approx(concurrency, rel=0.02)
        rates.append(value(found, "request_s"))
        firsts.append(value(found, "ttft_s"))
    assert all(b >= a * 0.999 for a, b in itertools.pairwise(rates))
    assert firsts == sorted(firsts)


def test_too_much_is_a_typed_problem() -> None:
    found = answer({"replicas": 2}, {"request_rate": 100})
    assert [p.rule for p in found.problems] == ["queue-grows"]
    limit = value(found, "stable_request_s")
    calm = answer({"replicas": 2}, {"request_rate": 0.8 * limit})
    assert value(calm, "request_s") == pytest.approx(0.8 * limit)
    assert not calm.problems


def test_all_devices_count_and_both_kinds_must_fit() -> None:
    resolved = resolve(document({"replicas": 2, "tp": 2}, {}), library())
    assert resolved.serving.gpus == 2 * 4 + 2 * 2
    small = answer({"replicas": 2, "tp": 1}, {}, hardware={"accelerator": "l40s"})
    assert small.verdict == "does-not-fit"
    assert any(p.message.startswith("prefill workers: ") for p in small.problems)
    crowded = answer({"replicas": 2, "tp": 8}, {})
    assert crowded.verdict == "illegal"
    assert crowded.problems[0].rule == "gpus-available"
    assert crowded.problems[0].change == {"serving.disaggregation": None}


@pytest.mark.parametrize(
    ("engine", "prefill", "legal"),
    [
        ({"name": "vllm", "version": "0.19.0"}, {}, True),
        ({"name": "vllm", "version": "0.8.5"}, {}, False),
        ({"name": "vllm", "version": "0.19.0"}, {"pp": 2, "tp": 2}, False),
        ({"name": "sglang", "version": "0.5.9"}, {"pp": 2, "tp": 2}, True),
        ({"name": "sglang", "version": "0.4.5"}, {}, False),
        ({"name": "vllm", "version": "0.10.0"}, {"tp": 8, "replicas": 1}, False),
        ({"name": "vllm", "version": "0.19.0"}, {"tp": 8, "replicas": 1}, True),
        ({"name": "trtllm", "version": "1.0"}, {}, True),
    ],
    ids=str,
)
def test_engines_and_releases(engine: dict[str, str], prefill: dict[str, Any], legal: bool) -> None:
    found = answer({"replicas": 2} | prefill, {}, engine)
    assert (found.verdict != "illegal") == legal, found.problems


def test_it_is_planned_but_not_exported() -> None:
    with pytest.raises(BadInput, match="disaggregation"):
        prepare(document({"replicas": 1}, {}), library())


@pytest.mark.parametrize("table", [{"replicas": 0}, {"tp": -1}, {"replica": 2}, {"tp": "x"}], ids=str)
def test_bad_tables_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"serving\.disaggregation\.prefill"):
        document(table, {})


@pytest.mark.parametrize(
    "load",
    [
        {"isl": 0, "osl": 0}, {"osl": 1, "concurrency": 8}, {"osl": 1, "request_rate": 1e18}, {"concurrency": 1e9},
        {"request_rate": 1e-9}, {"saturated": True, "isl": 2**50}, {"prefix_hit_rate": 1.0}, {"context": 2**50},
        {"images": 10_000, "image_tokens": 1e12}, {"isl_cv": 20, "request_rate": 1},
    ],
    ids=str,
)  # fmt: skip
def test_absurd_loads_give_finite_figures(load: dict[str, Any]) -> None:
    found = answer({"replicas": 2}, load).performance
    assert found is not None
    for name in ("ttft_s", "tpot_s", "output_tok_s", "request_s", "ttft_p99_s", "itl_p99_s", "stable_request_s"):
        estimate = getattr(found, name)
        if estimate is not None:
            assert all(math.isfinite(x) and x >= 0 for x in (estimate.low, estimate.value, estimate.high)), name
