"""Attention over compressed entries: one shared K=V head, a window beside entries that stand for many tokens.

DeepSeek-V4 report, section 2.3: every layer keeps the last ``sliding_window`` tokens; *compressed sparse* layers add
one entry per 4 tokens, of which an indexer picks ``index_topk``; *heavily compressed* ones one entry per 128 tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Cache, LatentAttention, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.attention import MAX_HEADS
from planner.models.layers.block import Block, LayerSpec, linear, norm
from planner.models.layers.latent import INDEX_KEY_BYTES

SPARSE_RATIO = 4
"""Up to this ratio a layer picks entries by an indexer; above it, it attends to all of them."""


def compressed(keys: Keys, spec: LayerSpec) -> Block:
    """One layer. ``compression`` (0: none) is the number of tokens that one entry stands for."""
    ratio, dim = keys.count("compression", 0, minimum=0), keys.count("head_dim")
    sparse = 0 < ratio <= SPARSE_RATIO
    rope = keys.count("qk_rope_head_dim", minimum=0)
    mixer = LatentAttention(
        num_q_heads=keys.count("num_attention_heads", maximum=MAX_HEADS),
        q_lora_rank=keys.count("q_lora_rank"),
        kv_lora_rank=max(dim - rope, 1),
        qk_nope_head_dim=max(dim - rope, 0),
        qk_rope_head_dim=rope,
        v_head_dim=dim,
        top_k=keys.count("index_topk") if sparse else None,
        index_heads=keys.count("index_n_heads") if sparse else 0,
        index_head_dim=keys.count("index_head_dim") if sparse else 0,
        compression=max(ratio, 1),
        window=spec.window,
    )
    tensors = [*_projections(keys, mixer), *_compressor(keys, ratio)]
    tensors += _indexer(keys, ratio) if sparse else []
    return Block(tuple(tensors), tuple(_caches(keys, spec, ratio)), (mixer,))


def _caches(keys: Keys, spec: LayerSpec, ratio: int) -> Iterator[Cache]:
    dim = keys.count("head_dim")
    yield Cache("sliding", dim, window=spec.window)
    if ratio:
        yield Cache("compressed", dim, compression=ratio)
    if 0 < ratio <= SPARSE_RATIO:
        index = keys.count("index_head_dim")
        yield Cache("indexer", index, compression=ratio, element_bytes=INDEX_KEY_BYTES)


def _projections(keys: Keys, mixer: LatentAttention) -> Iterator[Tensor]:
    """Queries through a low rank, one K=V head, the output in groups through a low rank."""
    hidden, dim, heads = keys.count("hidden_size"), keys.count("head_dim"), mixer.num_q_heads
    rank, groups = mixer.q_lora_rank or hidden, keys.count("o_groups")
    out = groups * keys.count("o_lora_rank")
    yield from linear("attn.wq_a", rank, hidden, part="attention")
    yield from norm("attn.q_norm", rank)
    yield from linear("attn.wq_b", heads * dim, rank, part="attention", shard="column")
    yield from linear("attn.wkv", dim, hidden, part="attention")
    yield from norm("attn.kv_norm", dim)
    yield from linear("attn.wo_a", out, heads * dim // groups, part="attention", shard="column")
    yield from linear("attn.wo_b", hidden, out, part="attention", shard="row")
    yield Tensor("attn.attn_sink", (heads,), "attention", "column")


def _compressor(keys: Keys, ratio: int) -> Iterator[Tensor]:
    """Weighs the tokens of a window into one entry; sparse layers overlap two windows and hold two sets of rows."""
    if not ratio:
        return
    hidden, dim = keys.count("hidden_size"), keys.count("head_dim")
    rows = dim * (2 if ratio <= SPARSE_RATIO else 1)
    yield Tensor("attn.compressor.ape", (ratio, rows), "attention")
    yield from linear("attn.compressor.wkv", rows, hidden, part="attention", quantized=False)
    yield from linear("attn.compressor.wgate", rows, hidden, part="attention", quantized=False)
    yield from norm("attn.compressor.norm", dim)


def _indexer(keys: Keys, ratio: int) -> Iterator[Tensor]:
    hidden, dim, heads = keys.count("hidden_size"), keys.count("index_head_dim"), keys.count("index_n_heads")
    prefix = "attn.indexer"
    yield from linear(f"{prefix}.wq_b", heads * dim, keys.count("q_lora_rank"), part="indexer")
    yield from linear(f"{prefix}.weights_proj", heads, hidden, part="indexer", quantized=False)
    yield Tensor(f"{prefix}.compressor.ape", (ratio, 2 * dim), "indexer")
    yield from linear(f"{prefix}.compressor.wkv", 2 * dim, hidden, part="indexer", quantized=False)
    yield from linear(f"{prefix}.compressor.wgate", 2 * dim, hidden, part="indexer", quantized=False)
    yield from norm(f"{prefix}.compressor.norm", dim)
