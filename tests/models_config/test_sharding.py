"""How engines cut tensors, as the rules on the tensors say."""

from __future__ import annotations

import pytest

from tests.models_config.common import architecture, raw_configs


def shards(name: str) -> dict[str, str]:
    return {t.module: t.shard for layer in architecture(name).layer_kinds for t in layer.tensors}


def test_latent_attention_keeps_its_down_projections_whole():
    rules = shards("deepseek-ai--DeepSeek-V3.2")
    whole = ("q_a_proj", "kv_a_proj_with_mqa", "q_a_layernorm", "kv_a_layernorm", "indexer.wq_b", "indexer.wk")
    assert {rules[f"self_attn.{name}"] for name in whole} == {"replicated"}
    assert rules["self_attn.q_b_proj"] == rules["self_attn.kv_b_proj"] == "column"
    assert rules["self_attn.o_proj"] == "row"
    assert rules["mlp.gate"] == "replicated"
    assert rules["mlp.experts.down_proj"] == "experts"
    assert rules["mlp.shared_experts.down_proj"] == "row"


def test_grouped_attention_is_cut_by_key_value_head():
    tensors = {t.module: t for t in architecture("Qwen--Qwen3-235B-A22B").layer_kinds[0].tensors}
    assert tensors["self_attn.k_proj"].shard == "kv"
    assert tensors["self_attn.k_proj"].heads == 4
    assert tensors["self_attn.q_proj"].shard == "column"
    assert tensors["self_attn.q_norm"].shard == "replicated"


def test_state_groups_are_cut_like_heads():
    tensors = architecture("nvidia--Nemotron-H-8B-Base-8K").layer_kinds[0].tensors
    groups = [t for t in tensors if t.module == "mixer.in_proj" and t.shard == "kv"]
    assert [t.heads for t in groups] == [8]
    assert groups[0].shape[0] == 2 * 8 * 128


def test_vocabulary_and_vision():
    model = architecture("Qwen--Qwen3-VL-8B-Instruct")
    assert model.embeddings[0].shard == model.head[0].shard == "vocab"
    rules = {t.module: t.shard for t in model.vision}
    assert rules["model.visual.blocks.attn.qkv"] == "column"
    assert rules["model.visual.blocks.attn.proj"] == "row"
    assert rules["model.visual.patch_embed.proj"] == "replicated"
    assert model.vision_tower is not None
    assert (model.vision_tower.num_heads, model.vision_tower.num_layers) == (16, 27)


@pytest.mark.parametrize("name", raw_configs())
def test_rules_hold_in_every_published_config(name):
    """What is cut by head has heads; what is quantised is a matrix; norms are never quantised; caches have elements."""
    if name in ("CohereLabs--command-a-plus-05-2026.json",):
        pytest.skip("the config lacks a model_type")
    model = architecture(name)
    for tensor in (t for layer in (*model.layer_kinds, *model.mtp) for t in layer.tensors):
        assert tensor.numel > 0
        assert (tensor.shard == "kv") <= (tensor.heads > 0)
        if tensor.quantized:
            assert len(tensor.shape) >= 2
            assert tensor.part not in ("norm", "router", "embedding", "head")
    assert all(c.elements > 0 for layer in model.layers for c in layer.caches)
    assert len(model.layer_order) == model.num_layers
    assert set(model.layer_order) == set(range(len(model.layer_kinds)))
