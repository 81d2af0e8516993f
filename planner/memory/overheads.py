"""What a rank holds besides weights, cache and activations: runtime context, communication, captured graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo, kept
from planner.models.architecture import Architecture
from planner.resolved import Cluster, Serving


@dataclass(frozen=True, slots=True)
class OverheadRules:
    """Coefficients; from the ``overheads`` table of a profile. Bytes."""

    non_torch_bytes: float = 0.0
    """Outside the framework's allocator with one rank, subtracted from the budget."""
    non_torch_parallel_bytes: float = 0.0
    """The same with several ranks: communicators and their buffers."""
    non_torch_bus_bytes: float = 0.0
    """On top of one rank's where several are joined by PCIe alone: few channels, no buffers for NVLink's own paths."""
    non_torch_wide_bytes: float = 0.0
    """The same from eight ranks on."""
    non_torch_nodes_bytes: float = 0.0
    """On top when the ranks span nodes: network transports and their buffers."""
    non_torch_low: float = 0.3
    non_torch_high: float = 0.3
    """How far a measurement may lie off, as shares."""
    context_bytes: float = 0.0
    """Runtime context with one rank, not subtracted."""
    context_parallel_bytes: float = 0.0
    context_bus_bytes: float = 0.0
    """With several ranks joined by PCIe alone; 0: as with other links."""
    graph_constant_bytes: float = 0.0
    graph_layer_bytes: float = 0.0
    """Of captured graphs, per layer."""
    graph_state_layer_bytes: float = 0.0
    """On top per layer with a recurrent state, whose kernels are captured with their own buffers."""
    graph_sizes_share: float = 0.0
    """Of what layers take, the part that grows with the number of batch sizes that are captured."""
    graph_factor: float = 1.0
    graphs_in_budget: bool = False


_rules: IdentityMemo[OverheadRules] = IdentityMemo()


def overhead_rules(profile: EngineProfile) -> OverheadRules:
    """The coefficients of a profile."""
    return _rules.get(profile, None, None, lambda: _read(profile.fact("overheads", {})))


def _read(table: Mapping[str, Any]) -> OverheadRules:
    return OverheadRules(**{k: v for k, v in table.items() if k in OverheadRules.__dataclass_fields__})


def non_torch(rules: OverheadRules, ranks: int, cluster: Cluster) -> float:
    """Bytes that libraries hold, by the ranks of one replica and by what joins them."""
    if ranks == 1:
        return rules.non_torch_bytes
    if rules.non_torch_bus_bytes and cluster.over_bus:
        return rules.non_torch_bytes + rules.non_torch_bus_bytes
    across = rules.non_torch_nodes_bytes if ranks > cluster.per_node else 0.0
    if ranks < 8:
        return across + rules.non_torch_parallel_bytes
    return across + max(rules.non_torch_wide_bytes, rules.non_torch_parallel_bytes)


def context(rules: OverheadRules, ranks: int, cluster: Cluster) -> float:
    """Bytes of the runtime's own context."""
    if ranks > 1 and rules.context_bus_bytes and cluster.over_bus:
        return rules.context_bus_bytes
    return rules.context_bytes if ranks == 1 else rules.context_parallel_bytes


def graphs(rules: OverheadRules, architecture: Architecture, serving: Serving) -> float:
    """Bytes of captured graphs; none in eager mode."""
    if serving.enforce_eager:
        return 0.0
    captured = captured_sizes(serving.max_num_seqs) / _ALL_SIZES
    share = 1.0 - rules.graph_sizes_share * (1.0 - captured)
    layers = share * rules.graph_layer_bytes * architecture.num_layers
    if rules.graph_state_layer_bytes:
        layers += captured * rules.graph_state_layer_bytes * recurrent_layers(architecture)
    return rules.graph_factor * (rules.graph_constant_bytes + layers)


_ALL_SIZES = 51
"""1, 2, 4, every 8th up to 256, every 16th up to 512."""


def captured_sizes(max_num_seqs: int) -> int:
    """Batch sizes that are captured for so many sequences: up to twice as many tokens (vLLM, cudagraph_capture_sizes).

    >>> captured_sizes(8), captured_sizes(1024)
    (5, 51)
    """
    most = min(512, 2 * max_num_seqs)
    small = sum(size <= most for size in (1, 2, 4))
    return small + min(most, 256) // 8 + max(0, most - 256) // 16


@kept
def recurrent_layers(architecture: Architecture) -> int:
    """Layers that keep a recurrent state."""
    kinds = [any(cache.kind == "state" for cache in kind.caches) for kind in architecture.layer_kinds]
    return sum(kinds[index] for index in architecture.layer_order)
