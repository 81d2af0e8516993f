"""Counts of parameters: each tensor once, vision included, multi-token-prediction layers not."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import ModelParameters
from planner.memo import kept
from planner.models.architecture import Architecture, Layer, MoE, Tensor


def all_tensors(architecture: Architecture) -> Iterator[tuple[Tensor, int]]:
    """Every tensor outside MTP with the number of layers that hold one like it."""
    for index, layer in enumerate(architecture.layer_kinds):
        count = architecture.layer_order.count(index)
        for tensor in layer.tensors:
            yield tensor, count
    for tensor in (*architecture.embeddings, *architecture.head, *architecture.vision):
        yield tensor, 1


@kept
def count_parameters(architecture: Architecture) -> ModelParameters:
    """``active`` is what one token multiplies with: routed experts by top-k, head included, input tables not."""
    tensors = list(all_tensors(architecture))
    return ModelParameters(
        total=sum(t.numel * n for t, n in tensors),
        active=_active(architecture),
        embedding=architecture.embeddings[0].numel,
        routed_experts=sum(t.numel * n for t, n in tensors if t.part == "experts"),
        vision=sum(t.numel for t in architecture.vision),
    )


def _active(architecture: Architecture) -> int:
    layers = sum(
        _active_layer(layer) * architecture.layer_order.count(i) for i, layer in enumerate(architecture.layer_kinds)
    )
    outside = sum(t.numel for t in (*architecture.embeddings, *architecture.head) if t.part != "embedding")
    tied_head = architecture.embeddings[0].numel if architecture.tied_embeddings and not architecture.head else 0
    return layers + outside + tied_head


def _active_layer(layer: Layer) -> int:
    moe = layer.feed_forward if isinstance(layer.feed_forward, MoE) else None
    total = 0
    for tensor in layer.tensors:
        if tensor.part == "experts" and moe:
            total += tensor.numel * moe.experts_per_token // moe.num_experts
        else:
            total += tensor.numel
    return total
