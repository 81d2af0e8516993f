"""Softmax attention with separate K and V: MHA, GQA, MQA, full, sliding or chunked; with a block indexer or without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from planner.models.architecture import Attention, Cache, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear, norm

MAX_HEADS = 1 << 16
NAMES = "self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj"


class Heads(NamedTuple):
    """Head counts and sizes of one attention."""

    q: int
    kv: int
    dim: int
    v_dim: int


def read_heads(keys: Keys) -> Heads:
    """Heads by key; ``head_dim`` absent means ``hidden_size / num_attention_heads``, KV heads absent means MHA."""
    q = keys.count("num_attention_heads", maximum=MAX_HEADS)
    shared = keys.flag("multi_query") and not keys.flag("new_decoder_architecture")
    kv = 1 if shared else keys.optional("num_key_value_heads") or q
    dim = keys.optional("head_dim") or max(keys.count("attention_input_size", keys.count("hidden_size")) // q, 1)
    return Heads(q, kv, dim, keys.optional("v_head_dim") or dim)


def attention(keys: Keys, spec: LayerSpec) -> Block:
    """One attention block. Per token it keeps ``kv_heads × (head_dim + v_head_dim)`` elements."""
    heads, shares = read_heads(keys), keys.flag("shares_kv")
    mixer = Attention(heads.q, heads.kv, heads.dim, heads.v_dim, spec.window, shares)
    tensors = (*_projections(keys, heads, shares), *_qk_norm(keys, heads, shares), *_block_indexer(keys))
    return Block(tensors, tuple(_caches(keys, heads, spec)), (mixer,))


def _caches(keys: Keys, heads: Heads, spec: LayerSpec) -> Iterator[Cache]:
    if keys.flag("shares_kv") or not keys.flag("causal", True):
        return
    elements = heads.kv * (heads.dim + heads.v_dim)
    yield Cache("sliding" if spec.window else "full", elements, heads.kv, spec.window)
    if keys.flag("block_indexer"):
        yield Cache("indexer", keys.count("sparse_index_dim"), compression=keys.count("index_compression", 1))


def _projections(keys: Keys, heads: Heads, shares: bool) -> Iterator[Tensor]:
    """Q by head, K and V by KV head, O by input. An output gate doubles Q; shared or equal K and V are missing."""
    q_name, k_name, v_name, o_name = keys.words("attention_names", NAMES)
    hidden = keys.count("attention_input_size", keys.count("hidden_size"))
    bias = keys.flag("qkv_bias", keys.flag("attention_bias"))
    rows = heads.q * heads.dim * (2 if keys.flag("attention_output_gate") else 1)
    q_bias = keys.flag("q_bias", bias)
    yield from linear(q_name, rows, hidden, part="attention", shard="column", bias=q_bias)
    if not shares:
        k_bias, rows = keys.flag("k_bias", bias), heads.kv * heads.dim
        yield from linear(k_name, rows, hidden, part="attention", shard="kv", heads=heads.kv, bias=k_bias)
    if not shares and not keys.flag("k_equals_v"):
        v_bias, rows = keys.flag("v_bias", bias), heads.kv * heads.v_dim
        yield from linear(v_name, rows, hidden, part="attention", shard="kv", heads=heads.kv, bias=v_bias)
    bias = keys.flag("attention_output_bias", keys.flag("attention_bias"))
    into = heads.q * heads.v_dim
    yield from linear(o_name, keys.count("hidden_size"), into, part="attention", shard="row", bias=bias)
    if keys.flag("attention_sinks"):
        yield Tensor("self_attn.sinks", (heads.q,), "attention", "column")


def _qk_norm(keys: Keys, heads: Heads, shares: bool) -> Iterator[Tensor]:
    """Norms on Q and K: ``head`` one vector for all heads, ``full`` over the projection, ``each`` a vector per head."""
    kind = keys.text("qk_norm", "none")
    if kind == "none" or not keys.flag("use_qk_norm", True):
        return
    form = keys.text("qk_norm_kind", "rms")
    q_name, k_name = keys.words("qk_norm_names", "self_attn.q_norm self_attn.k_norm")
    yield from norm(q_name, heads.dim if kind == "head" else heads.q * heads.dim, form)
    if not shares:
        yield from norm(k_name, heads.dim if kind == "head" else heads.kv * heads.dim, form)


def _block_indexer(keys: Keys) -> Iterator[Tensor]:
    """Scores blocks of keys, of which the best are attended to: queries of a few heads, one key (MiniMax-M3)."""
    if not keys.flag("block_indexer"):
        return
    hidden, dim = keys.count("hidden_size"), keys.count("sparse_index_dim")
    rows = keys.count("sparse_num_index_heads") * dim
    yield from linear("self_attn.index_q_proj", rows, hidden, part="indexer")
    yield from linear("self_attn.index_k_proj", dim, hidden, part="indexer")
    yield from norm("self_attn.index_q_norm", dim)
    yield from norm("self_attn.index_k_norm", dim)
