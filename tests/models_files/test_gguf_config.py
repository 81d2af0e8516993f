"""llama.cpp's metadata keys mean the same model as the publisher's config.json: same parameters, active and layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.models.architecture import Architecture, Cache
from planner.models.catalogue import Catalogue
from planner.models.gguf import GgufFile
from planner.models.gguf_config import config_of
from planner.models.gguf_header import GgufTensor
from planner.models.hf_config import architecture_from_config
from planner.models.parameters import count_parameters

CATALOGUE = Catalogue()
BIAS = ("attn_q.bias", "attn_k.bias", "attn_v.bias")
NORM = ("attn_q_norm.weight",)


def experts(count: int, used: int, width: int, **more: int) -> dict[str, int]:
    return {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": width, **more}


LATENT = {"attention.kv_lora_rank": 512, "rope.dimension_count": 64, "attention.key_length": 192}
LATENT |= {"attention.value_length": 128}
DELTA = {"ssm.conv_kernel": 4, "ssm.state_size": 128, "ssm.group_count": 16, "full_attention_interval": 4}
CASES: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "Llama-3.1-8B-Instruct": ("llama", {}, ()),
    "Mixtral-8x7B-Instruct-v0.1": ("llama", {"expert_count": 8, "expert_used_count": 2}, ()),
    "Qwen2.5-7B-Instruct": ("qwen2", {}, BIAS),
    "Qwen1.5-MoE-A2.7B": ("qwen2moe", experts(60, 4, 1408, expert_shared_feed_forward_length=5632), BIAS),
    "Qwen3-8B": ("qwen3", {}, NORM),
    "Qwen3-30B-A3B": ("qwen3moe", experts(128, 8, 768), NORM),
    "Qwen3-Next-80B-A3B-Instruct": (
        "qwen3next",
        experts(512, 10, 512, expert_shared_feed_forward_length=512)
        | DELTA | {"ssm.time_step_rank": 32, "ssm.inner_size": 4096},
        NORM,
    ),
    "Qwen3.5-27B": ("qwen35", DELTA | {"ssm.time_step_rank": 48, "ssm.inner_size": 6144}, NORM),
    "Qwen3.5-35B-A3B": (
        "qwen35moe",
        experts(256, 8, 512, expert_shared_feed_forward_length=512)
        | DELTA | {"ssm.time_step_rank": 32, "ssm.inner_size": 4096},
        NORM,
    ),
    "gemma-2-9b-it": ("gemma2", {"attention.sliding_window": 4096}, ()),
    "gemma-3-27b-it": ("gemma3", {"attention.sliding_window": 1024}, NORM),
    "gpt-oss-20b": (
        "gpt-oss", experts(32, 4, 2880) | {"attention.sliding_window": 128}, (*BIAS, "attn_output.bias"),
    ),
    "GLM-4.5-Air": (
        "glm4moe",
        experts(128, 8, 1408, expert_shared_count=1, leading_dense_block_count=1, nextn_predict_layers=1)
        | {"block_count": 47},
        BIAS,
    ),
    "GLM-4.6": (
        "glm4moe",
        experts(160, 8, 1536, expert_shared_count=1, leading_dense_block_count=3, nextn_predict_layers=1)
        | {"block_count": 93},
        (*BIAS, *NORM),
    ),
    "DeepSeek-V3": (
        "deepseek2",
        experts(256, 8, 2048, expert_shared_count=1, leading_dense_block_count=3, expert_gating_func=2)
        | LATENT | {"attention.q_lora_rank": 1536},
        (),
    ),
    "DeepSeek-V2-Lite": (
        "deepseek2", experts(64, 6, 1408, expert_shared_count=2, leading_dense_block_count=1) | LATENT, (),
    ),
    "phi-4": ("phi3", {}, ()),
    "c4ai-command-r-v01": ("command-r", {}, ()),
    "c4ai-command-a-03-2025": ("cohere2", {"attention.sliding_window": 4096}, ()),
    "MiniMax-M2.5": ("minimax-m2", experts(256, 8, 1536), NORM),
    "Seed-OSS-36B-Instruct": ("seed_oss", {}, BIAS),
    "SmolLM3-3B": ("smollm3", {}, ()),
    "granite-3.3-8b-instruct": ("granite", {}, ()),
    "OLMo-2-1124-7B-Instruct": ("olmo2", {}, NORM),
    "Hunyuan-A13B-Instruct": ("hunyuan-moe", experts(64, 8, 3072, expert_shared_feed_forward_length=3072), NORM),
    "ERNIE-4.5-0.3B-PT": ("ernie4_5", {}, ()),
    "GLM-4-32B-0414": ("glm4", {}, ()),
    "internlm2_5-7b-chat": ("internlm2", {}, ()),
    "falcon-7b": ("falcon", {}, ()),
    "Llama-4-Scout-17B-16E-Instruct": (
        "llama4", experts(16, 1, 8192, interleave_moe_layer_step=1, expert_shared_count=1), (),
    ),
}  # fmt: skip


def header_of(name: str) -> GgufFile:
    """A file as a converter would write it for a model of the catalogue, without its data."""
    architecture, more, tensors = CASES[name]
    config = CATALOGUE.get(name).config
    text = config.get("text_config", config)
    sizes = {
        "block_count": text["num_hidden_layers"],
        "embedding_length": text["hidden_size"],
        "feed_forward_length": text.get("intermediate_size", 0),
        "attention.head_count": text["num_attention_heads"],
        "attention.head_count_kv": text.get("num_key_value_heads", text.get("num_kv_heads")),
    }
    if "head_dim" in text:
        sizes |= {"attention.key_length": text["head_dim"], "attention.value_length": text["head_dim"]}
    return assembled(architecture, sizes | more, text["vocab_size"], tensors, name)


def assembled(architecture: str, sizes: dict[str, Any], vocab: int, tensors: tuple[str, ...], name: str) -> GgufFile:
    tied = CATALOGUE.get(name).architecture.tied_embeddings
    shape = (sizes["embedding_length"], vocab)
    outside = [GgufTensor(n, "F16", shape, 0) for n in ("token_embd.weight", *(() if tied else ("output.weight",)))]
    inside = [GgufTensor(f"blk.0.{n}", "F32", (1,), 0) for n in ("attn_q.weight", *tensors)]
    metadata = {"general.architecture": architecture, **{f"{architecture}.{k}": v for k, v in sizes.items()}}
    return GgufFile(Path("x.gguf"), 3, metadata, (*outside, *inside), 0, ("x.gguf",))


def same(name: str, file: GgufFile) -> None:
    wanted = CATALOGUE.get(name).architecture
    found = architecture_from_config(config_of(file))
    expected, counted = count_parameters(wanted), count_parameters(found)
    assert counted.total == expected.total - expected.vision
    assert counted.active == expected.active
    assert found.num_layers == wanted.num_layers
    assert shapes(found) == shapes(wanted)


def shapes(architecture: Architecture) -> list[Cache]:
    """Caches of every layer; in what bytes a state is kept is the engine's choice."""
    return [replace(c, element_bytes=None) for layer in architecture.layers for c in layer.caches]


@pytest.mark.parametrize("name", CASES)
def test_keys_of_llama_cpp_and_of_the_publisher_mean_the_same_model(name):
    same(name, header_of(name))


def test_layers_with_heads_of_their_own():
    config = CATALOGUE.get("gemma-4-31B-it").config["text_config"]
    sliding = tuple(kind.startswith("sliding") for kind in config["layer_types"])
    sizes = {
        "block_count": 60, "embedding_length": 5376, "feed_forward_length": 21504, "attention.head_count": 32,
        "attention.head_count_kv": tuple(16 if s else 4 for s in sliding), "attention.sliding_window": 1024,
        "attention.sliding_window_pattern": sliding, "attention.key_length": 512, "attention.value_length": 512,
        "attention.key_length_swa": 256, "attention.value_length_swa": 256,
    }  # fmt: skip
    tensors = ("attn_k.weight", "attn_q_norm.weight")
    same("gemma-4-31B-it", assembled("gemma4", sizes, 262144, tensors, "gemma-4-31B-it"))


def test_layers_without_kv_heads_are_recurrent():
    kinds = CATALOGUE.get("granite-4.0-h-small").config["layer_types"]
    sizes = {
        "block_count": 40, "embedding_length": 4096, "feed_forward_length": 768, "attention.head_count": 32,
        "attention.head_count_kv": tuple(8 if kind == "attention" else 0 for kind in kinds), "ssm.conv_kernel": 4,
        "ssm.state_size": 128, "ssm.group_count": 1, "ssm.inner_size": 8192, "ssm.time_step_rank": 128,
        **experts(72, 10, 768, expert_shared_feed_forward_length=1536),
    }  # fmt: skip
    same("granite-4.0-h-small", assembled("granitehybrid", sizes, 100352, (), "granite-4.0-h-small"))
