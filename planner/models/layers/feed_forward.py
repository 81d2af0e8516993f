"""MLPs and mixtures of experts."""

from __future__ import annotations

from collections.abc import Iterator

from planner.models.architecture import Dense, MoE, Part, Tensor
from planner.models.config_keys import Keys
from planner.models.layers.block import Block, LayerSpec, linear


def dense(keys: Keys, spec: LayerSpec) -> Block:
    """A plain MLP, gated (gate, up, down) or not (up, down)."""
    width, gated = keys.count("intermediate_size"), keys.flag("gated", True)
    tensors = mlp(keys, keys.text("mlp_module", "mlp"), width, gated=gated, part="mlp")
    return Block(tuple(tensors), feed_forward=Dense(width, gated))


def mlp(keys: Keys, prefix: str, width: int, *, gated: bool, part: Part) -> Iterator[Tensor]:
    """The projections of one MLP: gate and up cut by column, down by row."""
    hidden, bias = keys.count("hidden_size"), keys.flag("mlp_bias")
    gate, up, down = keys.text("mlp_names", "gate_proj up_proj down_proj").split()
    for name in (gate, up) if gated else (up,):
        yield from linear(f"{prefix}.{name}", width, hidden, part=part, shard="column", bias=bias)
    yield from linear(f"{prefix}.{down}", hidden, width, part=part, shard="row", bias=bias)


def moe(keys: Keys, spec: LayerSpec) -> Block:
    """A router, routed experts and what every token passes besides."""
    shape = _shape(keys)
    return Block(tuple(_moe_tensors(keys, shape)), feed_forward=shape)


def _shape(keys: Keys) -> MoE:
    experts = keys.count("num_experts", maximum=1 << 20)
    width = keys.optional("moe_intermediate_size") or keys.count("intermediate_size")
    count = keys.optional("num_shared_experts") or 0
    shared = keys.optional("shared_expert_intermediate_size") or (keys.optional("shared_expert_size") or width) * count
    return MoE(
        num_experts=experts,
        experts_per_token=keys.count("num_experts_per_tok", maximum=experts),
        intermediate_size=width,
        num_shared_experts=count or (1 if shared else 0),
        shared_intermediate_size=shared,
        gated=keys.flag("gated", True),
    )


def _moe_tensors(keys: Keys, shape: MoE) -> Iterator[Tensor]:
    prefix, hidden = keys.text("moe_module", "mlp"), keys.count("hidden_size")
    router = keys.text("router_name", "gate")
    yield from linear(
        f"{prefix}.{router}", shape.num_experts, hidden, part="router", shard="replicated", quantized=False,
        bias=keys.flag("router_bias"),
    )  # fmt: skip
    yield from _experts(keys, shape, prefix)
    if shape.shared_intermediate_size:
        shared = f"{prefix}.{keys.text('shared_expert_module', 'shared_experts')}"
        width = shape.shared_intermediate_size
        yield from mlp(keys, shared, width, gated=shape.gated, part="shared_experts")
        if keys.flag("shared_expert_gate"):
            yield Tensor(f"{shared}_gate", (1, hidden), "shared_experts")


def _experts(keys: Keys, shape: MoE, prefix: str) -> Iterator[Tensor]:
    """All experts of a layer as one tensor per projection, as engines stack them."""
    hidden, width, count = keys.count("hidden_size"), shape.intermediate_size, shape.num_experts
    gate, up, down = keys.text("expert_names", "gate_proj up_proj down_proj").split()
    into = ((gate, up) if shape.gated else (up,)) if gate != up else (up,)
    rows = width * 2 if gate == up and shape.gated else width
    for name, size in (*((n, (rows, hidden)) for n in into), (down, (hidden, width))):
        module = f"{prefix}.experts.{name}"
        yield Tensor(module, (count, *size), "experts", "experts", quantized=True)
        if keys.flag("expert_bias"):
            yield Tensor(f"{module}.bias", (count, size[0]), "experts", "experts")
