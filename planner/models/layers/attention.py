"""Softmax attention with separate K and V: MHA, GQA, MQA, full, sliding or chunked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.models.architecture import Attention, Cache, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear, norm


@dataclass(frozen=True, slots=True)
class Heads:
    """Head counts and sizes of one attention."""

    q: int
    kv: int
    dim: int
    v_dim: int


def read_heads(keys: Keys) -> Heads:
    """Heads by key; ``head_dim`` absent means ``hidden_size / num_attention_heads``, KV heads absent means MHA."""
    q = keys.count("num_attention_heads", maximum=1 << 20)
    kv = keys.optional("num_key_value_heads") or q
    dim = keys.optional("head_dim") or keys.count("hidden_size") // q
    return Heads(q, kv, dim, keys.optional("v_head_dim") or dim)


def attention(keys: Keys, spec: LayerSpec) -> Block:
    """One attention block. Per token it keeps ``kv_heads × (head_dim + v_head_dim)`` elements."""
    heads = read_heads(keys)
    shares = keys.flag("reads_shared_kv")
    cache = Cache("sliding" if spec.window else "full", heads.kv * (heads.dim + heads.v_dim), heads.kv, spec.window)
    mixer = Attention(heads.q, heads.kv, heads.dim, heads.v_dim, spec.window, shares)
    return Block(tuple(_tensors(keys, heads, shares)), () if shares else (cache,), (mixer,))


def _tensors(keys: Keys, heads: Heads, shares: bool) -> Iterator[Tensor]:
    yield from _inputs(keys, heads, shares)
    prefix, hidden = keys.text("attention_module", "self_attn"), keys.count("hidden_size")
    bias = keys.flag("attention_output_bias", keys.flag("attention_bias"))
    output = keys.text("output_name", "o_proj")
    yield from linear(f"{prefix}.{output}", hidden, heads.q * heads.v_dim, part="attention", shard="row", bias=bias)
    yield from _qk_norm(keys, heads, prefix, shares)
    if keys.flag("attention_sinks"):
        yield Tensor(f"{prefix}.sinks", (heads.q,), "attention", "column")


def _inputs(keys: Keys, heads: Heads, shares: bool) -> Iterator[Tensor]:
    """Q, K and V. An output gate doubles Q's rows; layers that share KV or equate K and V lack the missing ones."""
    prefix, hidden = keys.text("attention_module", "self_attn"), keys.count("hidden_size")
    bias = keys.flag("qkv_bias", keys.flag("attention_bias"))
    gate = 2 if keys.flag("attention_output_gate") else 1
    rows = heads.q * heads.dim * gate
    yield from linear(f"{prefix}.q_proj", rows, hidden, part="attention", shard="column", bias=bias)
    if keys.flag("attention_head_gate"):
        yield from linear(f"{prefix}.g_proj", heads.q, hidden, part="attention", shard="column", quantized=False)
    wanted = [] if shares else [("k_proj", heads.dim, bias and keys.flag("k_bias", True))]
    if not shares and not keys.flag("k_equals_v"):
        wanted.append(("v_proj", heads.v_dim, bias))
    for name, dim, has_bias in wanted:
        rows = heads.kv * dim
        yield from linear(f"{prefix}.{name}", rows, hidden, part="attention", shard="kv", heads=heads.kv, bias=has_bias)


def _qk_norm(keys: Keys, heads: Heads, prefix: str, shares: bool) -> Iterator[Tensor]:
    """Norms on Q and K: ``head`` over one head's vector shared by all, ``full`` over the projection, ``each`` per head."""
    kind = keys.text("qk_norm", "none")
    if kind == "none":
        return
    form = keys.text("qk_norm_kind", "rms")
    q_name, k_name = keys.text("qk_norm_names", "q_norm k_norm").split()
    yield from norm(f"{prefix}.{q_name}", heads.dim if kind == "head" else heads.q * heads.dim, form)
    if not shares:
        yield from norm(f"{prefix}.{k_name}", heads.dim if kind == "head" else heads.kv * heads.dim, form)
