"""What must hold for any model, card, engine and layout, seen or not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument, ServingMemory
from planner.library import Library
from planner.memory.kv_capacity import capacity, longest_context
from planner.memory.kv_rules import kv_rules
from planner.memory.layout import layout_of
from planner.memory.serving import demand_of, specs_of
from planner.predict import predict
from planner.units import GIB
from tests.memory import build

MODELS = {
    "meta-llama/Llama-3.1-8B-Instruct": "bf16",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": "fp8",
    "google/gemma-3-27b-it": "bf16",
    "google/gemma-4-31B-it": "bf16",
    "Qwen/Qwen3-235B-A22B": "fp8",
    "Qwen/Qwen3-Next-80B-A3B-Instruct": "fp8",
    "Qwen/Qwen3.5-122B-A10B": "nvfp4",
    "openai/gpt-oss-120b": "mxfp4",
    "MiniMaxAI/MiniMax-M2.5": "fp8",
    "moonshotai/Kimi-K2-Instruct": "fp8",
    "deepseek-ai/DeepSeek-R1": "fp8",
    "deepseek-ai/DeepSeek-V3.2": "nvfp4",
    "zai-org/GLM-4.5-Air": "awq-int4",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "bf16",
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": "bnb-nf4",
    "microsoft/Phi-4-mini-instruct": "w8a8-int8",
}
CARDS = ("rtx-3090", "l40s", "a100-sxm-80gb", "h200-sxm-141gb", "b300-sxm", "mi300x", "gb10")
RELEASES = ("0.6.6", "0.7.3", "0.8.5", "0.11.0", "0.16.0", "0.17.0", "0.18.0", "0.20.0", "0.21.0", "0.28.0", "0.33.0")


@cache
def library() -> Library:
    return Library()


@cache
def answer(
    model: str, card: str, engine: str, version: str | None, serving: tuple[tuple[str, Any], ...]
) -> EstimateDocument:
    document: dict[str, Any] = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": model, "weights": MODELS[model]},
        "hardware": {"accelerator": card, "per_node": 8, "nodes": 4},
        "engine": {"name": engine, **({"version": version} if version else {})},
        "serving": {"max_model_len": 8192, **dict(serving)},
    }
    return predict(parse_deployment(document, "test"), library())


def memory(
    model: str, card: str = "h200-sxm-141gb", engine: str = "vllm", version: str | None = "0.19.0", **serving: Any
) -> ServingMemory:
    found = answer(model, card, engine, version, tuple(sorted(serving.items()))).memory
    assert found is not None
    return found


def figures(found: ServingMemory) -> Iterator[tuple[str, float, float, float]]:
    gpu = found.per_gpu
    for name in ("weights", "kv_cache", "kv_needed", "activations", "cuda_graphs", "non_torch", "total", "capacity"):
        part = getattr(gpu, name)
        yield name, part.low, part.value, part.high
    for name in ("kv_tokens", "max_concurrency", "host_ram", "max_context"):
        part = getattr(found, name)
        if part is not None:
            yield name, part.low, part.value, part.high


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("model", MODELS)
def test_figures_are_finite_ordered_and_not_negative(model: str, engine: str) -> None:
    for card in CARDS:
        for name, low, value, high in figures(memory(model, card, engine, None, tp=8)):
            assert 0 <= low <= value <= high < math.inf, (card, name)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("model", MODELS)
def test_more_ranks_hold_less_each_and_no_less_together(model: str, engine: str) -> None:
    found = [memory(model, engine=engine, tp=tp).per_gpu.weights.value for tp in (1, 2, 4, 8)]
    whole = answer(model, "h200-sxm-141gb", engine, "0.19.0", (("tp", 1),)).model
    assert whole is not None
    assert found == sorted(found, reverse=True)
    for ranks, each in zip((1, 2, 4, 8), found, strict=True):
        assert each * ranks >= 0.985 * whole.weight_bytes


@pytest.mark.parametrize("model", MODELS)
def test_pipelines_share_out_the_layers(model: str) -> None:
    one, two, four = (memory(model, tp=2, pp=pp).per_gpu.weights.value for pp in (1, 2, 4))
    assert one > two > four > 0.2 * one


@pytest.mark.parametrize("model", MODELS)
def test_a_larger_share_makes_a_larger_pool(model: str) -> None:
    pools = [memory(model, tp=8, gpu_memory_utilization=s).per_gpu.kv_cache.value for s in (0.7, 0.8, 0.9, 0.98)]
    assert pools == sorted(pools)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("model", MODELS)
def test_longer_requests_are_fewer(model: str, engine: str) -> None:
    found = [memory(model, engine=engine, tp=8, max_model_len=n).max_concurrency.value for n in (2048, 8192, 32_768)]
    assert found == sorted(found, reverse=True)
    half, full = (memory(model, engine=engine, tp=8, kv_cache_dtype=k).max_concurrency.value for k in ("bf16", "fp8"))
    assert full >= half


@pytest.mark.parametrize("model", MODELS)
def test_neighbouring_releases_differ_by_what_their_sources_explain(model: str) -> None:
    """Activations, non-torch, graphs and the default share: up to 9 % of a device; weights hardly at all."""
    found = [memory(model, version=v, tp=8).per_gpu for v in RELEASES]
    for before, after in itertools.pairwise(found):
        assert abs(after.kv_cache.value - before.kv_cache.value) < 0.09 * after.capacity.value
        assert after.weights.value == pytest.approx(before.weights.value, rel=0.12)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("model", MODELS)
def test_an_empty_pool_is_one_that_the_parts_exceed(model: str, engine: str) -> None:
    for card in CARDS:
        gpu = memory(model, card, engine, None, tp=8).per_gpu
        room = gpu.capacity.value - gpu.weights.high - gpu.activations.high - gpu.non_torch.high
        if gpu.kv_cache.value == 0:
            assert room < 0.25 * gpu.capacity.value, card
            assert sum(gpu.kv_cache.terms.values()) <= 0


@pytest.mark.parametrize("model", MODELS)
def test_the_longest_context_is_the_longest(model: str) -> None:
    found = memory(model, tp=8).max_context
    assert found is not None and found.low <= found.value <= found.high <= found.terms["model"]
    if found.value < found.terms["model"] and found.value >= 1:
        assert memory(model, tp=8, max_model_len=int(found.value)).max_concurrency.value >= 0.999
        assert memory(model, tp=8, max_model_len=int(found.value) + 2048).max_concurrency.value < 1.0


def test_slices_and_shared_memory_are_smaller_devices() -> None:
    def pool(card: str, **hardware: Any) -> float:
        document = {
            "schema": "deploy-planner/deployment/1",
            "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
            "hardware": {"accelerator": card, **hardware},
            "engine": {"name": "vllm", "version": "0.19.0"},
            "serving": {"max_model_len": 4096},
        }
        found = predict(parse_deployment(document, "test"), library()).memory
        assert found is not None
        return found.per_gpu.kv_cache.value

    whole, slice_, memory_given = (
        pool("h100-sxm-80gb"),
        pool("h100-sxm-80gb:3g.40gb"),
        pool("gb10", memory_bytes=64 * GIB),
    )
    assert 0 < slice_ < 0.5 * whole
    assert memory_given < pool("gb10")


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("model", ["google/gemma-3-27b-it", "Qwen/Qwen3.5-122B-A10B", "deepseek-ai/DeepSeek-V3.2"])
def test_no_token_more_than_the_longest_context(model: str, engine: str) -> None:
    architecture = library().catalogue.get(model).architecture
    case = build.resolved(architecture, engine=engine, version=None, tp=8)
    rules = kv_rules(case.engine, architecture)
    spec = specs_of(case, layout_of(case.serving, architecture.num_layers), rules)[0]
    demand = replace(demand_of(case), max_model_len=131_072)
    for pool in (1e7, 3.3e8, 1e9, 4.7e10):
        for users in (0.3, 1.0, 7.0, 300.0):
            found = longest_context(spec, pool, users, demand, rules)
            for length, holds in ((found, True), (found + 1, False)):
                if 1 <= length <= demand.max_model_len:
                    held = capacity(spec, pool, replace(demand, max_model_len=length), rules).concurrency
                    assert (held >= users) is holds, (pool, users, length)
