"""Prompts that hold up others: attention groups, windows in the pool, offline waves, KV dtypes of checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.memory.serving import serving_memory
from planner.performance.batching import Batching
from planner.performance.chip import chip_of
from planner.performance.overheads import overheads_of
from planner.performance.serving import demand_of, model_of
from planner.performance.step import Load, StepModel
from planner.resolved import Resolved
from tests.performance.builders import LLAMA_8B, LLAMA_70B, QWEN3_30B, deployment, library, speed

GEMMA: dict[str, Any] = LLAMA_8B | {
    "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "head_dim": 128, "sliding_window": 1024,
    "layer_types": [("full_attention" if i % 8 == 7 else "sliding_attention") for i in range(32)],
}  # fmt: skip
GROUPS = {"tp": 1, "attention_dp": 8, "ep": 8, "max_model_len": 16384}


def slots(resolved: Resolved) -> float:
    chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, library().curves)
    return demand_of(resolved, serving_memory(resolved), model_of(resolved, chip, library().curves)).slots


def test_a_prompt_of_one_group_takes_less_than_one_of_each() -> None:
    resolved = deployment(QWEN3_30B, hardware={"accelerator": "h200-sxm-141gb", "per_node": 8}, serving=GROUPS)
    chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, library().curves)
    model = model_of(resolved, chip, library().curves)
    alone, all_groups = (model.step(Load(0, tokens=4096, prompt=4096, share=share)) for share in (1 / 8, 1.0))
    assert alone.experts < 0.5 * all_groups.experts
    assert alone.communication < 0.5 * all_groups.communication
    assert alone.products == all_groups.products


def test_short_requests_keep_every_token_in_sliding_layers() -> None:
    """A pool of windows counts few layers at a long context; requests below the window fill all of them."""
    load = {"isl": 512, "osl": 256, "saturated": True}
    tables: dict[str, Any] = {"serving": {"max_model_len": 131072, "max_num_seqs": 100000}, "workload": load}
    resolved = deployment(GEMMA, **tables)
    memory = serving_memory(resolved)
    each = 2 * 8 * 128 * 2.0 * 32 * (512 + 0.6 * 256)
    assert slots(resolved) == pytest.approx(memory.per_gpu.kv_cache.value / each, rel=0.25)
    assert slots(resolved) < 0.6 * memory.kv_tokens.value / (512 + 0.6 * 256)


@pytest.mark.parametrize(
    ("engine", "weights", "dtype"),
    [
        ({"name": "trtllm", "version": "1.0.0"}, "nvfp4", "fp8"),
        ({"name": "trtllm", "version": "1.0.0"}, "bf16", "bf16"),
        ({"name": "vllm", "version": "0.19.0"}, "nvfp4", "fp8"),
        ({"name": "vllm", "version": "0.10.0"}, "nvfp4", "bf16"),
    ],
)
def test_published_checkpoints_bring_their_kv_dtype(engine: dict[str, str], weights: str, dtype: str) -> None:
    resolved = deployment(LLAMA_70B, weights, engine=engine, hardware={"accelerator": "b200-sxm"})
    assert resolved.serving.kv_cache_dtype == dtype


def test_equal_prompts_of_a_wave_cost_half_their_time_per_answer() -> None:
    """Where prompts go first a request waits for half of its wave's prompts on the mean."""
    tables: dict[str, Any] = {"engine": {"name": "sglang", "version": "0.5.6"},
                              "serving": {"max_model_len": 16384, "max_num_seqs": 64}}  # fmt: skip
    found = speed(deployment(LLAMA_8B, workload={"isl": 4096, "osl": 128, "saturated": True}, **tables))
    assert found.tpot_s is not None
    assert found.request_s is not None
    wave = 64 / found.request_s.value
    assert 128 * found.tpot_s.value == pytest.approx(wave / 2, rel=0.4)
    assert 128 * found.tpot_s.value < wave


def test_the_last_wave_is_of_what_is_left() -> None:
    """64 seats: 96 requests run in a wave of 64 and one of 32, which wait for half as many prompts."""
    tables: dict[str, Any] = {"engine": {"name": "sglang", "version": "0.5.6"},
                              "serving": {"max_model_len": 16384, "max_num_seqs": 64}}  # fmt: skip

    def run(requests: int) -> tuple[float, float]:
        load = {"isl": 4096, "osl": 128, "saturated": True, "requests": requests}
        found = speed(deployment(LLAMA_8B, workload=load, **tables))
        assert found.tpot_s is not None
        assert found.request_s is not None
        return found.tpot_s.value, requests / found.request_s.value

    one, two, between = run(64), run(128), run(96)
    assert two[0] == pytest.approx(one[0], rel=0.05)
    assert between[0] < 0.95 * two[0]
    assert one[1] < between[1] < two[1]


def test_engines_own_tools_send_equal_lengths_without_end() -> None:
    """A chat comes from a client: a finite run through the API, however many its engine's own tool would send."""
    engine = {"name": "trtllm", "version": "1.0.0"}

    def rate(isl: int, osl: int, requests: int) -> float:
        load = {"isl": isl, "osl": osl, "saturated": True, "requests": requests}
        found = speed(deployment(LLAMA_8B, engine=engine, serving={"max_model_len": 16384}, workload=load))
        assert found.request_s is not None
        return found.request_s.value

    assert rate(1024, 1024, 500) == rate(1024, 1024, 5000)
    assert rate(220, 195, 500) < 0.9 * rate(220, 195, 5000)


def test_equal_requests_are_evicted_together() -> None:
    """What a pool evicts of requests that grow together waits in the middle of its answers; of a chat some end."""

    def stretch(isl: int, osl: int) -> float:
        resolved = deployment(LLAMA_70B, hardware={"accelerator": "h200-sxm-141gb", "per_node": 4},
                              serving={"tp": 4, "max_model_len": 16384}, workload={"isl": isl, "osl": osl})  # fmt: skip
        chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, library().curves)
        model = model_of(resolved, chip, library().curves)
        batching = Batching(model, demand_of(resolved, serving_memory(resolved), model))
        return batching.started(1e4, 40.0) / 40.0

    assert stretch(880, 780) > 1.05
    assert stretch(220, 195) == pytest.approx(1.0)


def test_attention_with_sinks_has_kernels_of_its_own() -> None:
    """gpt-oss learns a sink per head; other models' prompts do not feel what those kernels take."""
    configs = Path(__file__).parent.parent / "fixtures" / "configs"
    for config, slower in ((json.loads((configs / "openai--gpt-oss-120b.json").read_text()), True), (LLAMA_8B, False)):
        resolved = deployment(config)
        chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, library().curves)
        model = model_of(resolved, chip, library().curves)
        assert all(op.sinks is slower for op in model.operators.attention)
        prompt, times = Load(0, tokens=8192, prompt=8192), []
        for sinks in (1.0, 3.0):
            over = replace(model.over, sinks=sinks)
            times.append(StepModel(model.operators, model.layout, chip, model.network, over).step(prompt).attention)
        assert (times[1] > 2 * times[0]) is slower
        assert times[1] >= times[0]


def test_varied_lengths_make_the_mean_time_per_token_longer() -> None:
    load = {"isl": 220, "osl": 195, "saturated": True}
    tables: dict[str, Any] = {"engine": {"name": "vllm", "version": "0.11.0"}, "serving": {"max_model_len": 16384}}
    chat = speed(deployment(LLAMA_8B, workload=load, **tables))
    test = speed(deployment(LLAMA_8B, workload=load | {"isl": 440, "osl": 390}, **tables))
    assert chat.tpot_s is not None
    assert test.tpot_s is not None
    assert chat.tpot_s.terms["prompts_of_others"] > test.tpot_s.terms["prompts_of_others"]


def test_runs_without_a_release_have_rows_of_their_own() -> None:
    curves = library().curves
    assert any(row.get("unversioned") for row in curves.engines)
    named = deployment(LLAMA_8B, engine={"name": "vllm", "version": "0.19.0"}).engine
    nameless = deployment(LLAMA_8B, engine={"name": "vllm"}).engine
    assert overheads_of(named, "cuda", "sm90", curves) != overheads_of(nameless, "cuda", "sm90", curves)
