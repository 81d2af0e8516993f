"""State-space layers: Mamba (arXiv:2312.00752) and Mamba-2 (arXiv:2405.21060)."""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Recurrent, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear, norm
from planner.models.layers.state import state_caches


def mamba2(keys: Keys, spec: LayerSpec) -> Block:
    """Heads with a state of ``head_dim × state_size`` each; B and C are shared by groups of heads."""
    heads, head_dim = _heads(keys)
    state, groups = keys.count("mamba_d_state"), keys.count("mamba_n_groups", 1)
    inner = heads * head_dim
    conv = (inner + 2 * groups * state) * (keys.count("mamba_d_conv") - 1)
    mixer = Recurrent("mamba2", heads, state, head_dim, inner * state, conv)
    tensors = tuple(_mamba2_tensors(keys, inner, heads, groups * state))
    return Block(tensors, state_caches(keys, mixer), (mixer,))


def _heads(keys: Keys) -> tuple[int, int]:
    """Number and size of heads; the inner width is named or ``expand × hidden_size``."""
    inner = keys.optional("mamba_inner_size") or keys.count("mamba_expand", 2) * keys.count("hidden_size")
    head_dim = None if keys.raw("mamba_d_head") == "auto" else keys.optional("mamba_d_head")
    heads = keys.optional("mamba_n_heads") or (inner // head_dim if head_dim else 0)
    return max(heads, 1), head_dim or max(inner // max(heads, 1), 1)


def _mamba2_tensors(keys: Keys, inner: int, heads: int, group_rows: int) -> Iterator[Tensor]:
    """Gate, x and dt are cut by head; B and C by group, and whole on each rank where groups are fewer than ranks."""
    prefix, hidden = keys.text("mamba_module", "mamba"), keys.count("hidden_size")
    groups, bias = keys.count("mamba_n_groups", 1), keys.flag("mamba_proj_bias")
    name = f"{prefix}.in_proj"
    yield from linear(name, 2 * inner + heads, hidden, part="recurrent", shard="column", bias=bias)
    yield from linear(name, 2 * group_rows, hidden, part="recurrent", shard="kv", heads=groups, bias=bias)
    width = keys.count("mamba_d_conv")
    yield Tensor(f"{prefix}.conv1d", (inner, 1, width), "recurrent", "column")
    yield Tensor(f"{prefix}.conv1d", (2 * group_rows, 1, width), "recurrent", "kv", groups)
    if keys.flag("mamba_conv_bias", True):
        yield Tensor(f"{prefix}.conv1d.bias", (inner + 2 * group_rows,), "recurrent", "column")
    for each in ("A_log", "D", "dt_bias"):
        yield Tensor(f"{prefix}.{each}", (heads,), "recurrent", "column")
    if keys.flag("mamba_rms_norm", True):
        yield Tensor(f"{prefix}.norm", (inner,), "norm", "column")
    yield from linear(f"{prefix}.out_proj", hidden, inner, part="recurrent", shard="row", bias=bias)


def mamba1(keys: Keys, spec: LayerSpec) -> Block:
    """Every channel has a state of its own; the step size comes through a low rank."""
    hidden, state = keys.count("hidden_size"), keys.count("mamba_d_state")
    inner = keys.optional("mamba_inner_size") or keys.count("mamba_expand", 2) * hidden
    conv = keys.count("mamba_d_conv")
    mixer = Recurrent("mamba", inner, state, 1, inner * state, inner * (conv - 1))
    return Block(tuple(_mamba1_tensors(keys, inner, state)), state_caches(keys, mixer), (mixer,))


def _mamba1_tensors(keys: Keys, inner: int, state: int) -> Iterator[Tensor]:
    prefix, hidden, bias = keys.text("mamba_module", "mixer"), keys.count("hidden_size"), keys.flag("mamba_proj_bias")
    rank = keys.optional("time_step_rank") or -(-hidden // 16)
    yield from linear(f"{prefix}.in_proj", 2 * inner, hidden, part="recurrent", shard="column", bias=bias)
    yield Tensor(f"{prefix}.conv1d", (inner, 1, keys.count("mamba_d_conv")), "recurrent", "column")
    if keys.flag("mamba_conv_bias", True):
        yield Tensor(f"{prefix}.conv1d.bias", (inner,), "recurrent", "column")
    yield from linear(f"{prefix}.x_proj", rank + 2 * state, inner, part="recurrent", shard="row")
    yield from linear(f"{prefix}.dt_proj", inner, rank, part="recurrent", shard="column", bias=True)
    yield Tensor(f"{prefix}.A_log", (inner, state), "recurrent", "column")
    yield Tensor(f"{prefix}.D", (inner,), "recurrent", "column")
    if keys.flag("mamba_inner_norms"):
        for name, size in (("dt_layernorm", rank), ("b_layernorm", state), ("c_layernorm", state)):
            yield from norm(f"{prefix}.{name}", size)
    yield from linear(f"{prefix}.out_proj", hidden, inner, part="recurrent", shard="row", bias=bias)
