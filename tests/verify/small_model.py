"""A small language model with random weights as a GGUF file, complete enough for a real llama.cpp to load and serve."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

LAYERS, HIDDEN, HEADS, KV_HEADS, INTERMEDIATE, VOCABULARY = 4, 512, 8, 2, 1536, 4096


def write_small_model(path: Path) -> Path:
    """Llama architecture, F16, about 35 MB."""
    writer, random = gguf.GGUFWriter(path, "llama"), np.random.default_rng(7)
    _metadata(writer)
    _vocabulary(writer)

    def add(name: str, *shape: int, half: bool = True) -> None:
        values = random.standard_normal(shape, dtype=np.float32) * 0.02
        writer.add_tensor(name, values.astype(np.float16) if half else np.ones(shape, dtype=np.float32))

    head = HIDDEN // HEADS
    add("token_embd.weight", VOCABULARY, HIDDEN)
    add("output_norm.weight", HIDDEN, half=False)
    add("output.weight", VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        add(f"blk.{layer}.attn_norm.weight", HIDDEN, half=False)
        add(f"blk.{layer}.attn_q.weight", HIDDEN, HIDDEN)
        add(f"blk.{layer}.attn_k.weight", KV_HEADS * head, HIDDEN)
        add(f"blk.{layer}.attn_v.weight", KV_HEADS * head, HIDDEN)
        add(f"blk.{layer}.attn_output.weight", HIDDEN, HIDDEN)
        add(f"blk.{layer}.ffn_norm.weight", HIDDEN, half=False)
        add(f"blk.{layer}.ffn_gate.weight", INTERMEDIATE, HIDDEN)
        add(f"blk.{layer}.ffn_up.weight", INTERMEDIATE, HIDDEN)
        add(f"blk.{layer}.ffn_down.weight", HIDDEN, INTERMEDIATE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _metadata(writer: gguf.GGUFWriter) -> None:
    writer.add_name("Small random")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(8192)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(VOCABULARY)


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
