"""Load: Little's law, pools, offline runs, queues, speculation, prefix cache, hostile numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from planner.errors import UnknownFact
from planner.performance.curves import Curves
from tests.performance.builders import LLAMA_8B, LLAMA_70B, deployment, library, speed


def run(load: dict[str, Any], config: dict[str, Any] = LLAMA_8B, **tables: Any) -> dict[str, float]:
    serving = {"max_model_len": 16384} | tables.pop("serving", {})
    found = speed(deployment(config, workload={"isl": 1024, "osl": 256} | load, serving=serving, **tables))
    names = ("ttft_s", "tpot_s", "output_tok_s", "total_tok_s", "request_s", "prefill_tok_s")
    return {name: getattr(found, name).value for name in names if getattr(found, name) is not None}


@pytest.mark.parametrize("concurrency", [1, 4, 16, 64, 200])
def test_littles_law(concurrency: int) -> None:
    """In a closed loop: requests in flight = throughput × time in the system."""
    found = run({"concurrency": concurrency})
    latency = found["ttft_s"] + 255 * found["tpot_s"]
    assert found["request_s"] * latency == pytest.approx(concurrency, rel=0.02)


def test_throughput_counts_all_tokens() -> None:
    found = run({"concurrency": 8})
    assert found["output_tok_s"] == pytest.approx(256 * found["request_s"])
    assert found["total_tok_s"] == pytest.approx((1024 + 256) * found["request_s"])


def test_open_loop_meets_its_rate_until_it_saturates() -> None:
    slow, fast = run({"request_rate": 1.0}), run({"request_rate": 1e6})
    assert slow["request_s"] == pytest.approx(1.0, rel=0.02)
    assert fast["request_s"] < 1e3
    assert fast["ttft_s"] > slow["ttft_s"]


def test_waiting_grows_with_the_rate() -> None:
    waits = [run({"request_rate": rate})["ttft_s"] for rate in (0.5, 2.0, 8.0, 20.0)]
    assert waits == sorted(waits)


def test_a_small_pool_makes_requests_wait() -> None:
    roomy = run(
        {"concurrency": 64, "isl": 4096},
        LLAMA_70B,
        hardware={"accelerator": "h200-sxm-141gb", "per_node": 4},
        serving={"tp": 4},
    )
    tight = run({"concurrency": 64, "isl": 4096}, LLAMA_70B, hardware={"accelerator": "h200-sxm-141gb", "per_node": 4},
                serving={"tp": 4, "max_num_seqs": 8})  # fmt: skip
    assert tight["ttft_s"] > 10 * roomy["ttft_s"]
    assert tight["output_tok_s"] < roomy["output_tok_s"]
    assert tight["tpot_s"] < roomy["tpot_s"]


def test_prefix_hits_shorten_the_first_token() -> None:
    cold, warm = run({"concurrency": 4, "isl": 8192}), run({"concurrency": 4, "isl": 8192, "prefix_hit_rate": 0.9})
    assert warm["ttft_s"] < 0.6 * cold["ttft_s"]
    assert warm["output_tok_s"] > cold["output_tok_s"]


def test_speculation_helps_alone_and_less_in_a_crowd() -> None:
    spec = {"speculative": {"method": "eagle", "tokens": 2, "acceptance": 0.7}}
    gains = [run({"concurrency": c})["tpot_s"] / run({"concurrency": c}, serving=spec)["tpot_s"] for c in (1, 256)]
    assert gains[0] > 1.5
    assert gains[1] < gains[0]


def test_eager_is_slower_than_graphs() -> None:
    assert run({"concurrency": 1}, serving={"enforce_eager": True})["tpot_s"] > 1.3 * run({"concurrency": 1})["tpot_s"]


def test_quantised_weights_decode_faster() -> None:
    weights = ["bf16", "fp8", "awq-int4"]
    found = [
        speed(
            deployment(
                LLAMA_8B, w, serving={"max_model_len": 8192}, workload={"isl": 512, "osl": 128, "concurrency": 1}
            )
        )
        for w in weights
    ]
    paces = [p.tpot_s.value for p in found if p.tpot_s]
    assert paces == sorted(paces, reverse=True)


@pytest.mark.parametrize(
    "load",
    [
        {"isl": 0, "osl": 0, "concurrency": 1}, {"isl": 1, "osl": 1, "concurrency": 1e9}, {"isl": 2**50, "osl": 2**50},
        {"isl": 0.5, "osl": 0.5, "saturated": True}, {"isl": 10, "osl": 10, "request_rate": 1e-9},
        {"isl": 10, "osl": 10, "request_rate": 1e18}, {"isl": 10, "osl": 10, "concurrency": 0.001},
        {"isl": 10, "osl": 10, "concurrency": 1, "context": 2**50}, {"isl": 10, "osl": 10, "prefix_hit_rate": 1.0},
    ],
    ids=str,
)  # fmt: skip
def test_absurd_loads_give_finite_figures(load: dict[str, Any]) -> None:
    found = speed(deployment(LLAMA_8B, workload=load, serving={"max_model_len": 8192}))
    for name in ("ttft_s", "tpot_s", "output_tok_s", "total_tok_s", "request_s", "prefill_tok_s", "decode_tok_s"):
        estimate = getattr(found, name)
        if estimate is not None:
            assert all(math.isfinite(x) and x >= 0 for x in (estimate.low, estimate.value, estimate.high)), name


def test_cpu_needs_its_bandwidth_and_uses_it() -> None:
    tables = {"engine": {"name": "vllm", "version": "0.19.0"}, "workload": {"isl": 128, "osl": 32, "concurrency": 1},
              "serving": {"max_model_len": 4096}}  # fmt: skip
    host = {"ram_bytes": 2**39, "memory_bandwidth_bytes_s": 4e11, "cores": 64}
    known = speed(deployment(LLAMA_8B, hardware={"accelerator": "cpu", "host": host}, **tables))
    assert known.tpot_s is not None
    assert known.tpot_s.value > 15e9 / 4e11
    assert known.tpot_s.origin == "assumed"
    with pytest.raises(UnknownFact, match="bandwidth"):
        speed(deployment(LLAMA_8B, hardware={"accelerator": "cpu", "host": {"ram_bytes": 2**39}}, **tables))


def test_curves_name_sources() -> None:
    """Every row of engine overheads and of chips says where it comes from."""
    curves: Curves = library().curves
    assert all(row["source"] for row in curves.engines)
    assert all(row["source"] for row in curves.chips.values())
