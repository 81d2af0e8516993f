"""The budget of one rank: what it must hold, and the pool that an engine's convention leaves.

vLLM may take a share of the *total*: pool = share · total − weights − activations − non-torch (− graphs, by version).
SGLang's static share of what is free before loading holds weights and pool only. TensorRT-LLM takes a share of what is
*free* after everything else is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from planner.estimate import Estimate, spread
from planner.memory.activations import activation_peak, activation_rules
from planner.memory.host import checkpoint_bytes
from planner.memory.kv_cache import KvSpec
from planner.memory.layout import Layout
from planner.memory.overheads import context, graphs, non_torch, overhead_rules
from planner.memory.site import as_measured
from planner.resolved import Resolved
from planner.units import GIB

MOST = 2.0**60
"""Where a device's memory has no known end, figures stay finite."""
_NEIGHBOUR = 2.0
"""Times the range of a part when the release lies outside the profile's own."""
_WEIGHTS_SPREAD = 0.012
"""Of weights by formula."""
_FILES_SPREAD = 0.008
"""Of weights whose files were read."""
_POOL_SPREAD = 0.004
_LEAST_SPREAD = 0.05 * GIB
"""Of a pool between ranks and runs, on top of what its parts are uncertain by."""
_TRUSTED = 1.25
"""Files further from the formula hold something else as well; the formula is then taken."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything but the pool on one rank."""

    weights: Estimate
    activations: Estimate
    cuda_graphs: Estimate
    non_torch: Estimate
    context: Estimate


def capacity_bytes(resolved: Resolved) -> float:
    """Memory of one device as its runtime reports it, finite."""
    known = resolved.cluster.device.memory_bytes
    return known if math.isfinite(known) else MOST


def parts_of(resolved: Resolved, weights: Mapping[str, float], layout: Layout) -> Parts:
    """Everything but the pool; ``weights`` are bytes by part of the rank."""
    serving, overheads = resolved.serving, overhead_rules(resolved.engine)
    rules = activation_rules(resolved.engine, resolved.architecture, resolved.quantization)
    peak = activation_peak(resolved.architecture, serving, rules, layout)
    looser = 1.0 if resolved.engine.exact else _NEIGHBOUR
    ranks = layout.tp * layout.pp * layout.attention_dp
    planned = Parts(
        weights=_weights(resolved, weights),
        activations=spread(sum(peak.values()), min(0.9, rules.low * looser), rules.high * looser, "formula", **peak),
        cuda_graphs=spread(graphs(overheads, resolved.architecture, serving), 0.5, 0.8, "assumed"),
        non_torch=spread(
            non_torch(overheads, ranks, resolved.cluster),
            overheads.non_torch_low,
            overheads.non_torch_high,
            "published",
        ),
        context=spread(context(overheads, ranks, resolved.cluster), 0.3, 0.3, "published"),
    )
    return as_measured(planned, resolved) if resolved.site else planned


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


def pool_of(resolved: Resolved, parts: Parts, spec: KvSpec) -> Estimate:
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
    floor = _POOL_SPREAD * max(value, 0.0) + _LEAST_SPREAD
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
