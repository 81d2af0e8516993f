"""Fits what a checkpoint says about quantisation to an architecture's layers.

Patterns that hold for every like layer stay patterns. Patterns that hold for some layers only split those layers off as
a kind of their own, whose tensors are marked as not quantised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from planner.models.architecture import Layer, Quantization, Tensor
from planner.models.quantization_patterns import layer_of, matches, split_bound
from planner.models.quantization_reading import Reading

Layers = tuple[tuple[Layer, ...], tuple[int, ...]]
Tails = dict[str, set[int]]


def fit(
    reading: Reading, kinds: Sequence[Layer], order: Sequence[int], base_dtype: str, *, latent: bool = False
) -> tuple[Layers, Quantization]:
    """The layers, some split off, and the scheme that applies to them."""
    bound, free = split_bound(reading.ignore, len(order))
    general = {tail for tail, layers in bound.items() if _everywhere(tail, layers, kinds, order)}
    partial = {tail: layers for tail, layers in bound.items() if tail not in general}
    overrides, listed = _overrides(reading, len(order))
    plain = tuple(name for name, _ in reading.overrides if name.startswith(("part:", "re:")) or "*" in name)
    kept = [_kept(i, kinds[k], partial, listed if reading.listed_only else None, plain) for i, k in enumerate(order)]
    main, others = _dominant(reading, overrides, kinds, order)
    scheme = replace(
        main,
        ignore=tuple(dict.fromkeys((*sorted(general), *free))),
        overrides=others,
        kv_cache=reading.kv_cache,
        base_dtype=base_dtype,
    )
    return _split(kinds, order, kept), scheme


def _everywhere(tail: str, layers: set[int], kinds: Sequence[Layer], order: Sequence[int]) -> bool:
    """Whether a tail holds for every layer that has such a module."""
    touched = {k for k, layer in enumerate(kinds) if any(_hits(tail, t) for t in layer.tensors)}
    return all(i in layers for i, k in enumerate(order) if k in touched)


def _hits(tail: str, tensor: Tensor) -> bool:
    return tensor.quantized and (tail == "*" or matches(tail, tensor.module, tensor.part))


def _overrides(reading: Reading, count: int) -> tuple[dict[str, Quantization], Tails]:
    """Tails with their scheme (where layers differ, the scheme of most), and the layers that list them."""
    tails: dict[str, dict[Quantization, set[int]]] = {}
    free: dict[str, Quantization] = {}
    for name, scheme in reading.overrides:
        tail, layers = layer_of(name, count)
        if tail is None:
            free[name] = scheme
        else:
            tails.setdefault(tail, {}).setdefault(scheme, set()).update(layers)
    most = {tail: max(votes, key=lambda s: len(votes[s])) for tail, votes in tails.items()}
    return {**most, **free}, {tail: set().union(*votes.values()) for tail, votes in tails.items()}


def _kept(index: int, layer: Layer, partial: Tails, listed: Tails | None, plain: tuple[str, ...]) -> frozenset[int]:
    """Tensors of one layer that stay unquantised there: ignored here, or in no list where only listed ones count."""
    here = [tail for tail, layers in partial.items() if index in layers]
    kept = {n for n, t in enumerate(layer.tensors) if any(_hits(tail, t) for tail in here)}
    if listed is not None:
        named = [*(tail for tail, layers in listed.items() if index in layers), *plain]
        kept |= {n for n, t in enumerate(layer.tensors) if t.quantized and not any(_hits(name, t) for name in named)}
    return frozenset(kept)


def _dominant(
    reading: Reading, overrides: dict[str, Quantization], kinds: Sequence[Layer], order: Sequence[int]
) -> tuple[Quantization, tuple[tuple[str, Quantization], ...]]:
    """Where only listed modules are quantised, the scheme of most weights is the main one."""
    if not reading.listed_only or not overrides:
        return reading.main, tuple(overrides.items())
    weights: dict[Quantization, int] = {}
    for k, layer in enumerate(kinds):
        for tensor in layer.tensors:
            found = next((s for tail, s in overrides.items() if _hits(tail, tensor)), None)
            if found is not None:
                weights[found] = weights.get(found, 0) + tensor.numel * order.count(k)
    main = max(weights, key=lambda s: weights[s]) if weights else next(iter(overrides.values()))
    return main, tuple((tail, s) for tail, s in overrides.items() if s != main)


def _split(kinds: Sequence[Layer], order: Sequence[int], kept: Sequence[frozenset[int]]) -> Layers:
    pairs = list(zip(order, kept, strict=True))
    distinct = tuple(dict.fromkeys(pairs))
    position = {pair: n for n, pair in enumerate(distinct)}
    layers = tuple(_marked(kinds[k], marks) for k, marks in distinct)
    return layers, tuple(position[pair] for pair in pairs)


def _marked(layer: Layer, marks: Iterable[int]) -> Layer:
    chosen = frozenset(marks)
    if not chosen:
        return layer
    tensors = tuple(replace(t, quantized=False) if n in chosen else t for n, t in enumerate(layer.tensors))
    return replace(layer, tensors=tensors)
