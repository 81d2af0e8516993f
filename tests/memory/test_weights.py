from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.memory.layout import Layout
from planner.memory.weight_rules import WeightRules, weight_rules
from planner.memory.weights import stage_weights
from planner.models.formats import model_bytes, weight_scheme
from planner.units import GIB
from tests.memory import build

RULES = WeightRules()


def rank(config, weights="bf16", rules=RULES, **layout):
    arch = build.architecture(config)
    stages = stage_weights(arch, weight_scheme(weights, arch, None), Layout(**layout), rules)
    return max(sum(parts.values()) for parts in stages)


@pytest.mark.parametrize(("tp", "gib"), [(1, 14.99), (2, 7.51), (4, 3.77)])
def test_llama_8b_as_vllm_prints_it(tp, gib):
    profile = build.resolved(build.LLAMA_8B)
    rules = weight_rules(profile.engine, profile.architecture, profile.quantization)
    assert rank(build.LLAMA_8B, rules=rules, tp=tp) == pytest.approx(gib * GIB, rel=0.003)


def test_deepseek_r1_fp8_on_eight_ranks():
    profile = build.resolved(build.DEEPSEEK_R1, weights="fp8")
    rules = weight_rules(profile.engine, profile.architecture, profile.quantization)
    assert rank(build.DEEPSEEK_R1, "fp8", rules, tp=8) == pytest.approx(79.74 * GIB, rel=0.006)
    without_copies = rank(build.DEEPSEEK_R1, "fp8", tp=8)
    assert without_copies == pytest.approx(79.36 * GIB, rel=0.006)


def test_rocm_pads_rows_that_divide_by_512_bytes():
    padded = WeightRules(pad_row_bytes=256, pad_when_multiple=512)
    plain, wide = (rank(build.QWEN3_235B, rules=r, tp=4) for r in (RULES, padded))
    experts = 94 * 128 * 3 * 4096 * 1536 * 2 / 4
    assert wide - plain == pytest.approx(experts * 2 / 3 * 128 / 4096)


def test_kv_projections_never_fall_below_one_head():
    config = {**build.QWEN3_235B, "num_hidden_layers": 1}
    kv_head = 2 * 128 * 4096 * 2
    four, eight = (rank(config, tp=tp, ep=tp) for tp in (4, 8))
    saved = (64 * 128 * 4096 * 2 * 2 + 2 * 151936 * 4096 * 2 + 128 * 3 * 4096 * 1536 * 2) / 8
    assert four - eight == pytest.approx(saved)
    assert rank(config, tp=16, ep=16) > kv_head


def test_vocabulary_is_padded_to_64_rows():
    config = {**build.LLAMA_8B, "vocab_size": 128257}
    assert rank(config) - rank(build.LLAMA_8B) == 2 * 64 * 4096 * 2


def test_attention_data_parallel_keeps_attention_whole_and_spreads_experts():
    arch = build.architecture(build.DEEPSEEK_R1)
    scheme = weight_scheme("fp8", arch, None)
    (grouped,) = stage_weights(arch, scheme, Layout(attention_dp=8, ep=8), RULES)
    (cut,) = stage_weights(arch, scheme, Layout(tp=8, ep=8), RULES)
    assert grouped["experts"] == cut["experts"]
    assert grouped["attention"] > 4 * cut["attention"]
    assert grouped["embedding"] == 8 * cut["embedding"]


def test_prediction_layers_are_loaded_only_for_speculation():
    arch = build.architecture(build.DEEPSEEK_R1)
    if not arch.mtp:
        pytest.skip("prediction layers are not read yet")
    assert rank(build.DEEPSEEK_R1, "fp8", tp=8, mtp=True) > rank(build.DEEPSEEK_R1, "fp8", tp=8) + GIB


def test_adapters_take_slots():
    none, some = rank(build.LLAMA_8B), rank(build.LLAMA_8B, lora_rank=16, lora_adapters=4)
    width = (4096 + 4096) * 2 + (4096 + 1024) * 2 + (4096 + 14336) * 3
    assert some - none == 32 * width * 16 * 4 * 2


@given(st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4]))
@settings(max_examples=12, deadline=None)
def test_ranks_together_hold_at_least_the_model(tp, pp):
    arch = build.architecture(build.LLAMA_8B)
    scheme = weight_scheme("bf16", arch, None)
    stages = stage_weights(arch, scheme, Layout(tp=tp, pp=pp), RULES)
    held = tp * sum(sum(parts.values()) for parts in stages)
    whole = model_bytes(arch, scheme)
    assert whole <= held * (1 + 1e-9) <= whole * 1.01
