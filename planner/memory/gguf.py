"""Memory of the llama.cpp family: model, cache and compute buffers per device, as its log lists them."""

from __future__ import annotations

from planner.documents.result import DeviceMemory, GpuMemory, ServingMemory
from planner.estimate import Estimate, exact, spread, total
from planner.memory.gguf_buffers import (
    Buffers,
    buffers_of,
    gpu_capacity,
    gpu_overhead,
    host_capacity,
    laid,
)
from planner.memory.gguf_cache import bytes_per_token, cache_rules, context_cells
from planner.memory.gguf_compute import compute_estimates
from planner.models.gguf_layout import GgufLayout
from planner.resolved import Resolved
from planner.units import GIB

_HEADER_BYTES_PER_TOKEN = 60.0
"""Vocabulary, merges and metadata in the file: 7.8 MB at 128k tokens."""
_KV_SPREAD = 0.003
_VENDORS = {"nvidia": "CUDA", "amd": "ROCm", "apple": "Metal", "intel": "SYCL", "huawei": "CANN"}
_BACKENDS = {"cuda": "CUDA", "rocm": "ROCm", "hip": "ROCm", "vulkan": "Vulkan", "metal": "Metal", "sycl": "SYCL"}


def gguf_memory(resolved: Resolved) -> ServingMemory:
    """The memory of a llama.cpp deployment on its devices."""
    found = laid(resolved)
    resolved, layout, placement = found.resolved, found.sizes.layout, found.placement
    buffers = buffers_of(found.sizes, placement)
    compute = compute_estimates(found.sizes.graph, found.sizes.needs, layout, placement)
    parts = tuple(_device(resolved, layout, buffers, compute[i], i) for i in range(placement.gpus + 1))
    cells = context_cells(resolved.serving.max_model_len)
    return ServingMemory(
        per_gpu=_worst(resolved, layout, buffers, compute),
        kv_bytes_per_token=bytes_per_token(resolved.architecture, resolved.serving, cache_rules(resolved.engine)),
        kv_tokens=exact(float(cells)),
        max_concurrency=exact(cells / max(1, resolved.serving.max_model_len)),
        host_ram=_host_ram(parts[-1]),
        disk=layout.file_bytes + resolved.architecture.vocab_size * _HEADER_BYTES_PER_TOKEN,
        devices=parts,
    )


def _device(resolved: Resolved, layout: GgufLayout, buffers: Buffers, compute: Estimate, index: int) -> DeviceMemory:
    gpus = len(buffers.weights) - 1
    return DeviceMemory(
        device=device_name(resolved, index, gpus),
        weights=_weights_estimate(layout, buffers.weights[index]),
        kv_cache=spread(buffers.kv[index], _KV_SPREAD, _KV_SPREAD),
        compute=compute,
        recurrent=spread(buffers.state[index], _KV_SPREAD, _KV_SPREAD) if any(buffers.state) else None,
    )


def _weights_estimate(layout: GgufLayout, size: float) -> Estimate:
    return spread(size, layout.spread, layout.spread, "formula" if layout.exact else "assumed")


def device_name(resolved: Resolved, index: int, gpus: int) -> str:
    """``CUDA0``, ``ROCm1``, ``Vulkan0``, ``Metal``, ``CPU`` as the log names them."""
    if index >= gpus:
        return "CPU"
    name = _BACKENDS.get(resolved.engine.backend or "") or _VENDORS.get(resolved.cluster.device.vendor, "Vulkan")
    return name if name == "Metal" else f"{name}{index}"


def _worst(resolved: Resolved, layout: GgufLayout, buffers: Buffers, compute: tuple[Estimate, ...]) -> GpuMemory:
    """The fullest GPU; the host where there is none."""
    sums, gpus = buffers.totals, len(compute) - 1
    index = max(range(gpus), key=lambda i: sums[i]) if gpus else 0
    cache = buffers.kv[index] + buffers.state[index]
    workload = resolved.workload
    used = (workload.concurrency or 1.0) * (workload.isl + workload.osl + workload.context)
    share = min(1.0, used / max(1, context_cells(resolved.serving.max_model_len)))
    parts = {
        "weights": _weights_estimate(layout, buffers.weights[index]),
        "kv_cache": spread(cache, _KV_SPREAD, _KV_SPREAD),
        "activations": compute[index],
        "cuda_graphs": exact(0.0),
        "non_torch": gpu_overhead(resolved) if gpus else exact(0.0),
    }
    return GpuMemory(
        **parts,
        kv_needed=parts["kv_cache"].scaled(share) if share else exact(0.0),
        total=total(parts),
        capacity=gpu_capacity(resolved) if gpus else host_capacity(resolved),
    )


def _host_ram(host: DeviceMemory) -> Estimate:
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
