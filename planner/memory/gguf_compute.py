"""Compute buffers of llama.cpp: what one micro-batch needs beside weights and cache.

Checked against printed buffers. Everywhere: attention scores ``heads × cells × ubatch × 4`` without flash attention,
masks ``cells × ubatch × 4`` (2 since they are built in fp16), expert tensors streamed from the host.
Builds until spring 2026 reserve logits ``ubatch × 4 × (vocab + hidden)`` where the output matrix lies, and need
``experts_per_token × (hidden + 2 × intermediate)`` floats a token for routed experts. Later builds reserve none; floats
a token: MLP ``4E + 3F``, routed ``max(3kF + 5E, 2kF + 2kE)``, MLA ``heads × (latent + rope + latent + nope + rope + v)
+ 3E`` with hidden E, intermediate F, active experts k (build of October 2026, random models of eight shapes).
MLA of builds that expand the latent for prompts: 768 B per head and cell. Fitted: 512-token absorbed queries.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from planner.engines.profile import EngineProfile
from planner.estimate import Estimate
from planner.memory.gguf_cache import cache_rules, context_cells, swa_cells
from planner.memory.gguf_place import HOST, Placement
from planner.memory.memo import IdentityMemo
from planner.models.architecture import Architecture, Attention, Dense, LatentAttention, MoE
from planner.models.gguf_layout import GgufLayout
from planner.models.gguf_mix import host_only
from planner.resolved import Resolved

_F32 = 4.0
_EXPANDED_LATENT = 768.0
"""Bytes per head and cell of K (192 × 2 B) and V, each before and after the copy, in builds that expand the latent."""
_EXPANDED_ON_HOST = 590.0
"""The same on the CPU."""
_ABSORBED = 512
"""Tokens whose absorbed queries live at once."""
_SPREAD_PLAIN, _SPREAD_BUILDS = 0.12, 0.37
"""From the printed buffers of the truth table: latent attention, streamed experts and pipelines differ by build."""
_SPLIT_INPUTS = 6.0
"""Hidden states that cross a device border per copy of the pipeline."""


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


class Compute(NamedTuple):
    """Bytes per GPU and on the host."""

    gpus: tuple[float, ...]
    host: float
    spread: float
    """Share by which printed buffers differ: small where logits and masks decide, large where builds differ."""


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


@lru_cache(maxsize=256)
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
        masks=kept * ubatch * (rules.mask_bytes if serving.flash_attention else _F32),
        flash=serving.flash_attention,
        most_scores=serving.attention_max_bytes or math.inf,
        latent=shape.latent if serving.mla else None,
        split_layers=serving.split_mode == "layer",
        streamable=not host_only(resolved.quantization.scheme),
    )


def compute_estimates(graph: Graph, layout: GgufLayout, placement: Placement) -> tuple[Estimate, ...]:
    """The buffers of every GPU and the host's, as wide as the builds that may run differ."""
    here, rules = compute_buffers(graph, layout, placement), graph.rules.other
    values = others = (*here.gpus, here.host)
    if rules is not None:
        masks = graph.masks * (rules.mask_bytes / graph.rules.mask_bytes if graph.flash else 1.0)
        there = compute_buffers(graph._replace(rules=rules, masks=masks), layout, placement)
        others = (*there.gpus, there.host)
    pairs = zip(values, others, strict=True)
    return tuple(
        Estimate(min(value, other) * (1 - here.spread), value, max(value, other) * (1 + here.spread))
        for value, other in pairs
    )


def compute_buffers(graph: Graph, layout: GgufLayout, placement: Placement) -> Compute:
    """The buffers of every GPU and the host's for a placement."""
    streams = placement.gpus > 0 and _streams(graph, placement)
    copies = _copies(graph, placement)
    gpus = _gpus(graph, layout, placement, streams, copies)
    varies = bool(graph.shape.latent) or copies > 1 or placement.host_experts > 0 or streams
    spread = _SPREAD_BUILDS if varies else _SPREAD_PLAIN
    return Compute(gpus, _host(graph, placement, streams, copies), spread)


def _computing_gpus(placement: Placement) -> int:
    """With nothing on the GPUs one of them still takes prompt batches; rows are gathered on the first."""
    if placement.gpu_layers == 0 or placement.rows:
        return min(1, placement.gpus)
    return placement.gpus


def _streams(graph: Graph, placement: Placement) -> bool:
    """Whether prompt batches pull weights of the host to a GPU (op offload)."""
    on_host = HOST in placement.experts if graph.shape.experts else HOST in placement.layers
    return on_host and graph.streamable and graph.ubatch >= least_streamed_tokens(graph.rules, graph.shape.experts)


def least_streamed_tokens(rules: ComputeRules, experts: MoE | None) -> float:
    """Tokens per micro-batch from which host weights are streamed to a GPU."""
    if experts and rules.offload_by_expert:
        return rules.offload_min_tokens * experts.num_experts / max(1, experts.experts_per_token) * 1.01
    return rules.offload_min_tokens


def _copies(graph: Graph, placement: Placement) -> int:
    whole = placement.gpus > 1 and HOST not in placement.layers and HOST not in placement.experts
    return graph.rules.copies if whole and not placement.rows and graph.split_layers else 1


def _gpus(graph: Graph, layout: GgufLayout, placement: Placement, streams: bool, copies: int) -> tuple[float, ...]:
    """Of every GPU: the first one takes what is streamed, the one with the output matrix the logits."""
    count = _computing_gpus(placement)
    routed = _routed(graph) + graph.masks
    needs = [max(_attention(graph, _EXPANDED_LATENT), routed, _mlp(graph))] * count
    if streams:
        needs[0] = max(needs[0], _streamed(layout, graph.rules.streamed_tensors) + routed)
    if placement.head != HOST:
        needs[placement.head] = max(needs[placement.head], _logits(graph))
    inputs = (copies - 1) * (graph.masks + _SPLIT_INPUTS * _hidden(graph))
    return (*(need + inputs for need in needs), *(0.0,) * (placement.gpus - count))


def _streamed(layout: GgufLayout, at_once: int) -> float:
    """The expert tensors of one layer that are copied to the first GPU at once."""
    gate = max((row.gate_tensor for row in layout.rows), default=0.0)
    return max(at_once * gate, max((row.down_tensor for row in layout.rows), default=0.0))


def _host(graph: Graph, placement: Placement, streams: bool, copies: int) -> float:
    """Inputs of the graph (masks, embeddings), what the CPU computes itself, and the logits if it has the output."""
    inputs = copies * graph.masks + _hidden(graph)
    needs = [inputs]
    if HOST in placement.experts and not streams:
        needs.append(_routed(graph) + _hidden(graph))
    if HOST in placement.layers and not (streams and placement.gpus):
        needs.append(_attention(graph, _EXPANDED_ON_HOST) + (0.0 if graph.flash else graph.masks))
        if not graph.rules.reserves_logits:
            needs += [_mlp(graph), _routed(graph) + graph.masks, needs[-1] + (graph.masks if graph.flash else 0.0)]
    if placement.head == HOST:
        needs.append(_logits(graph))
        return max(needs) + (inputs if placement.gpus else 0.0)
    return max(needs)


def _hidden(graph: Graph) -> float:
    """One hidden state of the micro-batch."""
    return graph.ubatch * graph.shape.hidden * _F32


def _logits(graph: Graph) -> float:
    if not graph.rules.reserves_logits:
        return 0.0
    return graph.ubatch * _F32 * (graph.shape.vocab + graph.shape.hidden)


def _attention(graph: Graph, expanded: float) -> float:
    shape = graph.shape
    if not shape.heads:
        return 4 * _hidden(graph)
    scores = 0.0 if graph.flash else min(graph.most_scores, shape.heads * graph.cells * graph.ubatch * _F32)
    if graph.latent:
        return scores + _latent(graph, graph.latent, graph.cells * expanded) + _hidden(graph)
    return scores + graph.ubatch * (shape.hidden + shape.qkv_width) * _F32


def _latent(graph: Graph, mixer: LatentAttention, expanded: float) -> float:
    width = mixer.kv_lora_rank + mixer.qk_rope_head_dim
    if not graph.rules.expands_latent:
        each = width + mixer.kv_lora_rank + mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim
        return graph.ubatch * (mixer.num_q_heads * each + 2 * graph.shape.hidden) * _F32
    absorbed = mixer.num_q_heads * _F32 * (mixer.kv_lora_rank * graph.ubatch + width * min(graph.ubatch, _ABSORBED))
    return absorbed + (mixer.num_q_heads * expanded if graph.flash else 0.0)


def _routed(graph: Graph) -> float:
    moe = graph.shape.experts
    if moe is None:
        return 0.0
    each, hidden, active = moe.intermediate_size, graph.shape.hidden, moe.experts_per_token
    if graph.rules.reserves_logits:
        return graph.ubatch * active * (hidden + 2 * each) * _F32
    return graph.ubatch * max(3 * active * each + 5 * hidden, 2 * active * (each + hidden)) * _F32


def _mlp(graph: Graph) -> float:
    width, hidden = graph.shape.dense_width, graph.shape.hidden
    if graph.rules.reserves_logits:
        return graph.ubatch * (2 * width + 2 * hidden) * _F32
    return graph.ubatch * (3 * width + 4 * hidden) * _F32 + graph.masks
