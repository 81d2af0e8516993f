"""Bytes of every buffer of a llama.cpp deployment, and the placement and context that the engine takes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from planner.estimate import Estimate, exact, spread
from planner.memo import IdentityMemo
from planner.memory.gguf_cache import LayerCache, layer_caches
from planner.memory.gguf_compute import compute_buffers
from planner.memory.gguf_context import chosen_context
from planner.memory.gguf_graph import Graph, graph_of
from planner.memory.gguf_needs import Needs, needs_of
from planner.memory.gguf_place import HOST, Placement, counted, fit, place
from planner.models.gguf_layout import GgufLayout, gguf_layout
from planner.resolved import Resolved
from planner.units import GIB, MIB

UNKNOWN_CAPACITY = 2.0**60
"""Upper end of a capacity that nobody reported."""
_FIT_MARGIN = 1024 * MIB
"""What ``--fit`` leaves free on each device (llama.cpp ``--fit-target`` default) where the profile says nothing."""
_HOST_MARGIN = 2 * GIB
_SCORE_BOUNDS = (2.0 * GIB, 1.0 * GIB, 0.5 * GIB, 0.25 * GIB)
"""Of ``-amb`` as people set it (2048 to 256 MiB)."""


class Sizes(NamedTuple):
    """What placement does not change."""

    layout: GgufLayout
    graph: Graph
    needs: Needs
    kinds: tuple[LayerCache, ...]
    order: tuple[int, ...]
    """Index into ``kinds`` of each layer."""


class Buffers(NamedTuple):
    """Bytes per GPU, and of the host last."""

    weights: tuple[float, ...]
    kv: tuple[float, ...]
    state: tuple[float, ...]
    compute: tuple[float, ...]

    @property
    def totals(self) -> tuple[float, ...]:
        """All buffers of each device."""
        columns = zip(self.weights, self.kv, self.state, self.compute, strict=True)
        return tuple(map(sum, columns))


def sizes_of(resolved: Resolved) -> Sizes:
    """Looks everything up once."""
    layout = resolved.gguf_layout or gguf_layout(
        resolved.architecture, resolved.quantization.scheme, resolved.gguf_file_bytes
    )
    graph = graph_of(resolved)
    return Sizes(layout, graph, needs_of(graph, layout), layer_caches(resolved), resolved.architecture.layer_order)


def buffers_of(sizes: Sizes, placement: Placement) -> Buffers:
    """Bytes of every buffer under a placement."""
    kv, state = _caches(sizes, placement)
    return Buffers(_weights(sizes.layout, placement), kv, state, compute_buffers(sizes.needs, placement))


def _weights(layout: GgufLayout, placement: Placement) -> tuple[float, ...]:
    """The input table stays on the host; a tied table is loaded a second time where the output is on a GPU."""
    sums, rows = [0.0] * (placement.gpus + 1), layout.rows
    sums[HOST] += layout.embedding_bytes
    for (row, device, experts), count in counted(layout.order, placement.layers, placement.experts):
        _, _, _, _, dense, routed = rows[row]
        sums[device] += dense * count
        sums[experts] += routed * count
    if placement.head != HOST or not layout.tied:
        sums[placement.head] += layout.head_bytes
    if placement.rows:
        shared = sum(sums[:-1]) / max(1, placement.gpus)
        return (*([shared] * placement.gpus), sums[HOST])
    return tuple(sums)


def _caches(sizes: Sizes, placement: Placement) -> tuple[tuple[float, ...], tuple[float, ...]]:
    kv, state = [0.0] * (placement.gpus + 1), [0.0] * (placement.gpus + 1)
    for (kind, device), count in counted(sizes.order, placement.layers):
        kv[device] += sizes.kinds[kind].kv * count
        state[device] += sizes.kinds[kind].state * count
    return tuple(kv), tuple(state)


class Laid(NamedTuple):
    """A deployment with its context chosen and every layer placed."""

    resolved: Resolved
    sizes: Sizes
    placement: Placement


_laid: IdentityMemo[Laid] = IdentityMemo(limit=16)


def laid(resolved: Resolved) -> Laid:
    """As the engine lays it out; memory and speed ask in turn, so the last few are remembered."""
    return _laid.get(resolved, None, None, lambda: _lay(with_bounded_scores(with_context(resolved))))


def _lay(resolved: Resolved) -> Laid:
    sizes = sizes_of(resolved)
    return Laid(resolved, sizes, placement_of(resolved, sizes))


def with_context(resolved: Resolved) -> Resolved:
    """The deployment with the context that the engine would choose where none is named."""
    return chosen_context(resolved, _all_fits)


def with_bounded_scores(resolved: Resolved) -> Resolved:
    """The deployment with attention scores in parts where whole ones do not fit and the build can cut them (``-amb``).

    Without flash attention the scores of a micro-batch grow with the context: nobody starts such a build without.
    """
    serving = resolved.serving
    if serving.flash_attention or serving.attention_max_bytes or not resolved.engine.fact("gguf.bounds_scores", False):
        return resolved
    if not _overflows(resolved):
        return resolved
    tried = resolved
    for most in _SCORE_BOUNDS:
        known = {**resolved.assumed, "serving.attention_max_bytes": most}
        tried = replace(resolved, serving=replace(serving, attention_max_bytes=most), assumed=known)
        if not _overflows(tried):
            return tried
    return tried


def _overflows(resolved: Resolved) -> bool:
    """Whether the buffers exceed what the GPUs have together: layers can be split otherwise, with nothing kept free."""
    gpus = gpu_count(resolved)
    if gpus == 0:
        return False
    sizes = sizes_of(resolved)
    totals = buffers_of(sizes, placement_of(resolved, sizes)).totals
    return sum(totals[:-1]) > gpus * gpu_capacity(resolved).value


def _all_fits(resolved: Resolved) -> bool:
    """Whether everything that belongs on the GPUs (on the host without any) fits there."""
    serving, gpus = resolved.serving, gpu_count(resolved)
    layers = resolved.architecture.num_layers
    wanted = layers + 1 if serving.n_gpu_layers is None else serving.n_gpu_layers
    placement = place(layers, gpus, wanted, _host_experts(resolved), serving.split_mode == "row")
    totals = buffers_of(sizes_of(resolved), placement).totals
    if gpus:
        return max(totals[:-1]) <= gpu_room(resolved)
    ram = host_capacity(resolved).value
    return ram < UNKNOWN_CAPACITY and totals[-1] + _HOST_MARGIN <= ram


def gpu_count(resolved: Resolved) -> int:
    """Devices that one replica spreads over."""
    if resolved.cluster.device.accelerator is None:
        return 0
    if resolved.serving.split_mode == "none":
        return 1
    return max(1, resolved.cluster.num_devices // max(1, resolved.serving.dp))


def _host_experts(resolved: Resolved) -> int:
    """Layers whose experts the deployment puts on the host."""
    wanted = resolved.serving.experts_on_cpu
    return resolved.architecture.num_layers if wanted is True else int(wanted)


def placement_of(resolved: Resolved, sizes: Sizes) -> Placement:
    """As the deployment says, or as ``--fit`` would choose."""
    serving, layers = resolved.serving, resolved.architecture.num_layers
    gpus, rows, experts = gpu_count(resolved), serving.split_mode == "row", _host_experts(resolved)
    if serving.n_gpu_layers is not None or gpus == 0:
        return place(layers, gpus, serving.n_gpu_layers or 0, experts, rows)
    room = gpu_room(resolved)

    def fits(candidate: Placement) -> bool:
        return max(buffers_of(sizes, candidate).totals[:-1]) <= room

    if experts and fits(wanted := place(layers, gpus, layers + 1, experts, rows)):
        return wanted
    moe = resolved.architecture.has_experts
    return fit(layers, gpus, moe, rows, fits)


def gpu_room(resolved: Resolved) -> float:
    """Bytes of one GPU that buffers may take when llama.cpp fits them itself."""
    margin = float(resolved.engine.fact("gguf.fit_margin_bytes", _FIT_MARGIN))
    return max(0.0, gpu_capacity(resolved).value - gpu_overhead(resolved).value - margin)


def gpu_capacity(resolved: Resolved) -> Estimate:
    """Usable memory of one device; what is not reported has no known end."""
    device = resolved.cluster.device
    free = device.memory_bytes - device.used_bytes
    if not math.isfinite(free):
        return Estimate(0.0, UNKNOWN_CAPACITY, UNKNOWN_CAPACITY, "assumed")
    return spread(max(0.0, free), device.memory_spread, 0.0, "published")


def gpu_overhead(resolved: Resolved) -> Estimate:
    """Context and kernels of one GPU outside the buffers: 450 MiB (RTX 4090), 700 (PRO 6000), up to 2.1 GB (5090)."""
    if resolved.cluster.device.accelerator is None:
        return exact(0.0)
    return Estimate(250.0 * MIB, 480.0 * MIB, 1400.0 * MIB, "measured")


def host_capacity(resolved: Resolved) -> Estimate:
    """RAM of the host; unknown where nobody reported it."""
    device, ram = resolved.cluster.device, resolved.cluster.host.ram_bytes
    if ram is None and device.accelerator is None:
        ram = device.memory_bytes - device.used_bytes
    if ram is None or not math.isfinite(ram):
        return Estimate(0.0, UNKNOWN_CAPACITY, UNKNOWN_CAPACITY, "assumed")
    return exact(max(0.0, ram), "published")
