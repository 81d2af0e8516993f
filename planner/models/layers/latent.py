"""Multi-head latent attention (MLA; DeepSeek-V2, arXiv:2405.04434) and the sparse indexer on top of it (DeepSeek-V3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Cache, LatentAttention, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear, norm

INDEX_KEY_BYTES = (128 + 4) / 128
"""The indexer keeps its keys in fp8 with one fp32 scale per 128 (DeepSeek-V3.2 report): 132 bytes per 128 elements."""


def latent(keys: Keys, spec: LayerSpec) -> Block:
    """MLA: one latent of ``kv_lora_rank + qk_rope_head_dim`` per token, whole on every tensor-parallel rank."""
    mixer = LatentAttention(
        num_q_heads=keys.count("num_attention_heads", maximum=1 << 20),
        q_lora_rank=keys.optional("q_lora_rank"),
        kv_lora_rank=keys.count("kv_lora_rank"),
        qk_nope_head_dim=keys.count("qk_nope_head_dim"),
        qk_rope_head_dim=keys.count("qk_rope_head_dim", minimum=0),
        v_head_dim=keys.count("v_head_dim"),
        top_k=keys.optional("index_topk"),
        index_heads=keys.optional("index_n_heads") or 0,
        index_head_dim=keys.optional("index_head_dim") or 0,
        window=spec.window,
    )
    caches = [Cache("latent", mixer.kv_lora_rank + mixer.qk_rope_head_dim, window=spec.window)]
    tensors = list(_projections(keys, mixer))
    if mixer.index_heads and keys.flag("has_indexer", True):
        tensors += _indexer(keys, mixer)
        caches.append(_index_cache(keys, mixer))
    return Block(tuple(tensors), tuple(caches), (mixer,))


def _index_cache(keys: Keys, mixer: LatentAttention) -> Cache:
    pool = keys.optional("index_kpool") or 1
    return Cache("indexer", mixer.index_head_dim, compression=pool, element_bytes=INDEX_KEY_BYTES)


def _projections(keys: Keys, mixer: LatentAttention) -> Iterator[Tensor]:
    """Down-projections and their norms are replicated, up-projections cut by head (vLLM ``MultiHeadLatentAttention``)."""
    hidden, heads = keys.count("hidden_size"), mixer.num_q_heads
    bias = keys.flag("attention_bias")
    q_rows = heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim)
    if mixer.q_lora_rank:
        rank = mixer.q_lora_rank
        yield from linear("self_attn.q_a_proj", rank, hidden, part="attention", shard="replicated", bias=bias)
        yield from norm("self_attn.q_a_layernorm", rank)
        yield from linear("self_attn.q_b_proj", q_rows, rank, part="attention", shard="column")
    else:
        yield from linear("self_attn.q_proj", q_rows, hidden, part="attention", shard="column")
    kv_rows = mixer.kv_lora_rank + mixer.qk_rope_head_dim
    yield from linear("self_attn.kv_a_proj_with_mqa", kv_rows, hidden, part="attention", shard="replicated", bias=bias)
    yield from norm("self_attn.kv_a_layernorm", mixer.kv_lora_rank)
    up_rows = heads * (mixer.qk_nope_head_dim + mixer.v_head_dim)
    yield from linear("self_attn.kv_b_proj", up_rows, mixer.kv_lora_rank, part="attention", shard="column")
    yield from linear("self_attn.o_proj", hidden, heads * mixer.v_head_dim, part="attention", shard="row", bias=bias)


def _indexer(keys: Keys, mixer: LatentAttention) -> Iterator[Tensor]:
    """The lightning indexer: queries from the Q latent, one key and one weight per head from the hidden state."""
    hidden, dim = keys.count("hidden_size"), mixer.index_head_dim
    into = mixer.q_lora_rank or hidden
    prefix = "self_attn.indexer"
    yield from linear(f"{prefix}.wq_b", mixer.index_heads * dim, into, part="indexer", shard="replicated")
    yield from linear(f"{prefix}.wk", dim, hidden, part="indexer", shard="replicated")
    yield from norm(f"{prefix}.k_norm", dim, "layer")
    yield from linear(
        f"{prefix}.weights_proj", mixer.index_heads, hidden, part="indexer", shard="replicated", quantized=False
    )
