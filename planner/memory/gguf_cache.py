"""KV cache and recurrent state of llama.cpp, layer by layer.

Cells are context tokens, padded to 256 (``llama_context``: GGML_PAD(n_ctx, 256)). K and V are stored in the cache type;
recurrent state always in fp32 (``llama_memory_recurrent``). A sliding-window layer keeps
``pad256(min(n_ctx, window × sequences + ubatch))`` cells (``llama_kv_cache_iswa``).
"""

from __future__ import annotations

from typing import NamedTuple

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo
from planner.memory.gguf_place import counted
from planner.models.architecture import Architecture, Cache, LatentAttention, Layer
from planner.models.gguf_mix import type_bits
from planner.resolved import Resolved, Serving

PAD = 256
_STATE_BYTES = 4.0
_TYPES = {"fp16": "F16", "f16": "F16", "bf16": "BF16", "fp32": "F32", "f32": "F32", "fp8": "Q8_0", "auto": "F16"}


class LayerCache(NamedTuple):
    """Bytes that one layer keeps."""

    kv: float
    state: float


class CacheRules(NamedTuple):
    """How an engine keeps its cache: facts of its profile under ``gguf``."""

    swa: bool
    """Sliding-window layers keep only their window."""
    unified: bool
    """All slots share one pool."""
    latent_value: bool
    """MLA keeps the values beside the latent that holds them already."""
    indexer: bool


_rules: IdentityMemo[CacheRules] = IdentityMemo()


def cache_rules(engine: EngineProfile) -> CacheRules:
    """Newest behaviour where the profile says nothing."""
    return _rules.get(engine, None, None, lambda: _read(engine))


def _read(engine: EngineProfile) -> CacheRules:
    return CacheRules(
        swa=bool(engine.fact("gguf.swa_cache", True)),
        unified=bool(engine.fact("gguf.kv_unified", True)),
        latent_value=bool(engine.fact("gguf.latent_value_cache", False)),
        indexer=bool(engine.fact("gguf.indexer_cache", True)),
    )


def cache_bytes_per_element(name: str) -> float:
    """Bytes of one cached element: fp16 2, q8_0 34/32, q4_0 18/32 …; unknown names count as fp16."""
    known = type_bits()
    kind = _TYPES.get(name.lower(), name.upper())
    return known.get(kind, 16.0) / 8


def context_cells(tokens: float) -> int:
    """Tokens rounded up to cells."""
    return -(-int(tokens) // PAD) * PAD


def layer_caches(resolved: Resolved) -> tuple[LayerCache, ...]:
    """What a layer of each kind keeps."""
    serving, rules = resolved.serving, cache_rules(resolved.engine)
    return tuple(_layer_cache(kind, serving, rules) for kind in resolved.architecture.layer_kinds)


def swa_cells(window: int, serving: Serving, rules: CacheRules) -> int:
    """Cells of a sliding-window layer."""
    cells = context_cells(serving.max_model_len)
    if not rules.swa:
        return cells
    sequences = serving.parallel if rules.unified else 1
    kept = min(cells, context_cells(window * sequences + serving.ubatch))
    return kept if rules.unified else min(cells, kept * serving.parallel)


def bytes_per_token(architecture: Architecture, serving: Serving, rules: CacheRules) -> float:
    """KV bytes that one more token of context takes: layers that keep every token."""
    kinds = [
        sum(
            _per_cell(cache, layer, serving, rules) / cache.compression
            for cache in layer.caches
            if cache.kind != "state" and (cache.window is None or not rules.swa)
        )
        for layer in architecture.layer_kinds
    ]
    return sum(kinds[kind] * count for (kind,), count in counted(architecture.layer_order))


def _layer_cache(layer: Layer, serving: Serving, rules: CacheRules) -> LayerCache:
    kv = state = 0.0
    for cache in layer.caches:
        if cache.kind == "state":
            drafts = serving.speculative.tokens if serving.speculative else 0
            state += cache.elements * _STATE_BYTES * serving.parallel * (1 + drafts)
        else:
            kv += _per_cell(cache, layer, serving, rules) * _cells(cache, serving, rules)
    return LayerCache(kv, state)


def _cells(cache: Cache, serving: Serving, rules: CacheRules) -> float:
    if cache.window is not None:
        return swa_cells(cache.window, serving, rules)
    return context_cells(serving.max_model_len) / cache.compression


def _per_cell(cache: Cache, layer: Layer, serving: Serving, rules: CacheRules) -> float:
    element = cache_bytes_per_element(serving.kv_cache_dtype)
    if cache.kind == "indexer":
        return cache.elements * element if rules.indexer else 0.0
    if cache.kind != "latent":
        return cache.elements * element
    mixer = next((m for m in layer.mixers if isinstance(m, LatentAttention)), None)
    if mixer is None:
        return cache.elements * element
    if not serving.mla:
        heads = mixer.num_q_heads
        return heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim) * element
    return (cache.elements + (mixer.kv_lora_rank if rules.latent_value else 0)) * element
