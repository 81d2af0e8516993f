"""What tensor, expert, pipeline and data parallelism may divide: published cases and properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.legality import check, is_legal
from planner.legality.layout import kv_copies
from planner.legality.shape import model_shape
from planner.resolved import Resolved, Serving
from tests.legality.build import (
    AWQ,
    BF16,
    DEEPSEEK_R1,
    FABRIC,
    FP8_BLOCK,
    LLAMA_8B,
    MXFP4,
    NVFP4,
    QWEN2_72B,
    QWEN3_30B,
    SLOW,
    architecture,
    nvidia,
    resolved,
    support,
)  # fmt: skip

H200 = nvidia((9, 0), 141)
R1, QWEN30, LLAMA, QWEN72 = (architecture(n) for n in ("DEEPSEEK_R1", "QWEN3_30B", "LLAMA_8B", "QWEN2_72B"))


def rules(case: Resolved, *, severity: str = "error") -> set[str]:
    return {finding.rule for finding in check(case, support()) if finding.severity == severity}


@pytest.mark.parametrize(
    ("tp", "ep", "nodes", "expected"),
    [
        (8, 1, 1, set()),
        (8, 8, 1, set()),
        (16, 1, 2, set()),  # 18432/16 = 9·128, 2048/16 = 128
        (32, 1, 4, {"fp8-block-rows"}),  # 576 = 4.5·128, 2048/32 = 64
        (32, 32, 4, {"fp8-block-rows"}),  # the dense layers still break
    ],
)
def test_deepseek_r1_in_block_fp8(tp: int, ep: int, nodes: int, expected: set[str]) -> None:
    case = resolved(R1, FP8_BLOCK, H200, tp=tp, ep=ep, nodes=nodes, fabric=FABRIC)
    assert rules(case) == expected


@pytest.mark.parametrize(
    ("tp", "ep", "expected"),
    [(1, 1, set()), (2, 1, set()), (4, 1, {"fp8-block-rows"}), (4, 4, set()), (8, 8, set())],
)
def test_qwen3_30b_in_block_fp8(tp: int, ep: int, expected: set[str]) -> None:
    assert rules(resolved(QWEN30, FP8_BLOCK, H200, tp=tp, ep=ep)) == expected


def test_the_fix_for_small_experts_is_expert_parallelism() -> None:
    (finding,) = check(resolved(QWEN30, FP8_BLOCK, H200, tp=4), support())
    assert finding.change == {"serving.ep": 4}


def test_the_fix_for_r1_at_32_is_16_with_two_stages() -> None:
    findings = check(resolved(R1, FP8_BLOCK, H200, tp=32, nodes=4, fabric=FABRIC), support())
    assert findings[0].change == {"serving.tp": 16, "serving.pp": 2}


@pytest.mark.parametrize(("tp", "legal"), [(4, True), (8, False)])
def test_grouped_int4_needs_whole_groups(tp: int, legal: bool) -> None:
    """29568/8 = 3696 = 28.9 groups of 128, why the published int4 files were padded; over 4 ranks 57.75 as well."""
    case = resolved(QWEN72, replace(AWQ, group=128 if not legal else 64), H200, tp=tp)
    assert ("quant-group-divides-shard" in rules(case)) != (legal and 29568 // tp % 64 == 0)


def test_mxfp4_shards_are_padded_by_the_engines() -> None:
    assert "quant-group-divides-shard" not in rules(
        resolved(QWEN30, MXFP4, nvidia((10, 0)), tp=32, nodes=4, fabric=FABRIC)
    )


def test_nvfp4_groups_of_16() -> None:
    assert rules(resolved(QWEN30, NVFP4, nvidia((10, 0)), tp=8)) == set()


@pytest.mark.parametrize(("heads", "kv_heads", "tp", "rule"), [
    (32, 8, 3, "tp-divides-heads"),
    (28, 4, 8, "tp-divides-heads"),
    (40, 10, 4, "tp-divides-kv-heads"),
    (40, 10, 8, "tp-divides-kv-heads"),
    (64, 4, 8, None),
    (32, 1, 8, None),
])  # fmt: skip
def test_heads(heads: int, kv_heads: int, tp: int, rule: str | None) -> None:
    from planner.models.hf_config import architecture_from_config

    config = {**LLAMA_8B, "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": 128}
    found = rules(resolved(architecture_from_config(config), BF16, H200, tp=tp))
    assert (rule in found) if rule else not found


def test_kv_copies_are_counted_without_a_finding() -> None:
    shape = model_shape(QWEN30, BF16)
    case = resolved(QWEN30, BF16, H200, tp=8)
    assert kv_copies(shape, case.serving) == 2 and check(case, support()) == ()
    latent = resolved(R1, FP8_BLOCK, H200, tp=8)
    assert kv_copies(model_shape(R1, FP8_BLOCK), latent.serving) == 8
    groups = replace(latent.serving, tp=1, attention_dp=8)
    assert kv_copies(model_shape(R1, FP8_BLOCK), groups) == 1


@pytest.mark.parametrize(("engine", "keys", "rule"), [
    ("vllm==0.19.0", {"tp": 8, "ep": 3}, "ep-divides-ranks"),
    ("vllm==0.19.0", {"tp": 8, "ep": 2}, "ep-takes-all-ranks"),
    ("sglang==0.5.7", {"tp": 8, "ep": 2}, None),
    ("sglang==0.5.7", {"tp": 1, "attention_dp": 8, "ep": 8}, None),
    ("vllm==0.19.0", {"tp": 8, "pp": 62, "nodes": 62, "fabric": FABRIC}, "pp-exceeds-layers"),
    ("vllm==0.19.0", {"tp": 8, "dcp": 3}, "dcp-divides-tp"),
    ("vllm==0.19.0", {"tp": 8, "dp": 2}, "gpus-available"),
    ("vllm==0.19.0", {"tp": 16, "nodes": 2, "fabric": SLOW}, "tp-across-nodes-needs-fabric"),
    ("trtllm==1.0", {"tp": 8, "attention_dp": 2, "nodes": 2, "fabric": SLOW}, "tp-across-nodes-needs-fabric"),
    ("vllm==0.19.0", {"tp": 16, "per_node": 12, "nodes": 2, "fabric": FABRIC}, "group-fills-nodes"),
    ("vllm==0.8.0", {"tp": 1, "attention_dp": 8, "ep": 8}, "engine-has-feature"),
    ("llama.cpp", {"tp": 1, "attention_dp": 8}, "engine-has-feature"),
])  # fmt: skip
def test_layouts_of_r1(engine: str, keys: dict[str, Any], rule: str | None) -> None:
    found = rules(resolved(R1, FP8_BLOCK, H200, engine, **keys))
    assert (rule in found) if rule else not found


def test_experts_of_a_dense_model() -> None:
    assert "ep-without-experts" in rules(resolved(LLAMA, BF16, H200, tp=8, ep=8))


def test_uneven_experts_only_where_the_engine_has_them() -> None:
    uneven = {"tp": 2, "attention_dp": 3, "ep": 6, "per_node": 6}
    assert "experts-divide-by-ep" not in rules(resolved(QWEN30, BF16, H200, **uneven))
    assert "experts-divide-by-ep" in rules(resolved(QWEN30, BF16, H200, "sglang==0.5.7", **uneven))


def test_an_unnamed_network_is_a_remark_and_a_slow_one_an_error() -> None:
    unnamed = resolved(R1, FP8_BLOCK, H200, tp=16, nodes=2)
    assert not rules(unnamed) and rules(unnamed, severity="warning") == {"tp-across-nodes-needs-fabric"}
    stages = resolved(R1, FP8_BLOCK, H200, tp=8, pp=2, nodes=2)
    assert not rules(stages) and rules(stages, severity="warning") == {"network-unknown"}


def applied(case: Resolved, change: dict[str, Any]) -> Resolved:
    """The case with a finding's change made, as far as it is about serving."""
    fields = {key.removeprefix("serving."): value for key, value in change.items() if key.startswith("serving.")}
    serving: Serving = replace(case.serving, **fields)
    return replace(case, serving=serving)


LAYOUTS = st.fixed_dictionaries({
    "tp": st.integers(1, 40), "attention_dp": st.sampled_from([1, 1, 2, 3, 8]), "pp": st.integers(1, 70),
    "dp": st.integers(1, 4), "ep": st.integers(1, 40), "dcp": st.sampled_from([1, 1, 1, 2, 3]),
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["DEEPSEEK_R1", "QWEN3_30B", "LLAMA_8B", "QWEN2_72B"]),
    quantization=st.sampled_from([BF16, FP8_BLOCK, AWQ]),
    engine=st.sampled_from(["vllm==0.19.0", "sglang==0.5.7", "trtllm==1.0"]),
    layout=LAYOUTS,
    nodes=st.integers(1, 8),
)
def test_fixes_lead_to_a_legal_layout(
    name: str, quantization: Any, engine: str, layout: dict[str, int], nodes: int
) -> None:
    """Applying the first change again and again ends in a legal layout; every error says what to do."""
    case = resolved(architecture(name), quantization, H200, engine, nodes=nodes, fabric=FABRIC, **layout)
    for _ in range(12):
        errors = [f for f in check(case, support()) if f.severity == "error"]
        if not errors:
            break
        assert all(f.fix and f.message for f in errors)
        case = applied(case, errors[0].change)
    assert is_legal(check(case, support())), errors


@settings(max_examples=40, deadline=None)
@given(layout=LAYOUTS, nodes=st.integers(1, 8))
def test_a_single_device_layout_of_a_supported_model_is_always_legal(layout: dict[str, int], nodes: int) -> None:
    """And the answer is the same twice."""
    assert check(resolved(architecture("LLAMA_8B"), BF16, H200), support()) == ()
    case = resolved(R1, FP8_BLOCK, H200, nodes=nodes, **layout)
    assert check(case, support()) == check(case, support())


def test_configs_are_the_published_ones() -> None:
    assert (DEEPSEEK_R1["intermediate_size"], QWEN3_30B["moe_intermediate_size"]) == (18432, 768)
    assert QWEN2_72B["intermediate_size"] % (8 * 128) != 0
