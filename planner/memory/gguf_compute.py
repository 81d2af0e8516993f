"""Compute buffers of llama.cpp: what one micro-batch needs beside weights and cache, on each device of a placement."""

from __future__ import annotations

from planner.estimate import Estimate
from planner.memory.gguf_graph import Graph
from planner.memory.gguf_needs import Needs, needs_of
from planner.memory.gguf_place import HOST, Placement
from planner.models.gguf_layout import GgufLayout

_SPREAD_PLAIN, _SPREAD_BUILDS = 0.12, 0.37
"""From the printed buffers of the truth table: latent attention, streamed experts and pipelines differ by build."""


def compute_estimates(graph: Graph, needs: Needs, layout: GgufLayout, placement: Placement) -> tuple[Estimate, ...]:
    """The buffers of every GPU and the host's, as wide as the builds that may run differ."""
    values = others = compute_buffers(needs, placement)
    rules = graph.rules.other
    if rules is not None:
        masks = graph.masks * (rules.mask_bytes / graph.rules.mask_bytes if graph.flash else 1.0)
        others = compute_buffers(needs_of(graph._replace(rules=rules, masks=masks), layout), placement)
    spread = _spread(needs, placement)
    pairs = zip(values, others, strict=True)
    return tuple(
        Estimate(min(value, other) * (1 - spread), value, max(value, other) * (1 + spread)) for value, other in pairs
    )


def compute_buffers(needs: Needs, placement: Placement) -> tuple[float, ...]:
    """The buffers of every GPU, and the host's last."""
    streams, copies = _streams(needs, placement), _copies(needs, placement)
    return (*_gpus(needs, placement, streams, copies), _host(needs, placement, streams, copies))


def _spread(needs: Needs, placement: Placement) -> float:
    """Share by which printed buffers differ: small where logits and masks decide, large where builds differ."""
    varies = needs.latent or placement.host_experts > 0 or _copies(needs, placement) > 1 or _streams(needs, placement)
    return _SPREAD_BUILDS if varies else _SPREAD_PLAIN


def _streams(needs: Needs, placement: Placement) -> bool:
    on_host = placement.host_layers + (placement.host_experts if needs.by_expert else 0)
    return needs.streams and placement.gpus > 0 and on_host > 0


def _copies(needs: Needs, placement: Placement) -> int:
    whole = placement.gpus > 1 and not placement.host_layers and not placement.host_experts
    return needs.copies if whole and not placement.rows else 1


def _computing_gpus(placement: Placement) -> int:
    """With nothing on the GPUs one of them still takes prompt batches; rows are gathered on the first."""
    if placement.gpu_layers == 0 or placement.rows:
        return min(1, placement.gpus)
    return placement.gpus


def _gpus(needs: Needs, placement: Placement, streams: bool, copies: int) -> tuple[float, ...]:
    """Of every GPU: the first one takes what is streamed, the one with the output matrix the logits."""
    count = _computing_gpus(placement)
    each = [needs.on_gpu] * count
    if streams:
        each[0] = max(each[0], needs.streamed)
    if placement.head != HOST:
        each[placement.head] = max(each[placement.head], needs.logits)
    inputs = (copies - 1) * needs.crossing
    return (*(need + inputs for need in each), *(0.0,) * (placement.gpus - count))


def _host(needs: Needs, placement: Placement, streams: bool, copies: int) -> float:
    """Inputs of the graph (masks, embeddings), what the CPU computes itself, and the logits if it has the output."""
    inputs = most = copies * needs.masks + needs.hidden
    if not streams:
        if placement.host_layers or placement.host_experts:
            most = max(most, needs.host_experts)
        if placement.host_layers:
            most = max(most, needs.host_layers)
    if placement.head == HOST:
        return max(most, needs.logits) + (inputs if placement.gpus else 0.0)
    return most
