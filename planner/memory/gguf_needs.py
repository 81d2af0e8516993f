"""What parts of a llama.cpp compute graph need, wherever they run: bytes of one micro-batch.

Checked against printed buffers. Everywhere: attention scores ``heads × cells × ubatch × 4`` without flash attention,
masks ``cells × ubatch × 4`` (2 since they are built in fp16), expert tensors streamed from the host.
Builds until spring 2026 reserve logits ``ubatch × 4 × (vocab + hidden)`` where the output matrix lies, and need
``experts_per_token × (hidden + 2 × intermediate)`` floats a token for routed experts. Later builds reserve none; floats
a token: MLP ``4E + 3F``, routed ``max(3kF + 5E, 2kF + 2kE)``, MLA ``heads × (latent + rope + latent + nope + rope + v)
+ 3E`` with hidden E, intermediate F, active experts k (build of October 2026, random models of eight shapes).
MLA of builds that expand the latent for prompts: 768 B per head and cell. Fitted: 512-token absorbed queries.
"""

from __future__ import annotations

from typing import NamedTuple

from planner.memory.gguf_graph import F32, Graph, least_streamed_tokens
from planner.models.architecture import LatentAttention
from planner.models.gguf_layout import GgufLayout

_EXPANDED_LATENT = 768.0
"""Bytes per head and cell of K (192 × 2 B) and V, each before and after the copy, in builds that expand the latent."""
_EXPANDED_ON_HOST = 590.0
"""The same on the CPU."""
_ABSORBED = 512
"""Tokens whose absorbed queries live at once."""
_SPLIT_INPUTS = 6.0
"""Hidden states that cross a device border per copy of the pipeline."""


class Needs(NamedTuple):
    """Bytes; a device needs the most of what it does, since parts follow each other."""

    on_gpu: float
    """Attention, routed experts and MLP of layers on a GPU."""
    streamed: float
    """Expert tensors of one layer on their way through the first GPU, and what computes them."""
    logits: float
    crossing: float
    """Inputs at a border between devices, per copy of the pipeline beyond the first."""
    masks: float
    hidden: float
    """One hidden state of the micro-batch."""
    host_experts: float
    host_layers: float
    streams: bool
    """Prompt batches pull weights of the host to a GPU (op offload), where there is one."""
    by_expert: bool
    """The experts are what is pulled; whole layers in models without."""
    copies: int
    """Of the pipeline over several GPUs that hold everything."""
    latent: bool


def needs_of(graph: Graph, layout: GgufLayout) -> Needs:
    """Of every part, whatever the placement."""
    rules, masks, hidden = graph.rules, graph.masks, _hidden(graph)
    routed, mlp = _routed(graph), _mlp(graph)
    return Needs(
        on_gpu=max(_attention(graph, _EXPANDED_LATENT), routed + masks, mlp),
        streamed=_streamed(layout, rules.streamed_tensors) + (routed + masks),
        logits=graph.ubatch * F32 * (graph.shape.vocab + graph.shape.hidden) if rules.reserves_logits else 0.0,
        crossing=masks + _SPLIT_INPUTS * hidden,
        masks=masks,
        hidden=hidden,
        host_experts=routed + hidden,
        host_layers=_host_layers(graph, routed, mlp),
        streams=graph.streamable and graph.ubatch >= least_streamed_tokens(rules, graph.shape.experts),
        by_expert=graph.shape.experts is not None,
        copies=rules.copies if graph.split_layers else 1,
        latent=graph.shape.latent is not None,
    )


def _hidden(graph: Graph) -> float:
    return graph.ubatch * graph.shape.hidden * F32


def _host_layers(graph: Graph, routed: float, mlp: float) -> float:
    """Layers that the CPU computes itself."""
    attention = _attention(graph, _EXPANDED_ON_HOST) + (0.0 if graph.flash else graph.masks)
    if graph.rules.reserves_logits:
        return attention
    return max(attention + (graph.masks if graph.flash else 0.0), mlp, routed + graph.masks)


def _streamed(layout: GgufLayout, at_once: int) -> float:
    """The expert tensors of one layer that are copied to the first GPU at once."""
    gate = max((row.gate_tensor for row in layout.rows), default=0.0)
    return max(at_once * gate, max((row.down_tensor for row in layout.rows), default=0.0))


def _attention(graph: Graph, expanded: float) -> float:
    shape = graph.shape
    if not shape.heads:
        return 4 * _hidden(graph)
    scores = 0.0 if graph.flash else min(graph.most_scores, shape.heads * graph.cells * graph.ubatch * F32)
    if graph.latent:
        return scores + _latent(graph, graph.latent, graph.cells * expanded) + _hidden(graph)
    return scores + graph.ubatch * (shape.hidden + shape.qkv_width) * F32


def _latent(graph: Graph, mixer: LatentAttention, expanded: float) -> float:
    width = mixer.kv_lora_rank + mixer.qk_rope_head_dim
    if not graph.rules.expands_latent:
        each = width + mixer.kv_lora_rank + mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim
        return graph.ubatch * (mixer.num_q_heads * each + 2 * graph.shape.hidden) * F32
    absorbed = mixer.num_q_heads * F32 * (mixer.kv_lora_rank * graph.ubatch + width * min(graph.ubatch, _ABSORBED))
    return absorbed + (mixer.num_q_heads * expanded if graph.flash else 0.0)


def _routed(graph: Graph) -> float:
    moe = graph.shape.experts
    if moe is None:
        return 0.0
    each, hidden, active = moe.intermediate_size, graph.shape.hidden, moe.experts_per_token
    if graph.rules.reserves_logits:
        return graph.ubatch * active * (hidden + 2 * each) * F32
    return graph.ubatch * max(3 * active * each + 5 * hidden, 2 * active * (each + hidden)) * F32


def _mlp(graph: Graph) -> float:
    width, hidden = graph.shape.dense_width, graph.shape.hidden
    if graph.rules.reserves_logits:
        return graph.ubatch * (2 * width + 2 * hidden) * F32
    return graph.ubatch * (3 * width + 4 * hidden) * F32 + graph.masks
