"""What must hold for any deployment: physical limits, monotony in load and hardware."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from planner.documents.result import Performance
from planner.models.formats import model_bytes
from planner.resolved import Resolved
from tests.performance.builders import LLAMA_8B, LLAMA_70B, QWEN3_30B, deployment, library, speed

ENGINES = [
    {"name": "vllm", "version": "0.11.0"},
    {"name": "vllm", "version": "0.19.0"},
    {"name": "sglang", "version": "0.5.6"},
    {"name": "trtllm", "version": "1.0"},
]
CHIPS = ["h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm", "a100-sxm-80gb", "l40s", "rtx-4090", "mi300x", "gaudi-3",
         "ascend-910b3", "arc-pro-b60-24gb", "gb10"]  # fmt: skip


def closed(config: dict[str, Any], concurrency: float, chip: str = "h200-sxm-141gb", **serving: Any) -> Resolved:
    gpus = serving.get("tp", 1) * serving.get("attention_dp", 1) * serving.get("pp", 1) * serving.get("dp", 1)
    return deployment(
        config,
        hardware={"accelerator": chip, "per_node": gpus},
        serving={"max_model_len": 16384, **serving},
        workload={"isl": 1024, "osl": 256, "concurrency": concurrency},
    )


def value(performance: Performance, name: str) -> float:
    estimate = getattr(performance, name)
    assert estimate is not None
    assert 0 < estimate.low <= estimate.value <= estimate.high
    return float(estimate.value)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("config", [LLAMA_8B, QWEN3_30B], ids=["dense", "moe"])
def test_decode_never_beats_the_bandwidth(chip: str, config: dict[str, Any]) -> None:
    """One request reads every active weight once per token."""
    resolved = closed(config, 1, chip)
    device = resolved.cluster.device.accelerator
    assert device is not None
    assert device.bandwidth_bytes_s
    moe = config.get("num_experts")
    active = (config.get("num_experts_per_tok", 1) / moe) if moe else 1.0
    least = model_bytes(resolved.architecture, resolved.quantization) * active / device.bandwidth_bytes_s
    if not moe:
        least -= 2 * config["vocab_size"] * config["hidden_size"] / device.bandwidth_bytes_s
    assert value(speed(resolved), "tpot_s") > least


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: f"{e['name']}-{e['version']}")
def test_prefill_never_beats_the_peak(engine: dict[str, str]) -> None:
    resolved = deployment(
        LLAMA_70B,
        hardware={"accelerator": "h100-sxm-80gb", "per_node": 4},
        engine=engine,
        serving={"tp": 4, "max_model_len": 16384},
        workload={"isl": 8192, "osl": 1, "concurrency": 64},
    )
    device = resolved.cluster.device.accelerator
    assert device is not None
    flop = 2 * 68e9 * value(speed(resolved), "total_tok_s")
    assert flop < 4 * device.peak_flop_s["bf16"]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: f"{e['name']}-{e['version']}")
@pytest.mark.parametrize("layout", [{}, {"tp": 4}, {"tp": 2, "pp": 2}, {"attention_dp": 4, "ep": 4}], ids=str)
@pytest.mark.parametrize("config", [LLAMA_8B, QWEN3_30B], ids=["dense", "moe"])
def test_load_raises_throughput_and_lowers_single_speed(
    engine: dict[str, str], layout: dict[str, int], config: dict[str, Any]
) -> None:
    gpus = layout.get("tp", 1) * layout.get("attention_dp", 1) * layout.get("pp", 1)
    results = []
    for concurrency in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        resolved = deployment(
            config,
            hardware={"accelerator": "h200-sxm-141gb", "per_node": gpus},
            engine=engine,
            serving={"max_model_len": 16384, "max_num_seqs": 1024, **layout},
            workload={"isl": 1024, "osl": 256, "concurrency": concurrency},
        )
        results.append(speed(resolved))
    throughput = [value(p, "output_tok_s") for p in results]
    pace = [value(p, "tpot_s") for p in results]
    first = [value(p, "ttft_s") for p in results]
    for before, after in itertools.pairwise(throughput):
        assert after >= before * 0.999
    for before, after in itertools.pairwise(pace):
        assert after >= before * 0.999
    for before, after in itertools.pairwise(first):
        assert after >= before * 0.99


@pytest.mark.parametrize("load", [{"concurrency": 8}, {"saturated": True}, {"request_rate": 1.0}], ids=str)
def test_more_bandwidth_never_hurts(load: dict[str, Any]) -> None:
    resolved = deployment(LLAMA_8B, workload={"isl": 1024, "osl": 256, **load}, serving={"max_model_len": 16384})
    device = resolved.cluster.device
    assert device.accelerator is not None
    assert device.accelerator.bandwidth_bytes_s
    results = []
    for factor in (0.5, 1.0, 1.5, 3.0):
        faster = replace(device.accelerator, bandwidth_bytes_s=device.accelerator.bandwidth_bytes_s * factor)
        cluster = replace(resolved.cluster, device=replace(device, accelerator=faster))
        results.append(speed(replace(resolved, cluster=cluster)))
    pace = [value(p, "tpot_s") for p in results]
    assert pace == sorted(pace, reverse=True)
    rate = [value(p, "output_tok_s") for p in results]
    assert all(b >= a * 0.999 for a, b in itertools.pairwise(rate))


def test_every_accelerator_with_a_bandwidth_gets_an_answer() -> None:
    """No vendor is left without a figure; those without timings say so."""
    for device in library().database.accelerators():
        if not device.bandwidth_bytes_s:
            continue
        performance = speed(closed(LLAMA_8B, 4, device.id))
        assert value(performance, "tpot_s") < 10
        assert value(performance, "ttft_s") < 1000


def test_an_untimed_chip_is_less_certain() -> None:
    known, unknown = (speed(closed(LLAMA_8B, 4, chip)).tpot_s for chip in ("h100-sxm-80gb", "ascend-910b3"))
    assert known is not None
    assert unknown is not None
    assert unknown.origin == "assumed"
    assert unknown.high / unknown.low > known.high / known.low


def test_published_llama_8b_on_h100() -> None:
    """MEASURED: Llama-8B bf16 on H100, ITL = 6.44 ms + 4.37e-5 ms per context token at one request."""
    for context in (1000, 16000, 64000):
        resolved = deployment(
            LLAMA_8B, serving={"max_model_len": 131072}, workload={"isl": context, "osl": 64, "concurrency": 1}
        )
        expected = 6.44e-3 + 4.37e-8 * context
        assert value(speed(resolved), "tpot_s") == pytest.approx(expected, rel=0.15)


def test_dp_replicas_multiply_throughput() -> None:
    one, four = speed(closed(LLAMA_8B, 8)), speed(closed(LLAMA_8B, 32, dp=4))
    assert value(four, "output_tok_s") == pytest.approx(4 * value(one, "output_tok_s"), rel=1e-6)
    assert value(four, "tpot_s") == pytest.approx(value(one, "tpot_s"))
