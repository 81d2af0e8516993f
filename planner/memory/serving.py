"""Memory of a serving deployment on its worst rank: a sum of named parts, and the requests that its pool holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from planner.documents.result import GpuMemory, ServingMemory
from planner.estimate import Estimate, spread, total
from planner.memory.budget import MOST, Parts, capacity_bytes, parts_of, pool_of
from planner.memory.draft import draft_weights, with_draft_caches
from planner.memory.host import disk_bytes, host_ram
from planner.memory.kv_cache import KvSpec, context_bytes, kv_specs, stored_dtype
from planner.memory.kv_capacity import Capacity, Demand, capacity
from planner.memory.kv_rules import KvRules, kv_rules
from planner.memory.layout import Layout, layout_of
from planner.memory.weight_rules import weight_rules
from planner.memory.weights import stage_weights
from planner.resolved import Resolved


def serving_memory(resolved: Resolved) -> ServingMemory:
    """Weights, pool and overheads per GPU, and what the pool of one replica holds."""
    layout = layout_of(resolved.serving, resolved.architecture.num_layers)
    rules = kv_rules(resolved.engine, resolved.architecture)
    stages = _stages(resolved, layout)
    specs = specs_of(resolved, layout, rules)
    worst = max(range(layout.pp), key=lambda i: (sum(stages[i].values()), specs[i].token_bytes))
    parts = parts_of(resolved, stages[worst], layout)
    pool = pool_of(resolved, parts, specs[worst])
    held = _held(resolved, pool, specs, stages, worst, rules)
    return ServingMemory(
        per_gpu=_per_gpu(resolved, parts, pool, specs[worst]),
        kv_bytes_per_token=max(s.token_bytes for s in specs) / resolved.serving.dcp,
        kv_tokens=_capacity_tokens(resolved, held),
        max_concurrency=_concurrency(resolved, held),
        kv_tokens_printed=_printed(resolved, held),
        host_ram=host_ram(resolved),
        disk=disk_bytes(resolved),
    )


def specs_of(resolved: Resolved, layout: Layout, rules: KvRules) -> tuple[KvSpec, ...]:
    """Caches of one rank of each stage, in the dtype in which this device stores them."""
    row = resolved.cluster.device.accelerator
    capability = row.compute_capability if row else None
    dtype = stored_dtype(resolved.architecture, resolved.serving.kv_cache_dtype, capability, rules)
    own = kv_specs(resolved.architecture, dtype, resolved.serving.tp, layout.pp, rules, mtp=layout.mtp)
    return with_draft_caches(resolved, own, dtype, rules)


def demand_of(resolved: Resolved, longest: int | None = None) -> Demand:
    """What one request of ``longest`` tokens (else max_model_len) asks of the pool."""
    serving = resolved.serving
    draft = serving.speculative.tokens if serving.speculative else 0
    step = serving.max_num_batched_tokens
    return Demand(longest or serving.max_model_len, serving.block_size, step, draft, serving.prefix_caching)


def _stages(resolved: Resolved, layout: Layout) -> tuple[Mapping[str, float], ...]:
    rules = weight_rules(resolved.engine, resolved.architecture, resolved.quantization)
    stages = stage_weights(resolved.architecture, resolved.quantization, layout, rules)
    if resolved.draft is None:
        return stages
    return (*stages[:-1], {**stages[-1], "draft": draft_weights(resolved, layout)})


def _per_gpu(resolved: Resolved, parts: Parts, pool: Estimate, spec: KvSpec) -> GpuMemory:
    sums = {
        "weights": parts.weights, "kv_cache": pool, "activations": parts.activations,
        "cuda_graphs": parts.cuda_graphs, "non_torch": parts.non_torch, "context": parts.context,
    }  # fmt: skip
    size = capacity_bytes(resolved) - resolved.cluster.device.used_bytes
    return GpuMemory(
        weights=parts.weights,
        kv_cache=pool,
        kv_needed=_needed(resolved, spec, pool),
        activations=parts.activations,
        cuda_graphs=parts.cuda_graphs,
        non_torch=parts.non_torch,
        total=total(sums),
        capacity=spread(size, resolved.cluster.device.memory_spread, 0.0, "published"),
    )


def _needed(resolved: Resolved, spec: KvSpec, pool: Estimate) -> Estimate:
    """What the workload keeps on this rank: requests in flight × the mean context over their life."""
    load, serving = resolved.workload, resolved.serving
    if load.saturated or load.concurrency is None:
        return Estimate(0.0, pool.value, pool.value, "assumed")
    requests = load.concurrency / (serving.dp * serving.attention_dp)
    longest = load.context + load.isl + load.osl
    own = 1.0 - load.prefix_hit_rate * load.isl / max(1.0, longest)
    each = context_bytes(spec, longest, serving.max_num_batched_tokens) / serving.dcp * own
    half = context_bytes(spec, load.context + load.isl + load.osl / 2) / serving.dcp * own
    terms = {"requests": requests, "tokens": longest}
    return Estimate(min(half, each) * requests, each * requests, each * requests * 1.1, "formula", terms)


@dataclass(frozen=True, slots=True)
class _Held:
    low: Capacity
    value: Capacity
    high: Capacity


def _held(
    resolved: Resolved,
    pool: Estimate,
    specs: tuple[KvSpec, ...],
    stages: tuple[Mapping[str, float], ...],
    worst: int,
    rules: KvRules,
) -> _Held:
    """Capacity of the stage that holds least; lighter stages have what their smaller weights leave."""
    demand = demand_of(resolved)
    heaviest = sum(stages[worst].values())
    lighter = [heaviest - sum(weights.values()) for weights in stages]

    def at(pool_bytes: float, demand: Demand) -> Capacity:
        found = [
            capacity(spec, min(pool_bytes + left, MOST), demand, rules)
            for spec, left in zip(specs, lighter, strict=True)
        ]
        kept = [c for c in found if c.request_bytes > 0]
        return min(kept or found, key=lambda c: c.concurrency)

    least, most = demand, demand
    if "serving.prefix_caching" in resolved.assumed:
        other = replace(demand, prefix_caching=not demand.prefix_caching)
        least, most = (demand, other) if demand.prefix_caching else (other, demand)
    return _Held(at(pool.low, least), at(pool.value, demand), at(pool.high, most))


def pools_of(resolved: Resolved) -> float:
    """Pools of one replica that hold different tokens."""
    return float(resolved.serving.attention_dp * resolved.serving.dcp)


def _capacity_tokens(resolved: Resolved, held: _Held) -> Estimate:
    n = pools_of(resolved)
    return Estimate(held.low.tokens * n, held.value.tokens * n, held.high.tokens * n, "formula", _terms(resolved, held))


def _concurrency(resolved: Resolved, held: _Held) -> Estimate:
    n = pools_of(resolved)
    low, value, high = (c.concurrency * n for c in (held.low, held.value, held.high))
    return Estimate(low, value, high, "formula", _terms(resolved, held))


def _printed(resolved: Resolved, held: _Held) -> Estimate | None:
    values = [c.printed_tokens for c in (held.low, held.value, held.high)]
    if any(v is None for v in values):
        return None
    low, value, high = (float(v or 0.0) * resolved.serving.dcp for v in values)
    return Estimate(low, value, high, "formula", _terms(resolved, held))


def _terms(resolved: Resolved, held: _Held) -> dict[str, float]:
    return {
        "request_bytes": held.value.request_bytes,
        "blocks": held.value.blocks,
        "pools": pools_of(resolved),
    }


def idle_share(resolved: Resolved, memory: ServingMemory) -> float:
    """Share of the device that stays free once everything is allocated."""
    return (memory.per_gpu.capacity.value - memory.per_gpu.total.value) / max(1.0, capacity_bytes(resolved))
