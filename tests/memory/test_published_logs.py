"""Start-up logs from public threads beside the truth table: the printed pool lies within the stated range.

The logs of 2024's vLLM and of SGLang also say how much the runtime holds (``engines/profiles``); the pools were not
fitted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from planner.documents.files import parse_deployment
from planner.library import Library
from planner.predict import predict
from planner.units import GIB


class Log(NamedTuple):
    source: str
    model: str
    weights: str
    hardware: tuple[str, int]
    engine: tuple[str, str]
    pool_gib: float
    serving: dict[str, Any]
    checkpoint: str | None = None
    rel: float = 0.10


H100 = "h100-sxm-80gb"


def length(tokens: int) -> dict[str, Any]:
    return {"max_model_len": tokens}


A100 = "a100-pcie-40gb"
H200, NEXT, L3 = "h200-sxm-141gb", "Qwen/Qwen3-Next-80B-A3B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"
LLAMA, QWEN = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-235B-A22B"
FEW = {"kv_cache_dtype": "fp8", "prefix_caching": True}
GB10 = {**FEW, "max_num_seqs": 8, "max_num_batched_tokens": 65_536, "gpu_memory_utilization": 0.7, **length(262_144)}
SMALL = {**FEW, "max_num_seqs": 1, "max_num_batched_tokens": 16_384, "gpu_memory_utilization": 0.9, **length(65_536)}
Q27, Q35 = "Qwen/Qwen3.6-27B", "Qwen/Qwen3.6-35B-A3B"
REDHAT = "RedHatAI/Qwen3.6-35B-A3B-NVFP4"
STATIC = {"tp": 4, "gpu_memory_utilization": 0.93}
LOGS = [
    Log("vllm issue 10517", LLAMA, "bf16", ("rtx-3090", 1), ("vllm", "0.6.4"), 3.81, length(20_000)),
    Log("vllm issue 10517", LLAMA, "bf16", ("rtx-3090", 1), ("vllm", "0.6.4"), 2.89, length(29_000)),
    Log("vllm pull request 10511", LLAMA, "bf16", (H100, 1), ("vllm", "0.6.4"), 53.29, length(8192)),
    Log("LMCache issue 1739", "Qwen/Qwen3-14B", "bf16", (A100, 1), ("vllm", "0.11.0"), 6.51, length(32_768)),
    Log("vllm issue 21348", QWEN, "fp8", (H100, 4), ("vllm", "0.9.2"), 8.11, {"tp": 4}),
    Log("vllm issue 21348", QWEN, "fp8", (H100, 4), ("sglang", "0.4.9"), 16.46, STATIC),
    Log("log, October 2025", NEXT, "bf16", (H200, 2), ("vllm", "0.10.2"), 44.59, {"tp": 2}),
    Log("log, February 2026", L3, "awq-int4", ("l40s", 2), ("vllm", "0.16.0"), 20.16, {"tp": 2, **length(8192)}),
    Log("log, July 2026", Q27, "nvfp4", ("gb10", 1), ("vllm", "0.23.0"), 47.84, GB10, "nvidia/Qwen3.6-27B-NVFP4"),
    Log("log, May 2026", Q35, "nvfp4", ("rtx-5090", 1), ("vllm", "0.20.0"), 1.28, SMALL, REDHAT, 0.25),
]  # fmt: skip


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.engine[0]}-{log.pool_gib}")
def test_printed_pool_lies_within_the_range(log: Log, library: Library) -> None:
    document = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": log.model, "weights": log.weights, "checkpoint": log.checkpoint},
        "hardware": {"accelerator": log.hardware[0], "per_node": log.hardware[1]},
        "engine": {"name": log.engine[0], "version": log.engine[1]},
        "serving": log.serving,
    }
    memory = predict(parse_deployment(document, "test"), library).memory
    assert memory is not None
    pool = memory.per_gpu.kv_cache
    assert pool.low <= log.pool_gib * GIB <= pool.high
    assert pool.value == pytest.approx(log.pool_gib * GIB, rel=log.rel)


@pytest.mark.parametrize(
    ("model", "weights", "hardware", "version", "gib"),
    [
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "bf16", ("h200-sxm-141gb", 2), "0.10.2", 74.2812),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", "bf16", ("rtx-3090", 4), "0.11.0", 14.7708),
        ("meta-llama/Llama-3.1-70B-Instruct", "awq-int4", ("l40s", 2), "0.16.0", 18.55),
        ("deepseek-ai/DeepSeek-V3.2", "nvfp4", ("b200-sxm", 8), "0.16.0", 48.62),
    ],
)
def test_printed_weights(
    model: str, weights: str, hardware: tuple[str, int], version: str, gib: float, library: Library
) -> None:
    document = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": model, "weights": weights},
        "hardware": {"accelerator": hardware[0], "per_node": hardware[1]},
        "engine": {"name": "vllm", "version": version},
        "serving": {"tp": hardware[1]},
    }
    memory = predict(parse_deployment(document, "test"), library).memory
    assert memory is not None
    assert memory.per_gpu.weights.value == pytest.approx(gib * GIB, rel=0.003)
