"""Deployments to export: one of each engine, vendor and shape."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.documents.files import parse_deployment
from planner.export.prepare import prepare
from planner.export.target import Context, Options
from planner.library import Library

IMAGE = "registry.example/engine:1.2.3"
R1, DENSE, SPARSE, SMALL = "deepseek-ai/DeepSeek-R1", "Qwen/Qwen3-32B", "Qwen/Qwen3-235B-A22B", "Qwen/Qwen3-30B-A3B"


@cache
def library() -> Library:
    return Library()


def context(tables: dict[str, Any], **options: Any) -> Context:
    """A context; ``options`` are fields of Options."""
    document = parse_deployment({"schema": "deploy-planner/deployment/1", **tables}, "test")
    return prepare(document, library(), Options(**options))


def tables(model: str, weights: str, hardware: str, engine: tuple[str, str], **serving: Any) -> dict[str, Any]:
    """``hardware``: "2x8xh100-sxm-80gb", "8xmi300x", "cpu"."""
    *counts, card = hardware.split("x", maxsplit=hardware.count("x") if hardware == "cpu" else _counts(hardware))
    nodes, per_node = ([1, 1] + [int(c) for c in counts])[-2:]
    machine: dict[str, Any] = {"accelerator": card, "per_node": per_node, "nodes": nodes}
    if nodes > 1:
        machine["fabric"] = "infiniband-ndr"
    return {
        "model": {"id": model, "weights": weights},
        "hardware": machine,
        "engine": {"name": engine[0], "version": engine[1]},
        "serving": serving,
        "workload": {"isl": 1000, "osl": 500, "concurrency": 32},
    }


def _counts(hardware: str) -> int:
    """How many "N×" stand in front."""
    parts = hardware.split("x")
    return next((i for i, part in enumerate(parts) if not part.isdigit()), 0)


SHAPES: dict[str, dict[str, Any]] = {
    "vllm-oldest": tables(DENSE, "bf16", "2xh100-sxm-80gb", ("vllm", "0.6.0"), tp=2, max_model_len=16384),
    "vllm-old-ray": tables(R1, "fp8", "2x8xh100-sxm-80gb", ("vllm", "0.10.0"), tp=8, pp=2, max_model_len=32768),
    "vllm-r1": tables(
        R1, "fp8", "8xh200-sxm-141gb", ("vllm", "0.19.0"), tp=8, max_model_len=32768, kv_cache_dtype="fp8",
        speculative={"method": "mtp", "tokens": 2},
    ),
    "vllm-wide": tables(
        R1, "fp8", "2x8xh200-sxm-141gb", ("vllm", "0.33.0"), attention_dp=16, ep=16, max_model_len=16384
    ),
    "vllm-replicas": tables(
        DENSE, "bf16", "8xh100-sxm-80gb", ("vllm", "0.33.0"), tp=2, dp=4, max_model_len=40960,
        lora={"max_rank": 32, "adapters": 2}, enforce_eager=True, block_size=32, cpu_offload_bytes=4 * 2**30,
    ),
    "vllm-moe-replicas": tables(SMALL, "bf16", "8xh100-sxm-80gb", ("vllm", "0.11.2"), tp=4, dp=2, max_model_len=32768),
    "vllm-amd": tables(SPARSE, "bf16", "8xmi300x", ("vllm", "0.19.0"), tp=8, max_model_len=32768),
    "vllm-amd-nodes": tables(R1, "fp8", "2x8xmi300x", ("vllm", "0.19.0"), tp=8, pp=2, max_model_len=32768),
    "vllm-intel": tables("Qwen/Qwen3-8B", "bf16", "2xarc-pro-b60-24gb", ("vllm", "0.30.0"), tp=2, max_model_len=8192),
    "vllm-cpu": tables("Qwen/Qwen3-8B", "bf16", "cpu", ("vllm", "0.19.0"), max_model_len=8192),
    "ascend": tables(R1, "w8a8-int8", "2x8xascend-910b2", ("vllm-ascend", "0.11.0"), tp=16, max_model_len=8192),
    "ascend-one": tables(DENSE, "bf16", "8xascend-910b2", ("vllm-ascend", "0.18.0"), tp=8, max_model_len=8192),
    "gaudi": tables(DENSE, "bf16", "8xgaudi-3", ("vllm-gaudi", "0.19.0"), tp=8, max_model_len=8192),
    "sglang-oldest": tables(R1, "fp8", "8xh200-sxm-141gb", ("sglang", "0.4.0"), tp=8, max_model_len=32768),
    "sglang-wide": tables(
        R1, "fp8", "2x8xh100-sxm-80gb", ("sglang", "0.5.9"), attention_dp=16, ep=16, max_model_len=32768
    ),
    "sglang-new": tables(
        R1, "fp8", "8xh200-sxm-141gb", ("sglang", "0.5.16"), tp=2, attention_dp=4, ep=8, kv_cache_dtype="fp8",
        speculative={"method": "nextn", "tokens": 3}, max_model_len=65536,
    ),
    "sglang-replicas": tables(DENSE, "bf16", "4xh100-sxm-80gb", ("sglang", "0.5.12"), tp=2, dp=2, max_model_len=32768),
    "sglang-amd": tables(SPARSE, "bf16", "8xmi300x", ("sglang", "0.5.12"), tp=8, ep=8, max_model_len=32768),
    "trtllm": tables(R1, "fp8", "8xh200-sxm-141gb", ("trtllm", "1.0.0"), tp=8, ep=8, max_model_len=32768),
    "trtllm-nodes": tables(R1, "fp8", "2x8xh100-sxm-80gb", ("trtllm", "1.0.0"), tp=16, ep=16, max_model_len=32768),
    "llama-old": tables(SMALL, "gguf:Q4_K_M", "1xrtx-4090", ("llama.cpp", "b5000"), max_model_len=32768),
    "llama-new": tables(
        SMALL, "gguf:Q4_K_M", "1xrtx-4090", ("llama.cpp", "b10400"), max_model_len=32768, experts_on_cpu=10,
        kv_cache_dtype="q8_0", n_gpu_layers="all",
    ),
    "llama-amd": tables(
        DENSE, "gguf:Q4_K_M", "2xrx-7900-xtx", ("llama.cpp", "b9000"), max_model_len=16384, split_mode="row"
    ),
    "llama-cpu": tables(SMALL, "gguf:Q4_K_M", "cpu", ("llama.cpp", "b9000"), max_model_len=8192),
    "ollama": tables(DENSE, "gguf:Q4_K_M", "1xrtx-5090", ("ollama", "0.12.0"), max_model_len=16384),
    "ollama-amd": tables("Qwen/Qwen3-8B", "gguf:Q4_K_M", "1xrx-7900-xtx", ("ollama", "0.12.0"), max_model_len=16384),
    "ktransformers": tables(
        R1, "fp8", "1xrtx-4090", ("ktransformers", "0.5.0"), max_model_len=16384, experts_on_cpu=True
    ),
    "mindie": tables(R1, "w8a8-int8", "16xascend-910b2", ("mindie", "2.0.0"), tp=4, attention_dp=4, ep=16,
                     max_model_len=8192),
    "mindie-replicas": tables(DENSE, "bf16", "8xascend-910b2", ("mindie", "2.0.0"), tp=4, dp=2, max_model_len=8192),
    "mlx": tables("Qwen/Qwen3-8B", "bf16", "1xapple-m4-max", ("mlx", "0.30.0"), max_model_len=16384),
}  # fmt: skip
"""Name → tables: every engine with files, its oldest and newest shapes, every vendor, one and several nodes."""

NETWORK = {"interface": "bond0", "ib_devices": "mlx5_0,mlx5_1"}


@cache
def shape(name: str) -> Context:
    """A shape's context, with an image named so that every container target can be rendered."""
    return context(SHAPES[name], image=IMAGE, power_limit_w=350.0, **NETWORK)
