"""How many requests a pool holds: layers of different kinds share it as the engine places them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from planner.memory.kv_cache import KvSpec, LayerCache, context_bytes
from planner.memory.kv_rules import KvRules, Packed


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
    draft_tokens: int = 0
    """Speculated per step: a recurrent state is kept for each."""
    prefix_caching: bool = False


def capacity(spec: KvSpec, pool_bytes: float, demand: Demand, rules: KvRules) -> Capacity:
    """Requests of ``max_model_len`` in a pool, as vLLM's KV cache manager places them.

    Layers are put into groups of equal size by kind; one block of every group has one page size, so that
    requests = blocks ÷ Σ over groups (blocks of one request) (vllm/v1/core/kv_cache_utils.py).
    """
    paged = [(c, n) for c, n in spec.caches if c.token_bytes > 0 or c.state_bytes > 0]
    if not paged:
        return Capacity(0.0, 0.0, None, 0.0)
    if rules.packed and any(c.kind == "compressed" for c, _ in paged):
        return _packed(paged, pool_bytes, demand, rules.packed)
    if _is_uniform(paged):
        return _uniform(spec.token_bytes, pool_bytes, demand)
    if rules.style == "split":
        return _split(spec, pool_bytes, demand, rules)
    if rules.style == "sum":
        needed = context_bytes(spec, float(demand.max_model_len), float(demand.step_tokens))
        requests = pool_bytes / needed
        return Capacity(requests * demand.max_model_len, requests, None, needed)
    return _grouped(paged, pool_bytes, demand, rules)


def _is_uniform(caches: Sequence[tuple[LayerCache, int]]) -> bool:
    """Every layer keeps every token."""
    return all(c.window is None and not c.state_bytes for c, _ in caches)


def _uniform(token_bytes: float, pool_bytes: float, demand: Demand) -> Capacity:
    """Every layer keeps every token: one block table."""
    block_bytes = token_bytes * demand.block_size
    blocks = max(0, int(pool_bytes / block_bytes))
    needed = ceil(demand.max_model_len / demand.block_size)
    tokens = float(blocks) * demand.block_size
    return Capacity(tokens, blocks / needed, None, needed * block_bytes, float(blocks))


def _packed(paged: list[tuple[LayerCache, int]], pool_bytes: float, demand: Demand, packed: Packed) -> Capacity:
    """Pages of compressed entries, indexer keys, windows and compressor states share tuples of one page each.

    block = tuples · Σ pages; requests = blocks ÷ (context blocks + Σ groups · window blocks), where sliding layers and
    compressor states fill as many groups as their layers need tuples (vllm kv_cache_utils.py, DeepSeek-V4).
    """
    full = [(c, n) for c, n in paged if c.window is None]
    tuples = max(n for _, n in full)
    pages = {(c.kind, c.compression): _page(c, packed) for c, _ in full}
    needed = ceil(demand.max_model_len / packed.block)
    for cache, n in paged:
        if cache.window is not None:
            needed += ceil(n / tuples) * _kept_blocks(cache.window, packed.window_block, demand)
        elif cache.kind == "compressed":
            state = next((s for s in packed.states if cache.compression <= s.up_to_ratio), packed.states[-1])
            needed += ceil(n / tuples) * _kept_blocks(state.window, state.block, demand)
    block_bytes = tuples * sum(pages.values())
    blocks = max(0, int(pool_bytes / block_bytes))
    concurrency = blocks / needed
    return Capacity(concurrency * demand.max_model_len, concurrency, None, needed * block_bytes, float(blocks))


def _page(cache: LayerCache, packed: Packed) -> float:
    size = cache.token_bytes * cache.compression * max(1, packed.block // cache.compression)
    return ceil(size / packed.align) * packed.align


def _kept_blocks(window: int, block: int, demand: Demand) -> int:
    return ceil(min(window - 1 + demand.step_tokens, demand.max_model_len) / block) + 1


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
        return (rules.cached_states if demand.prefix_caching else 1) + demand.draft_tokens
    if cache.window is None:
        return ceil(demand.max_model_len / block)
    kept = min(cache.window - 1 + demand.step_tokens, demand.max_model_len)
    return ceil(kept / block) + (1 if rules.extra_window_block else 0)


def longest_context(spec: KvSpec, pool_bytes: float, users: float, demand: Demand, rules: KvRules) -> int:
    """The longest max_model_len at which the pool holds that many requests; 0 when not even one token fits."""

    if spec.token_bytes and rules.packed is None and _is_uniform(spec.caches):
        blocks = int(pool_bytes / (spec.token_bytes * demand.block_size))
        return min(demand.max_model_len, int(blocks / users) * demand.block_size)

    def taken(length: int) -> float:
        """Share of the pool that the requests of this length take: affine in the length up to whole blocks."""
        held = capacity(spec, pool_bytes, replace(demand, max_model_len=length), rules).concurrency
        return users / held if held > 0 else math.inf

    low, high = 0, demand.max_model_len
    whole = taken(high)
    if whole <= 1.0:
        return high
    least = taken(1)
    if least > 1.0:
        return 0
    low, step = 1, max(1, demand.block_size)
    if math.isfinite(whole):
        near = int(1 + (1.0 - least) / max(whole - least, 1e-12) * (high - 1))
        low, high = _bracket(taken, (low, high), near, step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if taken(middle) <= 1.0 else (low, middle)
    return low


def _bracket(taken: Callable[[int], float], ends: tuple[int, int], near: int, step: int) -> tuple[int, int]:
    """Narrower ends around where one expects the limit; the lower one holds, the upper one does not."""
    low, high = ends
    below, above = near - 2 * step, near + 2 * step
    if low < below < high:
        low, high = (below, high) if taken(below) <= 1.0 else (low, below)
    if low < above < high:
        low, high = (above, high) if taken(above) <= 1.0 else (low, above)
    return low, high
