"""Multi-head latent attention (MLA; DeepSeek-V2, arXiv:2405.04434) and the sparse indexer on top (DeepSeek-V3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Cache, LatentAttention, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.attention import MAX_HEADS
from planner.models.layers.block import Block, LayerSpec, linear, norm

INDEX_KEY_BYTES = (128 + 4) / 128
"""The indexer keeps its keys in fp8 with one fp32 scale per 128 (DeepSeek-V3.2 report): 132 bytes per 128 elements."""


def latent(keys: Keys, spec: LayerSpec) -> Block:
    """MLA: one latent of ``kv_lora_rank + qk_rope_head_dim`` per token, whole on every tensor-parallel rank."""
    mixer = _mixer(keys, spec)
    caches = [Cache("latent", mixer.kv_lora_rank + mixer.qk_rope_head_dim, window=spec.window)]
    tensors = list(_projections(keys, mixer))
    if mixer.top_k and keys.flag("has_indexer", True):
        tensors += _indexer(keys, mixer)
        pool = keys.optional("index_kpool") or 1
        caches.append(Cache("indexer", mixer.index_head_dim, compression=pool, element_bytes=INDEX_KEY_BYTES))
    return Block(tuple(tensors), tuple(caches), (mixer,))


def _mixer(keys: Keys, spec: LayerSpec) -> LatentAttention:
    top_k = keys.optional("index_topk")
    has_indexer = top_k is not None and keys.flag("has_indexer", True)
    return LatentAttention(
        num_q_heads=keys.count("num_attention_heads", maximum=MAX_HEADS),
        q_lora_rank=keys.optional("q_lora_rank"),
        kv_lora_rank=keys.count("kv_lora_rank"),
        qk_nope_head_dim=keys.count("qk_nope_head_dim"),
        qk_rope_head_dim=keys.count("qk_rope_head_dim", minimum=0),
        v_head_dim=keys.count("v_head_dim"),
        top_k=top_k,
        index_heads=keys.count("index_n_heads") if has_indexer else 0,
        index_head_dim=keys.count("index_head_dim") if has_indexer else 0,
        window=spec.window,
    )


def _projections(keys: Keys, mixer: LatentAttention) -> Iterator[Tensor]:
    """Down-projections and their norms are whole on every rank, up-projections cut by head, as engines load them."""
    heads, bias = mixer.num_q_heads, keys.flag("attention_bias")
    yield from _query(keys, mixer, bias)
    hidden, rows = keys.count("hidden_size"), mixer.kv_lora_rank + mixer.qk_rope_head_dim
    yield from linear("self_attn.kv_a_proj_with_mqa", rows, hidden, part="attention", bias=bias)
    yield from norm("self_attn.kv_a_layernorm", mixer.kv_lora_rank)
    rows = heads * (mixer.qk_nope_head_dim + mixer.v_head_dim)
    yield from linear("self_attn.kv_b_proj", rows, mixer.kv_lora_rank, part="attention", shard="column")
    into, name = heads * mixer.v_head_dim, keys.text("latent_output_name", "self_attn.o_proj")
    yield from linear(name, hidden, into, part="attention", shard="row", bias=bias)


def _query(keys: Keys, mixer: LatentAttention, bias: bool) -> Iterator[Tensor]:
    rows, hidden = mixer.num_q_heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim), keys.count("hidden_size")
    rank = mixer.q_lora_rank
    if rank is None:
        yield from linear("self_attn.q_proj", rows, hidden, part="attention", shard="column")
        return
    yield from linear("self_attn.q_a_proj", rank, hidden, part="attention", bias=bias)
    yield from norm("self_attn.q_a_layernorm", rank)
    yield from linear("self_attn.q_b_proj", rows, rank, part="attention", shard="column")


def _indexer(keys: Keys, mixer: LatentAttention) -> Iterator[Tensor]:
    """The lightning indexer: queries from the Q latent, one key and a weight per head from the hidden state."""
    hidden, dim = keys.count("hidden_size"), mixer.index_head_dim
    rows, rank = mixer.index_heads * dim, mixer.q_lora_rank or hidden
    yield from linear("self_attn.indexer.wq_b", rows, rank, part="indexer")
    yield from linear("self_attn.indexer.wk", dim, hidden, part="indexer")
    yield from norm("self_attn.indexer.k_norm", dim, "layer")
    name = "self_attn.indexer.weights_proj"
    yield from linear(name, mixer.index_heads, hidden, part="indexer", quantized=False)
    pool = keys.optional("index_kpool")
    if pool:
        yield Tensor("self_attn.indexer.index_kpool_compress_ape", (pool, dim), "indexer")
        yield Tensor("self_attn.indexer.index_kpool_compress_gate", (dim, hidden), "indexer")
