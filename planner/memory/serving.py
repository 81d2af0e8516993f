"""Memory of a serving deployment on its worst rank: a sum of named parts under the engine's own budget.

vLLM and SGLang may take a share of the *total*: pool = share · total − weights − activations − non-torch (− graphs,
by version). SGLang's static share holds weights and pool only. TensorRT-LLM takes a share of what is *free* after
everything else is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from planner.documents.result import GpuMemory, ServingMemory
from planner.estimate import Estimate, spread, total
from planner.memory.activations import activation_peak, activation_rules
from planner.memory.host import checkpoint_bytes, disk_bytes, host_ram
from planner.memory.kv_cache import KvSpec, context_bytes, kv_specs
from planner.memory.kv_capacity import Capacity, Demand, capacity
from planner.memory.kv_rules import KvRules, kv_rules
from planner.memory.layout import Layout, layout_of
from planner.memory.overheads import context, graphs, non_torch, overhead_rules
from planner.memory.weights import stage_weights, weight_rules
from planner.resolved import Resolved

_NEIGHBOUR = 2.0
"""Times the range of a part when the release lies outside the profile's own."""
_WEIGHTS_SPREAD = 0.015
"""Of weights by formula."""
_FILES_SPREAD = 0.008
"""Of weights whose files were read."""
_TRUSTED = 1.25
"""Files further from the formula hold something else as well; the formula is then taken."""
_MOST = 2.0**60
"""Where a device's memory has no known end, figures stay finite."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything but the pool on one rank."""

    weights: Estimate
    activations: Estimate
    cuda_graphs: Estimate
    non_torch: Estimate
    context: Estimate


def serving_memory(resolved: Resolved) -> ServingMemory:
    """Weights, pool and overheads per GPU, and what the pool of one replica holds."""
    layout = layout_of(resolved.serving, resolved.architecture.num_layers)
    rules = kv_rules(resolved.engine, resolved.architecture)
    stages = _stages(resolved, layout)
    specs = kv_specs(
        resolved.architecture, resolved.serving.kv_cache_dtype, resolved.serving.tp, layout.pp, rules, mtp=layout.mtp
    )
    worst = max(range(layout.pp), key=lambda i: (sum(stages[i].values()), specs[i].token_bytes))
    parts = _parts(resolved, stages[worst], layout)
    pool = _pool(resolved, parts, specs[worst])
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


def demand_of(resolved: Resolved) -> Demand:
    """What one request asks of the pool."""
    serving = resolved.serving
    return Demand(serving.max_model_len, serving.block_size, serving.max_num_batched_tokens)


def capacity_bytes(resolved: Resolved) -> float:
    """Memory of one device as its runtime reports it, finite."""
    known = resolved.cluster.device.memory_bytes
    return known if math.isfinite(known) else _MOST


def _stages(resolved: Resolved, layout: Layout) -> tuple[Mapping[str, float], ...]:
    rules = weight_rules(resolved.engine, resolved.architecture, resolved.quantization)
    return stage_weights(resolved.architecture, resolved.quantization, layout, rules)


def _parts(resolved: Resolved, weights: Mapping[str, float], layout: Layout) -> Parts:
    serving, overheads = resolved.serving, overhead_rules(resolved.engine)
    rules = activation_rules(resolved.engine, resolved.architecture, resolved.quantization)
    peak = activation_peak(resolved.architecture, serving, rules, layout)
    looser = 1.0 if resolved.engine.exact else _NEIGHBOUR
    ranks = layout.tp * layout.pp * layout.attention_dp
    return Parts(
        weights=_weights(resolved, weights),
        activations=spread(sum(peak.values()), min(0.9, rules.low * looser), rules.high * looser, "formula", **peak),
        cuda_graphs=spread(graphs(overheads, resolved.architecture, serving), 0.5, 0.8, "assumed"),
        non_torch=spread(non_torch(overheads, ranks, resolved.cluster.per_node), 0.3, 0.3, "published"),
        context=spread(context(overheads, ranks), 0.3, 0.3, "published"),
    )


def _weights(resolved: Resolved, parts: Mapping[str, float]) -> Estimate:
    """Weights of the rank; where the files were read, their bytes decide and the formula only shares them out."""
    total_bytes, offloaded = sum(parts.values()), resolved.serving.cpu_offload_bytes
    exact = resolved.exact_weight_bytes
    if not exact:
        return spread(max(0.0, total_bytes - offloaded), _WEIGHTS_SPREAD, _WEIGHTS_SPREAD, "formula", **parts)
    ratio = exact / max(1.0, checkpoint_bytes(resolved.architecture, resolved.quantization))
    if not 1 / _TRUSTED < ratio < _TRUSTED:
        ratio = 1.0
    kept = max(0.0, total_bytes * ratio - offloaded)
    return spread(kept, _FILES_SPREAD, _FILES_SPREAD, "published", **parts)


def _pool(resolved: Resolved, parts: Parts, spec: KvSpec) -> Estimate:
    """The pool under the engine's budget; below zero it is zero, and its terms say by how much.

    Models without caches (encoders, rerankers) get none.
    """
    size, share = capacity_bytes(resolved), resolved.serving.gpu_memory_utilization
    terms = _budget(resolved, parts)
    if not spec.caches:
        return Estimate(0.0, 0.0, 0.0, "formula", terms)
    value = sum(terms.values())
    certain = resolved.cluster.device.memory_spread * size * share
    loose = [parts.weights, parts.activations, parts.non_torch]
    if resolved.engine.fact("memory.convention") == "static":
        loose = [parts.weights]
    below = math.sqrt(sum((p.high - p.value) ** 2 for p in loose) + certain**2)
    above = math.sqrt(sum((p.value - p.low) ** 2 for p in loose))
    floor = 0.005 * max(value, 0.0)
    return Estimate(
        max(0.0, value - below - floor),
        max(0.0, value),
        max(0.0, value + above + floor),
        "formula",
        terms,
    )


def _budget(resolved: Resolved, parts: Parts) -> dict[str, float]:
    """Signed terms whose sum is the pool."""
    size, share = capacity_bytes(resolved), resolved.serving.gpu_memory_utilization
    convention = resolved.engine.fact("memory.convention", "total")
    weights, activations = -parts.weights.value, -parts.activations.value
    used = -resolved.cluster.device.used_bytes
    if convention == "free":
        left = {"total": size, "used": used, "context": -parts.context.value, "weights": weights}
        left |= {"activations": activations, "non_torch": -parts.non_torch.value, "graphs": -parts.cuda_graphs.value}
        return {name: value * share for name, value in left.items()}
    if convention == "static":
        free = size + used - parts.context.value
        terms = {"total": size, "used": used, "context": -parts.context.value, "weights": weights}
        return terms | {"dynamic": -(1 - share) * free}
    terms = {
        "budget": size * share,
        "weights": weights,
        "activations": activations,
        "non_torch": -parts.non_torch.value,
    }
    if overhead_rules(resolved.engine).graphs_in_budget:
        terms["graphs"] = -parts.cuda_graphs.value
    return terms


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

    def at(pool_bytes: float) -> Capacity:
        found = []
        for spec, weights in zip(specs, stages, strict=True):
            lighter = sum(stages[worst].values()) - sum(weights.values())
            found.append(capacity(spec, min(pool_bytes + lighter, _MOST), demand, rules))
        kept = [c for c in found if c.request_bytes > 0]
        return min(kept or found, key=lambda c: c.concurrency)

    return _Held(at(pool.low), at(pool.value), at(pool.high))


def _pools(resolved: Resolved) -> float:
    return float(resolved.serving.attention_dp * resolved.serving.dcp)


def _capacity_tokens(resolved: Resolved, held: _Held) -> Estimate:
    n = _pools(resolved)
    return Estimate(held.low.tokens * n, held.value.tokens * n, held.high.tokens * n, "formula", _terms(resolved, held))


def _concurrency(resolved: Resolved, held: _Held) -> Estimate:
    n = _pools(resolved)
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
        "pools": _pools(resolved),
    }


def idle_share(resolved: Resolved, memory: ServingMemory) -> float:
    """Share of the device that stays free once everything is allocated."""
    return (memory.per_gpu.capacity.value - memory.per_gpu.total.value) / max(1.0, capacity_bytes(resolved))
