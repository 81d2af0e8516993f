"""Memory of the llama.cpp family: model, cache and compute buffers per device, as its log lists them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.documents.result import DeviceMemory, GpuMemory, ServingMemory
from planner.estimate import Estimate, exact, spread, total
from planner.memory.gguf_cache import LayerCache, bytes_per_token, cache_rules, context_cells, layer_caches
from planner.memory.gguf_compute import Compute, compute_buffers
from planner.memory.gguf_context import chosen_context
from planner.memory.gguf_place import HOST, Placement, fit, place
from planner.models.architecture import MoE
from planner.models.gguf_layout import GgufLayout, gguf_layout
from planner.resolved import Resolved
from planner.units import GIB, MIB

UNKNOWN_CAPACITY = 2.0**60
"""Upper end of a capacity that nobody reported."""
_FIT_MARGIN = 1024 * MIB
"""What ``--fit`` leaves free on each device (llama.cpp ``--fit-target`` default) where the profile says nothing."""
_HEADER_BYTES_PER_TOKEN = 60.0
"""Vocabulary, merges and metadata in the file: 7.8 MB at 128k tokens."""
_KV_SPREAD = 0.003
_BACKENDS = {
    "nvidia": ("CUDA", "CUDA_Host"),
    "amd": ("ROCm", "ROCm_Host"),
    "apple": ("Metal", "CPU"),
    "intel": ("SYCL", "SYCL_Host"),
    "huawei": ("CANN", "CANN_Host"),
}
_NAMED = {"cuda": "CUDA", "rocm": "ROCm", "hip": "ROCm", "vulkan": "Vulkan", "metal": "Metal", "sycl": "SYCL"}


@dataclass(frozen=True, slots=True)
class Buffers:
    """Bytes per GPU, and of the host last."""

    weights: tuple[float, ...]
    kv: tuple[float, ...]
    state: tuple[float, ...]
    compute: tuple[float, ...]
    compute_spread: float


def gguf_memory(resolved: Resolved) -> ServingMemory:
    """The memory of a llama.cpp deployment on its devices."""
    resolved = with_context(resolved)
    layout = layout_of(resolved)
    placement = placement_of(resolved, layout)
    buffers = buffers_of(resolved, layout, placement)
    parts = tuple(_device(resolved, layout, buffers, i) for i in range(placement.gpus + 1))
    cells = context_cells(resolved.serving.max_model_len)
    return ServingMemory(
        per_gpu=_worst(resolved, layout, placement, buffers),
        kv_bytes_per_token=bytes_per_token(resolved.architecture, resolved.serving, cache_rules(resolved.engine)),
        kv_tokens=exact(float(cells)),
        max_concurrency=exact(cells / max(1, resolved.serving.max_model_len)),
        host_ram=_host_ram(resolved, parts[-1]),
        disk=layout.file_bytes + resolved.architecture.vocab_size * _HEADER_BYTES_PER_TOKEN,
        devices=parts,
    )


def layout_of(resolved: Resolved) -> GgufLayout:
    """The file's bytes by layer and type."""
    return gguf_layout(resolved.architecture, resolved.quantization.scheme, resolved.gguf_file_bytes)


def with_context(resolved: Resolved) -> Resolved:
    """The deployment with the context that the engine would choose where none is named."""
    return chosen_context(resolved, lambda candidate: _all_fits(candidate, layout_of(candidate)))


def _all_fits(resolved: Resolved, layout: GgufLayout) -> bool:
    """Whether everything that belongs on the GPUs (on the host without any) fits there."""
    serving, gpus = resolved.serving, gpu_count(resolved)
    layers = resolved.architecture.num_layers
    experts = layers if serving.experts_on_cpu is True else int(serving.experts_on_cpu)
    wanted = layers + 1 if serving.n_gpu_layers is None else serving.n_gpu_layers
    buffers = buffers_of(resolved, layout, place(layers, gpus, wanted, experts, serving.split_mode == "row"))
    sums = [sum(parts) for parts in zip(*_columns(buffers), strict=True)]
    if gpus:
        return bool(max(sums[:-1]) <= gpu_room(resolved))
    ram = host_capacity(resolved)
    return bool(ram.value < UNKNOWN_CAPACITY and sums[-1] + 2 * GIB <= ram.value)


def gpu_count(resolved: Resolved) -> int:
    """Devices that one replica spreads over."""
    if resolved.cluster.device.accelerator is None:
        return 0
    if resolved.serving.split_mode == "none":
        return 1
    return max(1, resolved.cluster.num_devices // max(1, resolved.serving.dp))


def placement_of(resolved: Resolved, layout: GgufLayout) -> Placement:
    """As the deployment says, or as ``--fit`` would choose."""
    serving, layers = resolved.serving, resolved.architecture.num_layers
    gpus, rows = gpu_count(resolved), serving.split_mode == "row"
    moe = any(isinstance(kind.feed_forward, MoE) for kind in resolved.architecture.layer_kinds)
    experts = layers if serving.experts_on_cpu is True else int(serving.experts_on_cpu)
    if serving.n_gpu_layers is not None or gpus == 0:
        return place(layers, gpus, serving.n_gpu_layers or 0, experts, rows)
    room = gpu_room(resolved)

    def fits(candidate: Placement) -> bool:
        buffers = buffers_of(resolved, layout, candidate)
        return all(sum(parts) <= room for parts in list(zip(*_columns(buffers), strict=True))[:gpus])

    if experts:
        wanted = place(layers, gpus, layers + 1, experts, rows)
        if fits(wanted):
            return wanted
    return fit(layers, gpus, moe, rows, fits)


def gpu_room(resolved: Resolved) -> float:
    """Bytes of one GPU that buffers may take when llama.cpp fits them itself."""
    margin = float(resolved.engine.fact("gguf.fit_margin_bytes", _FIT_MARGIN))
    return max(0.0, gpu_capacity(resolved).value - gpu_overhead(resolved).value - margin)


def gpu_capacity(resolved: Resolved) -> Estimate:
    """Usable memory of one device; what is not reported has no known end."""
    device = resolved.cluster.device
    share = float(resolved.engine.fact("gguf.device_share", 1.0))
    if device.accelerator is not None and device.accelerator.unified_memory:
        share = float(resolved.engine.fact(f"gguf.unified_share.{device.vendor}", share))
    free = device.memory_bytes * share - device.used_bytes
    if not math.isfinite(free):
        return Estimate(0.0, UNKNOWN_CAPACITY, UNKNOWN_CAPACITY, "assumed")
    return spread(max(0.0, free), device.memory_spread, 0.0, "published")


def gpu_overhead(resolved: Resolved) -> Estimate:
    """Context and kernels of one GPU outside the buffers: 450 MiB (RTX 4090), 700 (PRO 6000), up to 2.1 GB (5090)."""
    if resolved.cluster.device.accelerator is None:
        return exact(0.0)
    return Estimate(250.0 * MIB, 480.0 * MIB, 1400.0 * MIB, "measured")


def buffers_of(resolved: Resolved, layout: GgufLayout, placement: Placement) -> Buffers:
    """Bytes of every buffer under a placement."""
    weights = _weights(layout, placement)
    kv, state = _caches(layer_caches(resolved), placement)
    compute: Compute = compute_buffers(resolved, layout, placement)
    return Buffers(weights, kv, state, (*compute.gpus, compute.host), compute.spread)


def _columns(buffers: Buffers) -> tuple[tuple[float, ...], ...]:
    return buffers.weights, buffers.kv, buffers.state, buffers.compute


def _weights(layout: GgufLayout, placement: Placement) -> tuple[float, ...]:
    """The input table stays on the host; a tied table is loaded a second time where the output is on a GPU."""
    sums = [0.0] * (placement.gpus + 1)
    sums[HOST] += layout.embedding_bytes
    for row, device, experts in zip(layout.layers, placement.layers, placement.experts, strict=True):
        sums[device] += row.dense_bytes
        sums[experts] += row.expert_bytes
    if placement.head != HOST or not layout.tied:
        sums[placement.head] += layout.head_bytes
    if placement.rows:
        shared = sum(sums[:-1]) / max(1, placement.gpus)
        return (*([shared] * placement.gpus), sums[HOST])
    return tuple(sums)


def _caches(caches: tuple[LayerCache, ...], placement: Placement) -> tuple[tuple[float, ...], tuple[float, ...]]:
    kv, state = [0.0] * (placement.gpus + 1), [0.0] * (placement.gpus + 1)
    for cache, device in zip(caches, placement.layers, strict=True):
        kv[device] += cache.kv
        state[device] += cache.state
    return tuple(kv), tuple(state)


def _device(resolved: Resolved, layout: GgufLayout, buffers: Buffers, index: int) -> DeviceMemory:
    gpus = len(buffers.weights) - 1
    return DeviceMemory(
        device=device_name(resolved, index, gpus),
        weights=_weights_estimate(layout, buffers.weights[index]),
        kv_cache=spread(buffers.kv[index], _KV_SPREAD, _KV_SPREAD),
        compute=spread(buffers.compute[index], buffers.compute_spread, buffers.compute_spread),
        recurrent=spread(buffers.state[index], _KV_SPREAD, _KV_SPREAD) if any(buffers.state) else None,
    )


def _weights_estimate(layout: GgufLayout, size: float) -> Estimate:
    return spread(size, layout.spread, layout.spread, "formula" if layout.exact else "assumed")


def device_name(resolved: Resolved, index: int, gpus: int) -> str:
    """``CUDA0``, ``ROCm1``, ``Vulkan0``, ``Metal``, ``CPU`` as the log names them."""
    if index >= gpus:
        return "CPU"
    backend = resolved.engine.backend or ""
    name = _NAMED.get(backend) or _BACKENDS.get(resolved.cluster.device.vendor, ("Vulkan", ""))[0]
    return name if name == "Metal" else f"{name}{index}"


def _worst(resolved: Resolved, layout: GgufLayout, placement: Placement, buffers: Buffers) -> GpuMemory:
    """The fullest GPU; the host where there is none."""
    sums = [sum(parts) for parts in zip(*_columns(buffers), strict=True)]
    gpus = placement.gpus
    index = max(range(gpus), key=lambda i: sums[i]) if gpus else 0
    cache = buffers.kv[index] + buffers.state[index]
    workload = resolved.workload
    used = (workload.concurrency or 1.0) * (workload.isl + workload.osl + workload.context)
    share = min(1.0, used / max(1, context_cells(resolved.serving.max_model_len)))
    parts = {
        "weights": _weights_estimate(layout, buffers.weights[index]),
        "kv_cache": spread(cache, _KV_SPREAD, _KV_SPREAD),
        "activations": spread(buffers.compute[index], buffers.compute_spread, buffers.compute_spread),
        "cuda_graphs": exact(0.0),
        "non_torch": gpu_overhead(resolved) if gpus else exact(0.0),
    }
    return GpuMemory(
        **parts,
        kv_needed=parts["kv_cache"].scaled(share) if share else exact(0.0),
        total=total(parts),
        capacity=gpu_capacity(resolved) if gpus else host_capacity(resolved),
    )


def host_capacity(resolved: Resolved) -> Estimate:
    """RAM of the host; unknown where nobody reported it."""
    ram = resolved.cluster.host.ram_bytes
    if ram is None and resolved.cluster.device.accelerator is None:
        ram = resolved.cluster.device.memory_bytes - resolved.cluster.device.used_bytes
    if ram is None or not math.isfinite(ram):
        return Estimate(0.0, UNKNOWN_CAPACITY, UNKNOWN_CAPACITY, "assumed")
    return exact(max(0.0, ram), "published")


def _host_ram(resolved: Resolved, host: DeviceMemory) -> Estimate:
    """What must lie in RAM: host buffers and the process itself (0.3 to 2 GiB)."""
    parts = {
        "weights": host.weights,
        "kv_cache": host.kv_cache,
        "compute": host.compute,
        "process": Estimate(0.3 * GIB, 0.8 * GIB, 2.0 * GIB, "assumed"),
    }
    if host.recurrent is not None:
        parts["recurrent"] = host.recurrent
    return total(parts)
