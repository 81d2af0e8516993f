"""MLPs and mixtures of experts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.models.architecture import Dense, MoE, Part, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear

MAX_EXPERTS = 1 << 16
NAMES = "mlp.gate_proj mlp.up_proj mlp.down_proj"
EXPERTS = "mlp.experts.gate_proj mlp.experts.up_proj mlp.experts.down_proj"
SHARED = "mlp.shared_experts.gate_proj mlp.shared_experts.up_proj mlp.shared_experts.down_proj"


def dense(keys: Keys, spec: LayerSpec) -> Block:
    """A plain MLP, gated (gate, up, down) or not (up, down)."""
    width = keys.optional("dense_intermediate_size") or keys.optional("intermediate_size") or _default_width(keys)
    width = _adjusted(keys, width)
    gated, names = keys.flag("gated", True), keys.words("mlp_names", NAMES)
    return Block(tuple(mlp(keys, names, width, gated=gated, part="mlp")), feed_forward=Dense(width, gated))


def _adjusted(keys: Keys, width: int) -> int:
    """Widths that count gate and up together, and those that LFM2 shrinks to two thirds and rounds up."""
    if keys.flag("halve_intermediate"):
        return width // 2
    if not keys.flag("block_auto_adjust_ff_dim"):
        return width
    multiple = keys.optional("block_multiple_of") or 1
    scaled = int(keys.number("block_ffn_dim_multiplier", 1.0) * int(2 * width / 3))
    return -(-scaled // multiple) * multiple


def _default_width(keys: Keys) -> int:
    """Where a config leaves the width open, it is ``mlp_ratio`` (4) times the hidden size."""
    return keys.count("hidden_size") * keys.count("mlp_ratio", 4)


def mlp(keys: Keys, names: Sequence[str], width: int, *, gated: bool, part: Part) -> Iterator[Tensor]:
    """The projections of one MLP: gate and up cut by column, down by row."""
    hidden, bias = keys.count("hidden_size"), keys.flag("mlp_bias")
    gate, up, down = names
    for name in (gate, up) if gated else (up,):
        yield from linear(name, width, hidden, part=part, shard="column", bias=bias)
    yield from linear(down, hidden, width, part=part, shard="row", bias=bias)


def moe(keys: Keys, spec: LayerSpec) -> Block:
    """A router, routed experts and what every token passes besides."""
    shape = _shape(keys)
    return Block((*_router(keys, shape), *_experts(keys, shape), *_shared(keys, shape)), feed_forward=shape)


def _shape(keys: Keys) -> MoE:
    experts = keys.count("num_experts", maximum=MAX_EXPERTS)
    width = keys.optional("moe_intermediate_size") or keys.count("intermediate_size")
    count, shared = _shared_size(keys, width)
    return MoE(
        num_experts=experts,
        experts_per_token=keys.count("num_experts_per_tok", maximum=experts),
        intermediate_size=width,
        num_shared_experts=count,
        shared_intermediate_size=shared,
        gated=keys.flag("moe_gated", keys.flag("gated", True)),
        latent_size=keys.optional("moe_latent_size") or 0,
    )


def _shared_size(keys: Keys, width: int) -> tuple[int, int]:
    """Number of shared experts and their width together: named as a whole, or one expert's width times their number."""
    count = keys.optional("num_shared_experts") or 0
    whole = keys.optional("shared_expert_intermediate_size")
    if whole:
        return max(count, 1), whole * (count if keys.flag("shared_size_is_each") and count else 1)
    return count, count * width


def _router(keys: Keys, shape: MoE) -> Iterator[Tensor]:
    hidden, bias = keys.count("hidden_size"), keys.flag("router_bias")
    name = keys.text("router_name", "mlp.gate")
    rows = shape.num_experts + keys.count("extra_router_rows", 0, minimum=0)
    yield from linear(name, rows, hidden, part="router", quantized=False, bias=bias)


def _experts(keys: Keys, shape: MoE) -> Iterator[Tensor]:
    """All experts of a layer as one tensor per projection, as engines stack them; some work in a smaller space."""
    hidden, width, count = keys.count("hidden_size"), shape.intermediate_size, shape.num_experts
    gate, up, down = keys.words("expert_names", EXPERTS)
    inner, bias = shape.latent_size or hidden, keys.flag("expert_bias")
    for name in (gate, up) if shape.gated else (up,):
        yield Tensor(name, (count, width, inner), "experts", "experts", quantized=True)
        if bias:
            yield Tensor(f"{name}_bias", (count, width), "experts", "experts")
    yield Tensor(down, (count, inner, width), "experts", "experts", quantized=True)
    if bias:
        yield Tensor(f"{down}_bias", (count, inner), "experts", "experts")
    if shape.latent_size:
        into, out = keys.words("latent_expert_names", "mlp.fc1_latent_proj mlp.fc2_latent_proj")
        yield from linear(into, inner, hidden, part="shared_experts")
        yield from linear(out, hidden, inner, part="shared_experts")


def _shared(keys: Keys, shape: MoE) -> Iterator[Tensor]:
    if not shape.shared_intermediate_size:
        return
    names = keys.words("shared_expert_names", SHARED)
    width = shape.shared_intermediate_size
    yield from mlp(keys, names, width, gated=shape.gated, part="shared_experts")
    if keys.flag("shared_expert_gate"):
        yield Tensor(f"{names[0].rpartition('.')[0]}_gate", (1, keys.count("hidden_size")), "shared_experts")
