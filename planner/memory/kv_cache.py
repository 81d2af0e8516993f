"""What the cache of one rank costs per token and per request, and how many requests a pool holds.

Grouped-query caches are cut by KV head but never below one head a rank; a latent (MLA) is whole on every rank; a
sliding window keeps its window and the tokens of the step under way; a recurrent state is kept per request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from planner.memory.layout import stage_sizes
from planner.memory.memo import IdentityMemo
from planner.models.architecture import Architecture, Cache, LatentAttention, Layer

ELEMENT_BYTES: Mapping[str, float] = {
    "bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "fp8": 1.0, "fp8_e4m3": 1.0, "fp8_e5m2": 1.0, "fp8_inc": 1.0, "int8": 1.0,
    "fp8_ds_mla": 1.0, "nvfp4": 9 / 16, "fp4": 9 / 16, "fp4_e2m1": 9 / 16, "q8_0": 34 / 32, "q5_1": 24 / 32,
    "q5_0": 22 / 32, "q4_1": 20 / 32, "q4_0": 18 / 32, "iq4_nl": 18 / 32, "bfloat16": 2.0, "float16": 2.0, "f16": 2.0,
}  # fmt: skip
"""Bytes of one cached element by KV dtype, scales of block formats included."""


@dataclass(frozen=True, slots=True)
class KvRules:
    """How one engine at one version lays out caches; from the ``kv`` table of its profile."""

    style: str = "groups"
    """How layers of different kinds share the pool: ``groups`` of equal pages (vLLM), a ``split`` in fixed ratios
    (SGLang), or what each request needs, ``sum``."""
    state_ratio: float = 0.9
    """Split: memory of recurrent states over memory of tokens."""
    window_ratio: float = 0.8
    """Split: tokens of sliding layers over tokens of full ones."""
    hybrid: bool = True
    """Layers of different kinds share one pool in groups; otherwise every layer keeps every token."""
    pad_latent: int = 1
    """Latent entries are padded to a multiple of this many elements."""
    latent: bool = True
    """MLA keeps the latent; otherwise keys and values of every head, both padded."""
    pad_head: int = 256
    """Head size to which keys and values are then padded."""
    sparse_fp8_entry_bytes: float = 0.0
    """Bytes of a latent entry under fp8 when an indexer selects from it (fp8_ds_mla); 0: one per element."""
    balance: float = 1.25
    """Groups take the larger layer count while it is below this multiple of the smaller one."""
    state_page_multiple: int = 16
    """Tokens by which a block grows until its page holds a recurrent state."""
    extra_window_block: bool = True
    prints_group_tokens: bool = True
    """The log prints pool ÷ groups for hybrid models."""


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Cache of one kind in one layer on one rank."""

    kind: str
    token_bytes: float
    """Per stored token; 0 for a state."""
    window: int | None = None
    state_bytes: float = 0.0


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


_specs: IdentityMemo[tuple[KvSpec, ...]] = IdentityMemo()


def kv_specs(  # one spec per pipeline stage
    architecture: Architecture, dtype: str, tp: int, pp: int, rules: KvRules, *, mtp: bool = False
) -> tuple[KvSpec, ...]:
    """Caches on one rank of each stage; ``tp`` is the tensor parallelism of the attention."""
    return _specs.get(
        architecture, None, (dtype, tp, pp, rules, mtp), lambda: _kv_specs(architecture, dtype, tp, pp, rules, mtp)
    )


def _kv_specs(
    architecture: Architecture, dtype: str, tp: int, pp: int, rules: KvRules, mtp: bool
) -> tuple[KvSpec, ...]:
    kinds = [
        tuple(_layer_cache(c, layer, dtype, tp, rules) for c in layer.caches) for layer in architecture.layer_kinds
    ]
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


def _order(cache: LayerCache) -> tuple[str, float, int, float]:
    return (cache.kind, cache.token_bytes, cache.window or 0, cache.state_bytes)


def _layer_caches(layer: Layer, dtype: str, tp: int, rules: KvRules) -> tuple[LayerCache, ...]:
    return tuple(_layer_cache(cache, layer, dtype, tp, rules) for cache in layer.caches)


def _layer_cache(cache: Cache, layer: Layer, dtype: str, tp: int, rules: KvRules) -> LayerCache:
    element = ELEMENT_BYTES.get(dtype, 2.0)
    share = max(1, ceil(cache.heads / tp)) / cache.heads if cache.heads else 1.0
    if cache.kind == "state":
        return LayerCache("state", 0.0, None, cache.elements * share * (cache.element_bytes or element))
    if cache.kind == "latent" and not rules.latent:
        return LayerCache("full", _decompressed(layer, tp, rules) * element)
    size = _entry_bytes(cache, layer, element, rules) * share / max(1, cache.compression)
    return LayerCache(cache.kind, size, cache.window if rules.hybrid else None)


def _decompressed(layer: Layer, tp: int, rules: KvRules) -> float:
    """Elements of full keys and values of a latent attention on one rank."""
    sizes = (m for m in layer.mixers if isinstance(m, LatentAttention))
    return sum(
        2 * ceil(m.num_q_heads / tp) * -(-(m.qk_nope_head_dim + m.qk_rope_head_dim) // rules.pad_head) * rules.pad_head
        for m in sizes
    )


def _entry_bytes(cache: Cache, layer: Layer, element: float, rules: KvRules) -> float:
    """Bytes of one stored entry, all heads."""
    if cache.kind != "latent":
        return cache.elements * (cache.element_bytes or element)
    if element == 1.0 and rules.sparse_fp8_entry_bytes and any(c.kind == "indexer" for c in layer.caches):
        return rules.sparse_fp8_entry_bytes
    padded = -(-cache.elements // rules.pad_latent) * rules.pad_latent
    return padded * (cache.element_bytes or element)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a pool holds on one rank."""

    tokens: float
    """Context tokens at requests of ``max_model_len``."""
    concurrency: float
    """Requests of ``max_model_len``."""
    printed_tokens: float | None
    """As the engine's log says; None: the same."""
    request_bytes: float
    """Of one request of ``max_model_len``."""
    blocks: float = 0.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What decides how much of a pool one request takes."""

    max_model_len: int
    block_size: int
    step_tokens: int
    """Tokens of one step at most (max_num_batched_tokens): a window keeps them besides itself."""


def capacity(spec: KvSpec, pool_bytes: float, demand: Demand, rules: KvRules) -> Capacity:
    """Requests of ``max_model_len`` in a pool, as vLLM's KV cache manager places them.

    Layers are put into groups of equal size by kind; one block of every group has one page size, so that
    requests = blocks ÷ Σ over groups (blocks of one request) (vllm/v1/core/kv_cache_utils.py).
    """
    paged = [(c, n) for c, n in spec.caches if c.token_bytes > 0 or c.state_bytes > 0]
    if not paged:
        return Capacity(0.0, 0.0, None, 0.0)
    if all(c.window is None and not c.state_bytes for c, _ in paged):
        return _uniform(spec.token_bytes, pool_bytes, demand)
    if rules.style == "split":
        return _split(spec, pool_bytes, demand, rules)
    if rules.style == "sum":
        needed = context_bytes(spec, float(demand.max_model_len), float(demand.step_tokens))
        requests = pool_bytes / needed
        return Capacity(requests * demand.max_model_len, requests, None, needed)
    return _grouped(paged, pool_bytes, demand, rules)


def _uniform(token_bytes: float, pool_bytes: float, demand: Demand) -> Capacity:
    """Every layer keeps every token: one block table."""
    block_bytes = token_bytes * demand.block_size
    blocks = max(0, int(pool_bytes / block_bytes))
    needed = ceil(demand.max_model_len / demand.block_size)
    tokens = float(blocks) * demand.block_size
    return Capacity(tokens, blocks / needed, None, needed * block_bytes, float(blocks))


def _split(spec: KvSpec, pool_bytes: float, demand: Demand, rules: KvRules) -> Capacity:
    """States take ``ratio / (1 + ratio)`` of the pool; sliding layers a share of the tokens of full ones.

    sglang model_runner.py: mamba_full_memory_ratio, swa_full_tokens_ratio.
    """
    windows = sum(c.token_bytes * n for c, n in spec.caches if c.window is not None)
    states, tokens = spec.state_bytes, spec.token_bytes
    ratio = rules.window_ratio if tokens else 1.0
    paged = pool_bytes / (1 + rules.state_ratio) if states and tokens + windows else pool_bytes
    slots = (pool_bytes - paged if tokens + windows else pool_bytes) / states if states else float("inf")
    held = paged / (tokens + ratio * windows) if tokens + windows else slots * demand.max_model_len
    requests = min(held / demand.max_model_len, slots)
    needed = tokens * demand.max_model_len + states + ratio * windows * demand.max_model_len
    return Capacity(held, requests, None, needed, held)


def _grouped(paged: list[tuple[LayerCache, int]], pool_bytes: float, demand: Demand, rules: KvRules) -> Capacity:
    merged = _merged(paged)
    page, blocks_of = _pages(merged, demand, rules)
    counts = [n for _, n in merged]
    size = max(counts) if max(counts) < min(counts) * rules.balance else min(counts)
    groups = [(cache, ceil(n / size)) for cache, n in merged]
    needed = sum(times * _request_blocks(cache, blocks_of[cache], demand, rules) for cache, times in groups)
    blocks = max(0, int(pool_bytes / (page * size)))
    concurrency = blocks / needed
    printed = blocks // sum(times for _, times in groups) * min((b for b in blocks_of.values() if b), default=0)
    return Capacity(
        tokens=concurrency * demand.max_model_len,
        concurrency=concurrency,
        printed_tokens=float(printed) if rules.prints_group_tokens else None,
        request_bytes=needed * page * size,
        blocks=float(blocks),
    )


def _merged(paged: list[tuple[LayerCache, int]]) -> list[tuple[LayerCache, int]]:
    """Caches of every token with equal layer counts are one (a latent and its indexer live in the same block)."""
    result: list[tuple[LayerCache, int]] = []
    for cache, n in paged:
        twin = next((i for i, (c, m) in enumerate(result) if _together(c, cache) and m == n), None)
        if twin is None:
            result.append((cache, n))
        else:
            first = result[twin][0]
            both = LayerCache(first.kind, first.token_bytes + cache.token_bytes, first.window)
            result[twin] = (both, n)
    return result


def _together(first: LayerCache, second: LayerCache) -> bool:
    return {first.kind, second.kind} == {"latent", "indexer"} and first.window == second.window


def _pages(paged: list[tuple[LayerCache, int]], demand: Demand, rules: KvRules) -> tuple[float, dict[LayerCache, int]]:
    """The page size that all groups share, and tokens per block of each cache.

    A recurrent state makes the blocks of attention grow until their page holds it; layers with smaller entries take
    larger blocks.
    """
    tokens = [c for c, _ in paged if c.token_bytes > 0]
    state = max((c.state_bytes for c, _ in paged), default=0.0)
    if not tokens:
        return state, {c: 0 for c, _ in paged}
    largest = max(c.token_bytes for c in tokens)
    block = demand.block_size
    if state > largest * block:
        step = max(rules.state_page_multiple, block)
        block = ceil(state / (largest * step)) * step
    page = largest * block
    sizes = {c: max(block, int(page / c.token_bytes) // block * block) for c in tokens}
    return page, {c: sizes.get(c, 0) for c, _ in paged}


def _request_blocks(cache: LayerCache, block: int, demand: Demand, rules: KvRules) -> int:
    if not block:
        return 1
    if cache.window is None:
        return ceil(demand.max_model_len / block)
    kept = min(cache.window - 1 + demand.step_tokens, demand.max_model_len)
    return ceil(kept / block) + (1 if rules.extra_window_block else 0)


def context_bytes(spec: KvSpec, tokens: float, step_tokens: float = 0.0) -> float:
    """Bytes that one request of ``tokens`` of context keeps, without block rounding."""
    kept = 0.0
    for cache, count in spec.caches:
        held = tokens if cache.window is None else min(tokens, cache.window + step_tokens)
        kept += count * (cache.token_bytes * held + cache.state_bytes)
    return kept


def longest_context(spec: KvSpec, pool_bytes: float, users: float, demand: Demand, rules: KvRules) -> int:
    """The longest max_model_len at which the pool holds that many requests; 0 when not even one token fits."""
    low, high = 0, demand.max_model_len
    while low < high:
        middle = (low + high + 1) // 2
        tried = Demand(middle, demand.block_size, demand.step_tokens)
        if capacity(spec, pool_bytes, tried, rules).concurrency >= users:
            low = middle
        else:
            high = middle - 1
    return low
