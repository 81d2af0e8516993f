"""What the compute graph of llama.cpp is made of: sizes of the model, behaviour of the build, one micro-batch."""

from __future__ import annotations

import math
from typing import NamedTuple

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo, kept
from planner.memory.gguf_cache import cache_rules, context_cells, swa_cells
from planner.models.architecture import Architecture, Attention, Dense, LatentAttention, MoE
from planner.models.gguf_mix import host_only
from planner.resolved import Resolved

F32 = 4.0
"""Bytes of a number in a compute buffer."""


class Shape(NamedTuple):
    """The sizes that buffers depend on."""

    hidden: int
    vocab: int
    heads: int
    qkv_width: int
    """Floats a token of queries (three times), keys and values in the widest attention."""
    latent: LatentAttention | None
    experts: MoE | None
    dense_width: int
    window: int | None
    full: bool
    """Some layer attends to the whole context."""


class ComputeRules(NamedTuple):
    """Engine facts under ``gguf``."""

    copies: int
    """Pipeline copies over several GPUs when all layers lie on them."""
    offload_min_tokens: float
    """Prompt tokens per micro-batch from which host weights are streamed to a GPU; times experts over active experts
    where ``offload_by_expert``."""
    offload_by_expert: bool
    streamed_tensors: int
    """Expert tensors of one layer on the GPU at once (2 where gate and up are fused)."""
    expands_latent: bool
    reserves_logits: bool
    """Buffers hold the logits of a whole micro-batch."""
    mask_bytes: float
    other: ComputeRules | None = None
    """Of builds that behave differently, where nobody says which build runs."""


class Graph(NamedTuple):
    """All that buffers depend on besides the placement."""

    shape: Shape
    rules: ComputeRules
    ubatch: int
    cells: int
    masks: float
    """Bytes of the masks of the full and the windowed attention."""
    flash: bool
    most_scores: float
    """Bytes of attention scores at once at most."""
    latent: LatentAttention | None
    """MLA, unless the build keeps full K and V."""
    split_layers: bool
    streamable: bool
    """GPU kernels read the weights as they lie in host memory."""


_rules: IdentityMemo[ComputeRules] = IdentityMemo()


def compute_rules(resolved: Resolved) -> ComputeRules:
    """The engine's behaviour; newest llama.cpp where its profile says nothing."""
    return _rules.get(resolved.engine, None, None, lambda: _read(resolved.engine))


def _read(engine: EngineProfile) -> ComputeRules:
    fact = engine.fact
    rules = ComputeRules(
        copies=int(fact("gguf.pipeline_copies", 4)),
        offload_min_tokens=float(fact("gguf.offload_min_tokens", 32)),
        offload_by_expert=bool(fact("gguf.offload_by_expert", False)),
        streamed_tensors=int(fact("gguf.streamed_tensors", 1)),
        expands_latent=bool(fact("gguf.expands_latent", False)),
        reserves_logits=bool(fact("gguf.reserves_logits", True)),
        mask_bytes=float(fact("gguf.mask_bytes", 4)),
    )
    other = fact("gguf.other_build")
    return rules._replace(other=rules._replace(**other)) if other else rules


@kept
def shape_of(architecture: Architecture) -> Shape:
    """The sizes of an architecture, largest layer kind each."""
    mixers = [m for layer in architecture.layer_kinds for m in layer.mixers]
    attention = [m for m in mixers if isinstance(m, Attention)]
    latent = next((m for m in mixers if isinstance(m, LatentAttention)), None)
    experts = [k.feed_forward for k in architecture.layer_kinds if isinstance(k.feed_forward, MoE)]
    dense = [k.feed_forward for k in architecture.layer_kinds if isinstance(k.feed_forward, Dense)]
    windows = [m.window for m in attention if m.window]
    return Shape(
        hidden=architecture.hidden_size,
        vocab=architecture.vocab_size,
        heads=max((m.num_q_heads for m in mixers if isinstance(m, Attention | LatentAttention)), default=0),
        qkv_width=max((3 * m.num_q_heads * m.head_dim + 2 * m.num_kv_heads * m.head_dim for m in attention), default=0),
        latent=latent,
        experts=max(experts, key=lambda m: m.num_experts, default=None),
        dense_width=max((d.intermediate_size for d in dense), default=0),
        window=max(windows, default=None),
        full=latent is not None or any(m.window is None for m in attention),
    )


def graph_of(resolved: Resolved) -> Graph:
    """Looks everything up once."""
    serving, shape, rules = resolved.serving, shape_of(resolved.architecture), compute_rules(resolved)
    cells = context_cells(serving.max_model_len)
    ubatch = min(serving.ubatch, cells)
    kept = cells if shape.full else 0
    if shape.window:
        kept += swa_cells(shape.window, serving, cache_rules(resolved.engine))
    return Graph(
        shape=shape,
        rules=rules,
        ubatch=ubatch,
        cells=cells,
        masks=kept * ubatch * (rules.mask_bytes if serving.flash_attention else F32),
        flash=serving.flash_attention,
        most_scores=serving.attention_max_bytes or math.inf,
        latent=shape.latent if serving.mla else None,
        split_layers=serving.split_mode == "layer",
        streamable=not host_only(resolved.quantization.scheme),
    )


def least_streamed_tokens(rules: ComputeRules, experts: MoE | None) -> float:
    """Tokens per micro-batch from which host weights are streamed to a GPU."""
    if experts and rules.offload_by_expert:
        return rules.offload_min_tokens * experts.num_experts / max(1, experts.experts_per_token) * 1.01
    return rules.offload_min_tokens
