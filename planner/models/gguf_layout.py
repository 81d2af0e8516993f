"""What a GGUF file holds, layer by layer and ggml type by ggml type, in bytes: from the mix's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from planner.memo import kept
from planner.models.architecture import Architecture, Tensor
from planner.models.gguf_mix import (
    Mix,
    Place,
    kept_mix,
    outside_layers,
    places,
    tensor_kind,
    tensor_type,
    type_bits,
)

Types = tuple[tuple[str, float], ...]
"""(ggml type, bytes) pairs."""


class LayerBytes(NamedTuple):
    """One layer of the file."""

    dense: Types
    """Everything but the routed experts."""
    experts: Types
    gate_tensor: float
    """Bytes of one stacked up or gate tensor, all experts."""
    down_tensor: float
    dense_bytes: float
    expert_bytes: float


class GgufLayout(NamedTuple):
    """A whole file: vision tower (its own file) and multi-token prediction excluded."""

    embedding: Types
    """Input tables; llama.cpp keeps them on the host."""
    head: Types
    """Output matrix and last norm; a second copy of the input table where weights are tied."""
    rows: tuple[LayerBytes, ...]
    """The distinct layers."""
    order: tuple[int, ...]
    """Index into ``rows`` of each layer from the first to the last."""
    tied: bool
    spread: float
    """Share by which a file of that name differs around the rules."""
    exact: bool
    """Mix known by name."""
    embedding_bytes: float
    head_bytes: float
    file_bytes: float
    """Bytes of all tensors, each once."""


@kept
def gguf_layout(architecture: Architecture, scheme: str, file_bytes: float | None = None) -> GgufLayout:
    """The layout of a file of this mix; where the file's size is known, the repeating weights are scaled to it."""
    layout = _from_rules(architecture, kept_mix(scheme, architecture.model_type))
    return layout if not file_bytes else _scaled(layout, file_bytes)


def _from_rules(architecture: Architecture, mix: Mix) -> GgufLayout:
    first = outside_layers(architecture)
    tables = [t for t in architecture.embeddings if t.part == "embedding"]
    rest = [t for t in architecture.embeddings if t.part != "embedding"]
    head = [*(architecture.head or [replace(t, part="head") for t in tables[:1]]), *rest]
    tied = not architecture.head
    embedding = _bytes(tables, _tied_mix(mix) if tied else mix, first)
    layers = _layers(architecture, mix)
    return laid_out(embedding, _bytes(head, mix, first), layers, tied=tied, spread=mix.spread, exact=mix.exact)


def laid_out(
    embedding: Types, head: Types, layers: Sequence[LayerBytes], *, tied: bool, spread: float, exact: bool
) -> GgufLayout:
    """A layout from its parts, equal layers joined, with its sums."""
    rows = tuple(dict.fromkeys(layers))
    index = {row: i for i, row in enumerate(rows)}
    order = tuple(index[layer] for layer in layers)
    repeating = sum(rows[i].dense_bytes + rows[i].expert_bytes for i in order)
    tables, output = _sum(embedding), _sum(head)
    return GgufLayout(
        embedding=embedding,
        head=head,
        rows=rows,
        order=order,
        tied=tied,
        spread=spread,
        exact=exact,
        embedding_bytes=tables,
        head_bytes=output,
        file_bytes=tables + repeating + (0.0 if tied else output),
    )


def _sum(types: Types) -> float:
    return sum(size for _, size in types)


def _tied_mix(mix: Mix) -> Mix:
    """A table that is also the head has the head's type (``llama_tensor_get_type``)."""
    rules = tuple(rule._replace(kind="token_embd") for rule in mix.rules if rule.kind == "output")
    return mix._replace(rules=(*rules, *mix.rules))


def _layers(architecture: Architecture, mix: Mix) -> list[LayerBytes]:
    """Every layer; those of one kind at places with the same conditions are added up once."""
    known: dict[tuple[int, Place], LayerBytes] = {}
    asked = frozenset(rule.when for rule in mix.rules)
    at = (Place(place.holds & asked) for place in places(architecture))
    keys = list(zip(architecture.layer_order, at, strict=True))
    for kind, place in dict.fromkeys(keys):
        known[kind, place] = _layer(architecture.layer_kinds[kind].tensors, mix, place)
    return [known[key] for key in keys]


def _layer(tensors: Iterable[Tensor], mix: Mix, place: Place) -> LayerBytes:
    listed = tuple(tensors)
    experts = [t for t in listed if t.part == "experts"]
    dense = [t for t in listed if t.part != "experts"]
    sizes = {tensor_kind(t): _stack(t, mix, place) for t in experts if tensor_kind(t) != "plain"}
    down = sizes.pop("exps_down", 0.0)
    gate = max(sizes.values(), default=0.0)
    return layer_row(_bytes(dense, mix, place), _bytes(experts, mix, place), gate, down)


def layer_row(dense: Types, experts: Types, gate: float, down: float) -> LayerBytes:
    """A layer with its sums."""
    return LayerBytes(dense, experts, gate, down, _sum(dense), _sum(experts))


def _stack(tensor: Tensor, mix: Mix, place: Place) -> float:
    """Bytes of one stacked expert tensor; a fused gate and up counts as two."""
    size = _size(tensor, tensor_type(tensor, mix, place))
    return size / 2 if "gate_up" in tensor.module else size


def _bytes(tensors: Iterable[Tensor], mix: Mix, place: Place) -> Types:
    sizes: dict[str, float] = {}
    for tensor in tensors:
        kind = tensor_type(tensor, mix, place)
        sizes[kind] = sizes.get(kind, 0.0) + _size(tensor, kind)
    return tuple(sorted(sizes.items()))


def _size(tensor: Tensor, kind: str) -> float:
    return tensor.numel * type_bits()[kind] / 8


def _scaled(layout: GgufLayout, file_bytes: float) -> GgufLayout:
    """Fitted to a file of known size: the difference goes to the routed experts, or to all layers without any.

    Sizes that no mix of the model could have (under a third or over three times) scale everything.
    """
    experts = sum(layout.rows[i].expert_bytes for i in layout.order)
    part = experts or sum(layout.rows[i].dense_bytes for i in layout.order)
    fixed = layout.file_bytes - part
    ratio = (file_bytes - fixed) / part if part else 0.0
    if not 0.33 < ratio < 3:
        everything = file_bytes / layout.file_bytes
        return _times(layout, everything, everything, everything)
    return _times(layout, 1.0, 1.0 if experts else ratio, ratio)


def _times(layout: GgufLayout, tables: float, dense: float, experts: float) -> GgufLayout:
    rows = [
        layer_row(
            _scale(row.dense, dense), _scale(row.experts, experts), row.gate_tensor * experts, row.down_tensor * experts
        )
        for row in layout.rows
    ]
    embedding, head = _scale(layout.embedding, tables), _scale(layout.head, tables)
    layers = [rows[i] for i in layout.order]
    return laid_out(embedding, head, layers, tied=layout.tied, spread=0.002, exact=layout.exact)


def _scale(types: Types, factor: float) -> Types:
    return types if factor == 1.0 else tuple((kind, size * factor) for kind, size in types)
