"""What layers keep while serving, against what engines print and publishers describe."""

from __future__ import annotations

from collections import Counter

import pytest

from planner.models.architecture import Attention, Cache, LatentAttention, MoE, Recurrent
from planner.units import MIB
from tests.models_config.common import architecture


def caches(name: str) -> list[Cache]:
    return [cache for layer in architecture(name).layers for cache in layer.caches]


def per_token(name: str, *kinds: str) -> float:
    """Bytes of one token on a rank that holds everything, bf16 where nothing is fixed."""
    return sum(c.elements * (c.element_bytes or 2) / c.compression for c in caches(name) if c.kind in kinds)


@pytest.mark.parametrize(
    ("name", "kinds", "printed"),
    [
        ("deepseek-ai--DeepSeek-R1", ("latent",), 70_272),
        ("deepseek-ai--DeepSeek-V3.2", ("latent", "indexer"), 78_324),
        ("moonshotai--Kimi-K2.5", ("latent",), 70_272),
        ("meta-llama--Llama-3.1-70B-Instruct", ("full",), 4 * 81_920),
        ("Qwen--Qwen3-235B-A22B", ("full",), 4 * 48_128),
    ],
)
def test_bytes_per_token_as_engines_print_them(name, kinds, printed):
    assert per_token(name, *kinds) == printed


def test_windows_alternate_as_published():
    kinds = Counter(c.kind for c in caches("google--gemma-3-27b-it"))
    assert kinds == {"sliding": 52, "full": 10}
    assert {c.window for c in caches("google--gemma-3-27b-it") if c.kind == "sliding"} == {1024}
    assert Counter(c.kind for c in caches("openai--gpt-oss-120b")) == {"sliding": 18, "full": 18}
    assert Counter(c.kind for c in caches("google--gemma-2-27b")) == {"sliding": 23, "full": 23}
    assert Counter(c.kind for c in caches("allenai--Olmo-3-1125-32B")) == {"sliding": 48, "full": 16}
    assert Counter(c.kind for c in caches("meta-llama--Llama-4-Scout-17B-16E-Instruct")) == {"sliding": 36, "full": 12}
    assert Counter(c.kind for c in caches("mistralai--Mistral-7B-v0.1")) == {"sliding": 32}
    assert Counter(c.kind for c in caches("mistralai--Mistral-7B-Instruct-v0.3")) == {"full": 32}
    assert Counter(c.kind for c in caches("Qwen--Qwen2-7B")) == {"full": 28}


def test_windowed_layers_have_heads_of_their_own():
    heads = {(c.kind, c.heads, c.elements) for c in caches("XiaomiMiMo--MiMo-V2-Flash")}
    assert heads == {("full", 4, 4 * (192 + 128)), ("sliding", 8, 8 * (192 + 128))}
    heads = {(c.kind, c.heads, c.elements) for c in caches("google--gemma-4-31B-it")}
    assert heads == {("full", 4, 4 * 2 * 512), ("sliding", 16, 16 * 2 * 256)}


def test_layers_that_read_the_cache_of_others_have_none():
    model = architecture("google--gemma-4-E2B-it")
    sharing = [m for layer in model.layers for m in layer.mixers if isinstance(m, Attention) and m.shares_kv]
    assert len(sharing) == 20
    assert len(caches("google--gemma-4-E2B-it")) == 15


def test_recurrent_state_of_a_request():
    """144 MiB in fp32 and 1.4 M convolution elements for the 27B hybrid, as SGLang and llama.cpp print them."""
    state = [c for c in caches("Qwen--Qwen3.5-27B") if c.kind == "state"]
    recurrent = sum(c.elements * (c.element_bytes or 0) for c in state if c.element_bytes == 4)
    assert recurrent == 144 * MIB
    assert sum(c.elements for c in state if c.element_bytes == 2) == 48 * 10_240 * 3
    assert per_token("Qwen--Qwen3.5-27B", "full") == 16 * 4 * 2 * 256 * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", {"mamba2": 23, "attention": 6, "none": 23}),
        ("ibm-granite--granite-4.0-h-tiny", {"mamba2": 36, "attention": 4}),
        ("Qwen--Qwen3-Next-80B-A3B-Instruct", {"gated-delta": 36, "attention": 12}),
        ("moonshotai--Kimi-K3", {"kda": 69, "latent": 24}),
        ("inclusionAI--Ling-3.0-tiny", {"kda": 18, "latent": 6}),
        ("MiniMaxAI--MiniMax-M1-80k", {"lightning": 70, "attention": 10}),
        ("zai-org--GLM-5.3-Flash", {"kda": 34, "latent": 11}),
        ("tiiuae--falcon-mamba-7b", {"mamba": 64}),
        ("nvidia--Llama-3_3-Nemotron-Super-49B-v1", {"attention": 49, "none": 31}),
    ],
)
def test_mixers_of_hybrids(name, expected):
    def kind(mixer: object) -> str:
        if isinstance(mixer, Recurrent):
            return mixer.kind
        return "latent" if isinstance(mixer, LatentAttention) else "attention"

    found = Counter(kind(layer.mixers[0]) if layer.mixers else "none" for layer in architecture(name).layers)
    assert found == expected


def test_falcon_h1_has_both_in_every_layer():
    for layer in architecture("tiiuae--Falcon-H1-7B-Instruct").layers:
        assert [type(m) for m in layer.mixers] == [Attention, Recurrent]
        assert Counter(c.kind for c in layer.caches) == {"full": 1, "state": 2}


def test_compressed_attention_keeps_a_window_and_entries():
    model = architecture("deepseek-ai--DeepSeek-V4-Flash")
    found = Counter((c.kind, c.compression) for layer in model.layers for c in layer.caches)
    assert found == {("sliding", 1): 43, ("compressed", 4): 21, ("indexer", 4): 21, ("compressed", 128): 20}
    assert all(c.window == 128 for layer in model.layers for c in layer.caches if c.kind == "sliding")


def test_indexers_that_are_shared_hold_nothing():
    assert sum(c.kind == "indexer" for c in caches("zai-org--GLM-5.3")) == 21
    assert sum(c.kind == "indexer" for c in caches("zai-org--GLM-5")) == 78
    assert sum(c.kind == "indexer" for c in caches("MiniMaxAI--MiniMax-M3")) == 57


@pytest.mark.parametrize(
    ("name", "dense"),
    [
        ("deepseek-ai--DeepSeek-R1", 3),
        ("zai-org--GLM-4.5", 3),
        ("zai-org--GLM-4.5-Air", 1),
        ("Qwen--Qwen3-235B-A22B", 0),
        ("meta-llama--Llama-4-Maverick-17B-128E-Instruct", 24),
        ("meta-llama--Llama-4-Scout-17B-16E-Instruct", 0),
        ("baidu--ERNIE-4.5-300B-A47B-PT", 3),
        ("XiaomiMiMo--MiMo-V2-Flash", 1),
        ("MiniMaxAI--MiniMax-M3", 3),
    ],
)
def test_dense_layers_among_sparse_ones(name, dense):
    model = architecture(name)
    assert sum(not isinstance(layer.feed_forward, MoE) for layer in model.layers) == dense


def test_encoders_keep_nothing():
    for name, kind in (("BAAI--bge-m3", "encoder"), ("Snowflake--snowflake-arctic-embed-m", "encoder")):
        model = architecture(name)
        assert model.kind == kind
        assert not any(layer.caches for layer in model.layers)


def test_equal_layers_are_one_object():
    model = architecture("deepseek-ai--DeepSeek-R1")
    assert len(model.layer_kinds) == 2
    assert model.layer_order == (0,) * 3 + (1,) * 58
    assert model.layers[3] is model.layers[60]
