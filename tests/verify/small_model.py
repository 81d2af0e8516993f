"""Small language models with random weights as GGUF files, complete enough for a real llama.cpp to load and serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

VOCABULARY = 4096


@dataclass(frozen=True)
class Small:
    """One model: what llama.cpp's own converters would write, in small."""

    name: str
    architecture: str
    weights: str
    """Of the matrices: F16, BF16, Q8_0, Q4_0, Q5_1 …"""
    layers: int = 4
    hidden: int = 512
    heads: int = 8
    kv_heads: int = 2
    head: int = 64
    intermediate: int = 1536
    experts: int = 0
    window: int = 0
    tied: bool = False
    kv_rank: int = 0
    """Multi-head latent attention with a latent of so many values."""


MODELS = {
    m.name: m
    for m in (
        Small("llama-gqa-f16", "llama", "F16"),
        Small("qwen3-gqa-q8", "qwen3", "Q8_0", kv_heads=4, head=128),
        Small("qwen3-moe-q8", "qwen3moe", "Q8_0", experts=8, intermediate=256, kv_heads=4),
        Small("gemma3-swa-q4", "gemma3", "Q4_0", layers=12, window=512, tied=True, kv_heads=4),
        Small("deepseek-mla-q5", "deepseek2", "Q5_1", experts=8, intermediate=256, kv_heads=1, kv_rank=128, head=96),
    )
}
ROPE = 32
"""Rotary values of a head with latent attention."""
Q_RANK = 256
"""Latent of the queries."""


def write_small_model(path: Path, model: Small = MODELS["llama-gqa-f16"]) -> Path:
    """The file of one model, tens of MB."""
    writer, random = gguf.GGUFWriter(path, model.architecture), np.random.default_rng(7)
    _metadata(writer, model)
    _vocabulary(writer)
    for name, shape in _tensors(model):
        if len(shape) == 1 or name.endswith("ffn_gate_inp.weight"):
            writer.add_tensor(name, np.ones(shape, dtype=np.float32))
        else:
            _add(writer, name, random.standard_normal(shape, dtype=np.float32) * 0.02, model.weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, name: str, values: np.ndarray, weights: str) -> None:
    kind = gguf.GGMLQuantizationType[weights]
    data = gguf.quants.quantize(values, kind)
    writer.add_tensor(name, data, raw_dtype=kind)


def _tensors(model: Small) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (VOCABULARY, model.hidden)
    yield "output_norm.weight", (model.hidden,)
    if not model.tied:
        yield "output.weight", (VOCABULARY, model.hidden)
    for layer in range(model.layers):
        for name, shape in (*_attention(model), *_feed_forward(model, layer)):
            yield f"blk.{layer}.{name}.weight", shape


def _attention(model: Small) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "attn_norm", (model.hidden,)
    if model.kv_rank:
        yield from _latent(model)
        return
    yield "attn_q", (model.heads * model.head, model.hidden)
    yield "attn_k", (model.kv_heads * model.head, model.hidden)
    yield "attn_v", (model.kv_heads * model.head, model.hidden)
    yield "attn_output", (model.hidden, model.heads * model.head)
    if model.architecture != "llama":
        yield "attn_q_norm", (model.head,)
        yield "attn_k_norm", (model.head,)
    if model.architecture == "gemma3":
        yield "post_attention_norm", (model.hidden,)


def _latent(model: Small) -> Iterator[tuple[str, tuple[int, ...]]]:
    """DeepSeek's attention: queries from one latent, keys and values from another."""
    nope = model.head - ROPE
    yield "attn_q_a", (Q_RANK, model.hidden)
    yield "attn_q_a_norm", (Q_RANK,)
    yield "attn_q_b", (model.heads * model.head, Q_RANK)
    yield "attn_kv_a_mqa", (model.kv_rank + ROPE, model.hidden)
    yield "attn_kv_a_norm", (model.kv_rank,)
    yield "attn_k_b", (model.heads, model.kv_rank, nope)
    yield "attn_v_b", (model.heads, nope, model.kv_rank)
    yield "attn_output", (model.hidden, model.heads * nope)


def _feed_forward(model: Small, layer: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "ffn_norm", (model.hidden,)
    wide = model.intermediate
    if model.experts and not (model.kv_rank and layer == 0):
        yield "ffn_gate_inp", (model.experts, model.hidden)
        yield "ffn_gate_exps", (model.experts, wide, model.hidden)
        yield "ffn_up_exps", (model.experts, wide, model.hidden)
        yield "ffn_down_exps", (model.experts, model.hidden, wide)
        if model.kv_rank:
            yield "ffn_gate_shexp", (wide, model.hidden)
            yield "ffn_up_shexp", (wide, model.hidden)
            yield "ffn_down_shexp", (model.hidden, wide)
        return
    yield "ffn_gate", (wide, model.hidden)
    yield "ffn_up", (wide, model.hidden)
    yield "ffn_down", (model.hidden, wide)
    if model.architecture == "gemma3":
        yield "post_ffw_norm", (model.hidden,)


def _metadata(writer: gguf.GGUFWriter, model: Small) -> None:
    writer.add_name("Small random")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(8192)
    writer.add_embedding_length(model.hidden)
    writer.add_block_count(model.layers)
    writer.add_feed_forward_length(model.intermediate)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(ROPE if model.kv_rank else model.head)
    writer.add_vocab_size(VOCABULARY)
    if model.window:
        writer.add_sliding_window(model.window)
    if model.experts:
        writer.add_expert_count(model.experts)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(model.intermediate)
    if model.kv_rank:
        _latent_metadata(writer, model)
    else:
        writer.add_key_length(model.head)
        writer.add_value_length(model.head)


def _latent_metadata(writer: gguf.GGUFWriter, model: Small) -> None:
    writer.add_leading_dense_block_count(1)
    writer.add_kv_lora_rank(model.kv_rank)
    writer.add_q_lora_rank(Q_RANK)
    writer.add_key_length(model.kv_rank + ROPE)
    writer.add_value_length(model.kv_rank)
    writer.add_key_length_mla(model.head)
    writer.add_value_length_mla(model.head - ROPE)
    writer.add_expert_shared_count(1)
    writer.add_expert_weights_scale(1.0)


def _vocabulary(writer: gguf.GGUFWriter) -> None:
    """Byte tokens and made-up words, as a sentencepiece vocabulary has them."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [2, 3, 3] + [6] * 256
    words = [f"▁w{n}" for n in range(VOCABULARY - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens + words)
    writer.add_token_scores([0.0] * len(tokens) + [-float(n) for n in range(len(words))])
    writer.add_token_types(kinds + [1] * len(words))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
