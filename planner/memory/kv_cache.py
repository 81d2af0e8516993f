"""What the cache of one rank costs per token and per request.

Grouped-query caches are cut by KV head but never below one head a rank; a latent (MLA) is whole on every rank; a
sliding window keeps its window and the tokens of the step under way; a recurrent state is kept per request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from planner.memo import kept
from planner.memory.kv_rules import KvRules
from planner.memory.layout import stage_sizes
from planner.models.architecture import Architecture, Cache, LatentAttention, Layer

ELEMENT_BYTES: Mapping[str, float] = {
    "bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "fp8": 1.0, "fp8_e4m3": 1.0, "fp8_e5m2": 1.0, "fp8_inc": 1.0, "int8": 1.0,
    "fp8_ds_mla": 1.0, "nvfp4": 9 / 16, "fp4": 9 / 16, "fp4_e2m1": 9 / 16, "q8_0": 34 / 32, "q5_1": 24 / 32,
    "q5_0": 22 / 32, "q4_1": 20 / 32, "q4_0": 18 / 32, "iq4_nl": 18 / 32, "bfloat16": 2.0, "float16": 2.0, "f16": 2.0,
}  # fmt: skip
"""Bytes of one cached element by KV dtype, scales of block formats included."""


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Cache of one kind in one layer on one rank."""

    kind: str
    token_bytes: float
    """Per token of context; 0 for a state."""
    window: int | None = None
    state_bytes: float = 0.0
    compression: int = 1
    """Tokens that share one stored entry."""
    elements: int = 0
    """Of one stored entry."""


@dataclass(frozen=True, slots=True)
class KvSpec:
    """Caches of one pipeline stage: equal ones counted."""

    caches: tuple[tuple[LayerCache, int], ...]

    @property
    def token_bytes(self) -> float:
        """Of one context token, all layers that keep every token."""
        return sum(c.token_bytes * n for c, n in self.caches if c.window is None)

    @property
    def state_bytes(self) -> float:
        """Of one request, all recurrent layers."""
        return sum(c.state_bytes * n for c, n in self.caches)


def stored_dtype(architecture: Architecture, dtype: str, capability: tuple[int, int] | None, rules: KvRules) -> str:
    """The KV dtype as the engine stores it: fp8 of a latent with an indexer is packed on some chips."""
    if dtype not in ("fp8", "fp8_e4m3") or capability is None or capability[0] not in rules.packed_fp8_capabilities:
        return dtype
    indexed = any(c.kind == "indexer" for layer in architecture.layer_kinds for c in layer.caches)
    return "fp8_ds_mla" if indexed else dtype


@kept
def kv_specs(  # one spec per pipeline stage
    architecture: Architecture, dtype: str, tp: int, pp: int, rules: KvRules, *, mtp: bool = False
) -> tuple[KvSpec, ...]:
    """Caches on one rank of each stage; ``tp`` is the tensor parallelism of the attention."""
    kinds = [_layer_caches(layer, dtype, tp, rules) for layer in architecture.layer_kinds]
    extra = [c for layer in architecture.mtp for c in _layer_caches(layer, dtype, tp, rules)] if mtp else []
    stages, first = [], 0
    for size in stage_sizes(architecture.num_layers, pp):
        order = architecture.layer_order[first : first + size]
        first += size
        found = [cache for index in order for cache in kinds[index]]
        stages.append(found)
    stages[-1].extend(extra)
    return tuple(KvSpec(_counted(found)) for found in stages)


def _counted(caches: Iterable[LayerCache]) -> tuple[tuple[LayerCache, int], ...]:
    ordered = sorted(caches, key=_order)
    return tuple((cache, len(list(same))) for cache, same in groupby(ordered))


def _order(cache: LayerCache) -> tuple[str, float, int, float, int]:
    return (cache.kind, cache.token_bytes, cache.window or 0, cache.state_bytes, cache.compression)


def _layer_caches(layer: Layer, dtype: str, tp: int, rules: KvRules) -> tuple[LayerCache, ...]:
    """Caches of one layer; its states (recurrent, convolution) are one."""
    found = [_layer_cache(cache, layer, dtype, tp, rules) for cache in layer.caches]
    states = sum(c.state_bytes for c in found)
    rest = [c for c in found if not c.state_bytes]
    return (*rest, LayerCache("state", 0.0, None, states)) if states else tuple(rest)


def _layer_cache(cache: Cache, layer: Layer, dtype: str, tp: int, rules: KvRules) -> LayerCache:
    element = ELEMENT_BYTES.get(dtype, 2.0)
    share = max(1, ceil(cache.heads / tp)) / cache.heads if cache.heads else 1.0
    if cache.kind == "state":
        return LayerCache("state", 0.0, None, cache.elements * share * (cache.element_bytes or element))
    if cache.kind == "latent" and not rules.latent:
        return LayerCache("full", _decompressed(layer, tp, rules) * element)
    ratio = max(1, cache.compression)
    size = _entry_bytes(cache, dtype, rules) * share / ratio
    window = cache.window if rules.hybrid else None
    return LayerCache(cache.kind, size, window, compression=ratio, elements=cache.elements)


def _decompressed(layer: Layer, tp: int, rules: KvRules) -> float:
    """Elements of full keys and values of a latent attention on one rank."""
    sizes = (m for m in layer.mixers if isinstance(m, LatentAttention))
    return sum(
        2 * ceil(m.num_q_heads / tp) * -(-(m.qk_nope_head_dim + m.qk_rope_head_dim) // rules.pad_head) * rules.pad_head
        for m in sizes
    )


def _entry_bytes(cache: Cache, dtype: str, rules: KvRules) -> float:
    """Bytes of one stored entry, all heads."""
    element = ELEMENT_BYTES.get(dtype, 2.0)
    if rules.packed and cache.kind in ("sliding", "compressed"):
        return rules.packed.entry_bytes
    if cache.kind != "latent":
        return cache.elements * (cache.element_bytes or element)
    if dtype == "fp8_ds_mla":
        return rules.packed_fp8_entry_bytes
    padded = -(-cache.elements // rules.pad_latent) * rules.pad_latent
    return padded * (cache.element_bytes or element)


def context_bytes(spec: KvSpec, tokens: float, step_tokens: float = 0.0) -> float:
    """Bytes that one request of ``tokens`` of context keeps, without block rounding."""
    kept = 0.0
    for cache, count in spec.caches:
        held = tokens if cache.window is None else min(tokens, cache.window + step_tokens)
        kept += count * (cache.token_bytes * held + cache.state_bytes)
    return kept
