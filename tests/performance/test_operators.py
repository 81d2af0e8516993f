"""Operators against counts that follow from the architecture alone."""

from __future__ import annotations

import pytest

from planner.models.formats import model_bytes
from planner.performance.operators import Layout, Operators, operators_of
from tests.performance.builders import LLAMA_8B, LLAMA_70B, QWEN3_30B, deployment


def operators(
    config: dict[str, object], weights: str = "bf16", tp: int = 1, ep: int = 1, attention_dp: int = 1
) -> Operators:
    resolved = deployment(config, weights)
    layout = Layout(tp, attention_dp, ep, 1, 2.0)
    return operators_of(resolved.architecture, resolved.quantization, layout)


def flop_per_token(found: Operators) -> float:
    dense = sum(2 * p.count * p.n * p.k for p in (*found.products, *found.head))
    return dense + sum(e.count * e.experts_per_token * e.expert_flop for e in found.experts)


def test_llama_8b_flop_is_twice_its_active_parameters() -> None:
    """8.03 B parameters without the input table (0.525 B) multiply each token."""
    assert flop_per_token(operators(LLAMA_8B)) == pytest.approx(2 * (8.03e9 - 0.525e9), rel=0.002)


def test_moe_flop_counts_only_chosen_experts() -> None:
    """Qwen3-30B-A3B: 3.3 B active of which 0.31 B is the input table."""
    assert flop_per_token(operators(QWEN3_30B)) == pytest.approx(2 * (3.35e9 - 0.311e9), rel=0.02)


@pytest.mark.parametrize("tp", [1, 2, 4, 8])
def test_weights_read_by_all_ranks_make_the_model(tp: int) -> None:
    resolved = deployment(LLAMA_70B, "fp8")
    found = operators_of(resolved.architecture, resolved.quantization, Layout(tp, 1, 1, 1, 2.0))
    read = sum(p.count * p.weight_bytes for p in (*found.products, *found.head)) * tp
    table = 2.0 * LLAMA_70B["vocab_size"] * LLAMA_70B["hidden_size"]
    assert read == pytest.approx(model_bytes(resolved.architecture, resolved.quantization) - table, rel=0.01)


def test_qkv_and_gate_up_are_one_product_each() -> None:
    assert sum(p.count for p in operators(LLAMA_8B).products) == 4 * 32


def test_kv_heads_are_never_cut_below_one() -> None:
    """Qwen3-30B has four KV heads: tensor parallel 8 keeps one on every rank."""
    at_four, at_eight = (operators(QWEN3_30B, tp=tp).attention[0].kv_token_bytes for tp in (4, 8))
    assert at_four == at_eight == 2 * 128 * 2.0


def test_expert_parallelism_keeps_whole_experts() -> None:
    split, whole = operators(QWEN3_30B, tp=8).experts[0], operators(QWEN3_30B, tp=8, ep=8).experts[0]
    assert split.local_experts == 128
    assert whole.local_experts == 16
    assert whole.expert_bytes == pytest.approx(8 * split.expert_bytes)


def test_attention_groups_hold_the_whole_attention_and_share_experts() -> None:
    alone, grouped = operators(QWEN3_30B, tp=1), operators(QWEN3_30B, tp=1, attention_dp=8, ep=8)
    attention = [sum(p.weight_bytes for p in o.products if p.part == "attention") for o in (alone, grouped)]
    assert attention[0] == attention[1]
    assert grouped.experts[0].local_experts == 16
