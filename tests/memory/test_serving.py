from __future__ import annotations

import math

import pytest

from planner.memory.obstacle import starts
from planner.memory.serving import serving_memory
from planner.memory.verdict import serving_verdict
from planner.resolved import Workload
from planner.units import GIB
from tests.memory import build


def test_vllm_pool_is_a_share_of_the_total():
    case = build.resolved(build.LLAMA_8B, gpu_memory_utilization=0.9)
    gpu = serving_memory(case).per_gpu
    parts = gpu.weights.value + gpu.activations.value + gpu.non_torch.value
    assert gpu.kv_cache.value == pytest.approx(0.9 * build.H100 - parts)
    assert sum(gpu.kv_cache.terms.values()) == pytest.approx(gpu.kv_cache.value)
    assert gpu.total.value <= gpu.capacity.value


def test_sglang_share_holds_weights_and_pool():
    case = build.resolved(build.LLAMA_8B, engine="sglang", version=None, gpu_memory_utilization=0.8)
    gpu = serving_memory(case).per_gpu
    before_load = build.H100 + gpu.kv_cache.terms["context"]
    assert gpu.kv_cache.value == pytest.approx(0.8 * before_load - gpu.weights.value)


def test_tensorrt_takes_a_share_of_what_is_free():
    free, total = (
        serving_memory(build.resolved(build.LLAMA_8B, engine=name, version=None, gpu_memory_utilization=0.5)).per_gpu
        for name in ("trtllm", "vllm")
    )
    assert free.kv_cache.value > total.kv_cache.value
    rest = free.capacity.value - free.total.value
    assert free.kv_cache.value == pytest.approx(rest, rel=0.01)


def test_memory_of_others_counts_where_the_share_is_of_what_is_free():
    one, other = (
        serving_memory(build.resolved(build.LLAMA_8B, engine="trtllm", version=None, used=used)).per_gpu.kv_cache.value
        for used in (0.0, 10 * GIB)
    )
    assert one - other == pytest.approx(9 * GIB)


@pytest.mark.parametrize(("version", "gib"), [("0.15.0", 5.64), ("0.16.0", 5.64), ("0.17.0", 2.23), ("0.18.0", 2.23)])
def test_activation_peak_follows_the_release(version, gib):
    config = {**build.QWEN3_32B, "num_hidden_layers": 40, "intermediate_size": 17408, "num_attention_heads": 40}
    gpu = serving_memory(build.resolved(config, version=version, gpu_memory_utilization=0.95)).per_gpu
    assert gpu.activations.value == pytest.approx(gib * GIB, rel=0.02)
    assert gpu.activations.low <= gib * GIB <= gpu.activations.high


def test_attention_data_parallel_multiplies_the_pools():
    together, apart = (
        serving_memory(build.resolved(build.DEEPSEEK_R1, build.H200, weights="fp8", **layout))
        for layout in ({"tp": 8, "ep": 8}, {"attention_dp": 8, "ep": 8})
    )
    assert apart.kv_bytes_per_token == together.kv_bytes_per_token == 70_272
    assert apart.kv_tokens.value > 4 * together.kv_tokens.value
    context_parallel = serving_memory(build.resolved(build.DEEPSEEK_R1, build.H200, weights="fp8", tp=8, dcp=8))
    assert context_parallel.kv_tokens.value > 7 * together.kv_tokens.value


def test_what_the_workload_needs():
    load = Workload(1000, 1000, 10.0, None, False)
    memory = serving_memory(build.resolved(build.LLAMA_70B, build.H200, tp=4, load=load))
    assert memory.per_gpu.kv_needed.value == pytest.approx(10 * 2000 * 81_920)
    shared = Workload(1000, 1000, 10.0, None, False, prefix_hit_rate=0.5)
    memory = serving_memory(build.resolved(build.LLAMA_70B, build.H200, tp=4, load=shared))
    assert memory.per_gpu.kv_needed.value == pytest.approx(10 * 1500 * 81_920)


def test_qwen3_32b_on_one_h100_starts_with_16k_and_not_with_32k():
    """Published: 4.45 GiB of cache, one sequence of 32,000 tokens is refused (llm-d planner's measured runs)."""
    short, long = (
        build.resolved(build.QWEN3_32B, version="0.11.0", max_model_len=n, block_size=128, gpu_memory_utilization=0.9)
        for n in (16_000, 32_000)
    )
    assert serving_verdict(short, serving_memory(short))[0] in ("fits", "tight")
    verdict, findings = serving_verdict(long, serving_memory(long))
    assert verdict == "does-not-fit"
    assert 16_000 < findings[0].change["serving.max_model_len"] < 32_000


def test_deepseek_on_eight_h100_does_not_fit_and_on_h200_does():
    small, large = (
        build.resolved(build.DEEPSEEK_R1, m, weights="fp8", tp=8, gpu_memory_utilization=0.92)
        for m in (build.H100, build.H200)
    )
    verdict, findings = serving_verdict(small, serving_memory(small))
    assert verdict == "does-not-fit"
    assert findings[0].change.get("serving.tp") == 16
    assert starts(large)


def applied(case, change):
    from dataclasses import replace

    serving = {k.removeprefix("serving."): v for k, v in change.items() if k.startswith("serving.")}
    return replace(case, serving=replace(case.serving, **serving))


@pytest.mark.parametrize("length", [16_000, 32_000, 131_072, 10**6])
def test_proposed_changes_make_it_start(length):
    case = build.resolved(build.QWEN3_32B, version="0.11.0", max_model_len=length, gpu_memory_utilization=0.85)
    verdict, findings = serving_verdict(case, serving_memory(case))
    assert verdict == "does-not-fit"
    assert findings and findings[0].severity == "error"
    assert len(findings) <= 3
    for finding in findings:
        assert starts(applied(case, finding.change))


@pytest.mark.parametrize(
    "serving",
    [
        {"max_model_len": 10**12},
        {"max_num_batched_tokens": 2**50},
        {"max_num_seqs": 2**50},
        {"tp": 1_000_000},
        {"pp": 1_000_000},
        {"ep": 1_000_000},
        {"attention_dp": 1_000_000},
        {"gpu_memory_utilization": 1e-9},
        {"block_size": 1_000_000},
        {"kv_cache_dtype": "no such type"},
        {"cpu_offload_bytes": 2.0**60},
        {"lora_rank": 1_000_000, "lora_adapters": 1_000_000},
    ],
)
@pytest.mark.parametrize("config", [build.LLAMA_8B, build.DEEPSEEK_R1, build.QWEN3_235B])
def test_absurd_sizes_are_answered(config, serving):
    case = build.resolved(config, **serving)
    memory = serving_memory(case)
    verdict, _ = serving_verdict(case, memory)
    for part in (memory.per_gpu.weights, memory.per_gpu.kv_cache, memory.per_gpu.total, memory.kv_tokens):
        assert 0 <= part.low <= part.value <= part.high < math.inf
    if serving.get("max_model_len") or serving.get("max_num_batched_tokens") or serving.get("lora_rank"):
        assert verdict == "does-not-fit"


@pytest.mark.parametrize("memory", [1.0, 1e6, 2.0**62, math.inf])
def test_any_device_is_answered(memory):
    found = serving_memory(build.resolved(build.LLAMA_8B, memory))
    assert math.isfinite(found.per_gpu.total.value)


def test_a_neighbouring_release_has_a_wider_range():
    known, guessed = (
        serving_memory(build.resolved(build.LLAMA_8B, version=v)).per_gpu.activations for v in ("0.33.0", "99.0")
    )
    assert guessed.high - guessed.low > known.high - known.low


def test_a_share_that_others_hold_is_refused_with_the_share_that_is_left():
    case = build.resolved(build.LLAMA_8B, used=20 * GIB, gpu_memory_utilization=0.9)
    verdict, findings = serving_verdict(case, serving_memory(case))
    assert verdict == "does-not-fit"
    assert findings[0].change == {"serving.gpu_memory_utilization": 0.73}
    assert serving_verdict(case, serving_memory(case), suggest=False)[1][0].change == {}


def test_files_decide_over_the_formula():
    from dataclasses import replace

    case = build.resolved(build.LLAMA_8B, tp=2)
    formula = serving_memory(case).per_gpu.weights
    larger, other = (
        serving_memory(replace(case, exact_weight_bytes=16.06e9 * factor)).per_gpu.weights for factor in (1.1, 5.0)
    )
    assert larger.value == pytest.approx(1.1 * formula.value, rel=1e-3)
    assert larger.high - larger.low < formula.high - formula.low
    assert other.value == formula.value


def test_encoders_keep_no_cache_and_still_fit():
    from dataclasses import replace

    decoder = build.architecture(build.LLAMA_8B)
    layers = tuple(replace(layer, caches=()) for layer in decoder.layer_kinds)
    case = build.resolved(replace(decoder, kind="encoder", layer_kinds=layers))
    memory = serving_memory(case)
    assert memory.per_gpu.kv_cache.value == memory.kv_bytes_per_token == 0
    assert serving_verdict(case, memory)[0] == "fits"


@pytest.mark.parametrize("heads", [1, 3, 5, 7])
def test_kv_heads_that_do_not_divide_are_rounded_up(heads):
    config = {**build.LLAMA_8B, "num_key_value_heads": heads, "num_attention_heads": heads * 4, "head_dim": 128}
    memory = serving_memory(build.resolved(config, tp=4))
    assert memory.kv_bytes_per_token == 32 * 2 * 128 * 2 * max(1, -(-heads // 4))
