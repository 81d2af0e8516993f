"""Sizes of a model, or of the first or last stage of its pipeline: what sharding divides and FSDP gathers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, prod

from planner.memo import kept
from planner.models.architecture import Architecture, Layer, Quantization, Tensor
from planner.models.formats import tensor_bytes


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of one pipeline stage. Bytes are those of the stored format, before any sharding."""

    dense_params: float
    expert_params: float
    dense_bytes: float
    expert_bytes: float
    layer_params: float
    """Of the largest layer."""
    layer_bytes: float
    layer_expert_params: float
    """Routed experts of the layer with most of them."""
    outside_params: float
    """Input table and head, a tied one once: the root unit of FSDP, and what Muon leaves to AdamW."""
    largest_matrix: float
    """Elements of the largest quantised matrix: expanded for its product."""


@kept
def stage_layers(architecture: Architecture, stages: int, last: bool) -> tuple[int, ...]:
    """Indices into ``layer_kinds`` of the layers of the first or last stage."""
    each = ceil(architecture.num_layers / stages)
    return architecture.layer_order[-each:] if last else architecture.layer_order[:each]


@kept
def stage_sizes(architecture: Architecture, quantization: Quantization, stages: int, last: bool, untied: bool) -> Sizes:
    """Sizes of a stage; with one stage, of the whole model. ``untied``: the head is a copy of a tied input table."""
    layers = stage_layers(architecture, stages, last)
    held = [(t, layers.count(i)) for i in sorted(set(layers)) for t in architecture.layer_kinds[i].tensors]
    outside = list(_outside(architecture, stages, last, untied))
    held += [(t, 1) for t in outside]
    expert = [(t, n) for t, n in held if t.part == "experts"]
    dense = [(t, n) for t, n in held if t.part != "experts"]
    kinds = [architecture.layer_kinds[i] for i in set(layers)]
    return Sizes(
        dense_params=sum(t.numel * n for t, n in dense),
        expert_params=sum(t.numel * n for t, n in expert),
        dense_bytes=sum(tensor_bytes(t, quantization) * n for t, n in dense),
        expert_bytes=sum(tensor_bytes(t, quantization) * n for t, n in expert),
        layer_params=max((sum(t.numel for t in k.tensors) for k in kinds), default=0),
        layer_expert_params=max((sum(t.numel for t in k.tensors if t.part == "experts") for k in kinds), default=0),
        layer_bytes=max((_layer_bytes(k, quantization) for k in kinds), default=0.0),
        outside_params=sum(t.numel for t in outside if t.part in ("embedding", "head")),
        largest_matrix=max((_matrix(t) for t, _ in held if t.quantized and len(t.shape) > 1), default=0),
    )


def _layer_bytes(layer: Layer, quantization: Quantization) -> float:
    return sum(tensor_bytes(t, quantization) for t in layer.tensors)


def _outside(architecture: Architecture, stages: int, last: bool, untied: bool) -> Iterator[Tensor]:
    """Tables, head and towers that a stage holds; a tied table stands on both ends of a pipeline."""
    first = stages == 1 or not last
    if first:
        yield from architecture.embeddings
        yield from architecture.vision
    tied = architecture.tied_embeddings and not architecture.head
    if stages == 1 or last:
        yield from architecture.head
    if tied and (untied if stages == 1 else last):
        yield architecture.embeddings[0]


def _matrix(tensor: Tensor) -> int:
    """Elements of one matrix of a stack of experts, or of the matrix itself."""
    return prod(tensor.shape[-2:])
