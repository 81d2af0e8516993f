"""Linear attention with a matrix state per head: gated delta net, KDA, lightning attention; and short convolutions."""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Recurrent, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear, norm
from planner.models.layers.state import state_caches


def gated_delta(keys: Keys, spec: LayerSpec) -> Block:
    """Gated delta net (arXiv:2412.06464): value heads with a ``key_dim × value_dim`` state, fewer key heads."""
    key_heads, value_heads = keys.count("linear_num_key_heads"), keys.count("linear_num_value_heads")
    key_dim, value_dim = keys.count("linear_key_head_dim"), keys.count("linear_value_head_dim")
    key_rows, value_rows = key_heads * key_dim, value_heads * value_dim
    window = keys.count("linear_conv_kernel_dim") - 1
    state, conv = value_heads * key_dim * value_dim, (2 * key_rows + value_rows) * window
    mixer = Recurrent("gated-delta", value_heads, key_dim, value_dim, state, conv)
    tensors = tuple(_delta_tensors(keys, key_rows, value_rows, value_heads))
    return Block(tensors, state_caches(keys, mixer), (mixer,))


def _delta_tensors(keys: Keys, key_rows: int, value_rows: int, heads: int) -> Iterator[Tensor]:
    """Everything is cut by head, but the norm of one head's output."""
    prefix, hidden = keys.text("linear_module", "linear_attn"), keys.count("hidden_size")
    qkv, z, b, a = keys.words("delta_names", "in_proj_qkv in_proj_z in_proj_b in_proj_a")
    rows = 2 * key_rows + value_rows
    for name, size in ((qkv, rows), (z, value_rows)):
        yield from linear(f"{prefix}.{name}", size, hidden, part="recurrent", shard="column")
    for name in (b, a):
        yield from linear(f"{prefix}.{name}", heads, hidden, part="recurrent", shard="column", quantized=False)
    yield Tensor(f"{prefix}.conv1d", (rows, 1, keys.count("linear_conv_kernel_dim")), "recurrent", "column")
    for each in ("A_log", "dt_bias"):
        yield Tensor(f"{prefix}.{each}", (heads,), "recurrent", "column")
    yield from norm(f"{prefix}.norm", keys.count("linear_value_head_dim"))
    yield from linear(f"{prefix}.out_proj", hidden, value_rows, part="recurrent", shard="row")


def kda(keys: Keys, spec: LayerSpec) -> Block:
    """Kimi delta attention (arXiv:2510.26692): a delta net with a gate per channel; state in fp32."""
    heads = keys.count("linear_num_heads", keys.count("num_attention_heads"))
    dim = keys.count("linear_head_dim", keys.optional("head_dim") or 128)
    rows, width = heads * dim, keys.count("linear_conv_kernel_dim")
    mixer = Recurrent("kda", heads, dim, dim, rows * dim, 3 * rows * (width - 1))
    tensors = tuple(_kda_tensors(keys, heads, dim, width))
    return Block(tensors, state_caches(keys, mixer, dtype="float32"), (mixer,))


def _kda_tensors(keys: Keys, heads: int, dim: int, width: int) -> Iterator[Tensor]:
    hidden, rows, prefix = keys.count("hidden_size"), heads * dim, "self_attn"
    for name in ("q_proj", "k_proj", "v_proj"):
        yield from linear(f"{prefix}.{name}", rows, hidden, part="recurrent", shard="column")
    yield Tensor(f"{prefix}.conv1d", (3 * rows, 1, width), "recurrent", "column")
    yield Tensor(f"{prefix}.A_log", (heads,), "recurrent", "column")
    yield Tensor(f"{prefix}.dt_bias", (rows,), "recurrent", "column")
    yield from linear(f"{prefix}.b_proj", heads, hidden, part="recurrent", shard="column", quantized=False)
    yield from _gate(keys, "f", hidden, dim, rows, full=keys.flag("full_rank_forget_gate"))
    yield from _gate(keys, "g", hidden, dim, rows, full=keys.flag("full_rank_output_gate"))
    yield from norm(f"{prefix}.o_norm", dim)
    yield from linear(f"{prefix}.o_proj", hidden, rows, part="recurrent", shard="row")


def _gate(keys: Keys, letter: str, hidden: int, dim: int, rows: int, *, full: bool) -> Iterator[Tensor]:
    """A gate per channel, straight or through one head's width."""
    if full:
        yield from linear(f"self_attn.{letter}_proj", rows, hidden, part="recurrent", shard="column")
        return
    yield from linear(f"self_attn.{letter}_a_proj", dim, hidden, part="recurrent")
    yield from linear(f"self_attn.{letter}_b_proj", rows, dim, part="recurrent", shard="column")


def lightning(keys: Keys, spec: LayerSpec) -> Block:
    """Lightning attention (arXiv:2401.04658): a decayed ``head_dim × head_dim`` state per head in fp32."""
    heads, hidden = keys.count("num_attention_heads"), keys.count("hidden_size")
    dim = keys.optional("head_dim") or max(hidden // heads, 1)
    rows = heads * dim
    mixer = Recurrent("lightning", heads, dim, dim, rows * dim)
    return Block(tuple(_lightning_tensors(hidden, rows)), state_caches(keys, mixer, dtype="float32"), (mixer,))


def _lightning_tensors(hidden: int, rows: int) -> Iterator[Tensor]:
    yield from linear("self_attn.qkv_proj", 3 * rows, hidden, part="recurrent", shard="column")
    yield from linear("self_attn.output_gate", rows, hidden, part="recurrent", shard="column")
    yield Tensor("self_attn.norm", (rows,), "norm", "column")
    yield from linear("self_attn.out_proj", hidden, rows, part="recurrent", shard="row")


def short_conv(keys: Keys, spec: LayerSpec) -> Block:
    """A gated convolution over the last few tokens (LFM2): no state but its window."""
    hidden, width, bias = keys.count("hidden_size"), keys.count("conv_width"), keys.flag("conv_bias")
    prefix = keys.text("conv_module", "conv")
    mixer = Recurrent("short-conv", 1, hidden, 1, 0, hidden * (width - 1))
    tensors = [
        *linear(f"{prefix}.in_proj", 3 * hidden, hidden, part="recurrent", shard="column", bias=bias),
        Tensor(f"{prefix}.conv", (hidden, 1, width), "recurrent", "column"),
        *([Tensor(f"{prefix}.conv.bias", (hidden,), "recurrent", "column")] if bias else []),
        *linear(f"{prefix}.out_proj", hidden, hidden, part="recurrent", shard="row", bias=bias),
    ]
    return Block(tuple(tensors), state_caches(keys, mixer, conv_heads=hidden), (mixer,))
