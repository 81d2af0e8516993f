"""Does a llama.cpp deployment fit: GPUs, host and one request; with the nearest changes that would make it fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from planner.documents.result import Finding, ServingMemory, Verdict
from planner.estimate import Estimate, total
from planner.memory.gguf import gguf_memory
from planner.memory.gguf_buffers import UNKNOWN_CAPACITY, gpu_count, host_capacity, with_context
from planner.memory.gguf_cache import PAD, context_cells
from planner.memory.gpu_share import beyond_share
from planner.memory.host import shares_memory
from planner.resolved import Resolved
from planner.units import human_bytes

_TIGHT = 0.97
"""Share of a device above which a fit is called tight."""
_SMALLER = ("gguf:Q8_0", "gguf:Q6_K", "gguf:Q5_K_M", "gguf:Q4_K_M", "gguf:IQ4_XS", "gguf:Q3_K_M", "gguf:IQ2_M")


def local_verdict(resolved: Resolved, memory: ServingMemory) -> tuple[Verdict, tuple[Finding, ...]]:
    """The verdict and, where it does not fit, what is too large and up to three computed ways out."""
    verdict = _verdict(resolved, memory)
    if verdict == "unknown":
        return verdict, (_unreported(resolved),)
    if verdict != "does-not-fit":
        return beyond_share(resolved, memory, verdict) or (verdict, ())
    where, need, have = _shortage(resolved, memory)
    message = f"needs {human_bytes(need)} on {where}, {human_bytes(have)} are there"
    ways = tuple(islice(_ways(resolved), 3))
    if not ways:
        return verdict, (Finding("does-not-fit", message, "take a smaller model or more memory"),)
    return verdict, tuple(Finding("does-not-fit", message, text, change=change) for text, change in ways)


def _verdict(resolved: Resolved, memory: ServingMemory) -> Verdict:
    gpu = _fits(memory.per_gpu.total, memory.per_gpu.capacity)
    host = _fits(memory.host_ram, host_capacity(resolved)) if memory.host_ram else "fits"
    if gpu_count(resolved) == 0:
        return host
    if shares_memory(resolved) and memory.host_ram:
        both = total({"gpu": memory.per_gpu.total, "host": memory.host_ram})
        ram = host_capacity(resolved)
        host = _fits(both, ram if ram.value < UNKNOWN_CAPACITY else memory.per_gpu.capacity)
    if "does-not-fit" in (gpu, host):
        return "does-not-fit"
    if gpu == "unknown":
        return gpu
    # RAM that nobody reported does not void a fit on the GPUs while little more than the input table lies there
    if host == "unknown" and _host_weights(memory) > 0.5 * (memory.disk or 0.0):
        return "unknown"
    return "tight" if "tight" in (gpu, host) else gpu


def _unreported(resolved: Resolved) -> Finding:
    """Whose memory nobody stated."""
    host = gpu_count(resolved) == 0 or resolved.cluster.device.memory_bytes < UNKNOWN_CAPACITY
    key = "hardware.host.ram_bytes" if host else "hardware.memory_bytes"
    whose = "the host, where much of the weights lies," if host else "the device"
    return Finding("memory-not-reported", f"the memory of {whose} is not known", f"state {key}", "warning")


def _host_weights(memory: ServingMemory) -> float:
    return memory.devices[-1].weights.value


def _fits(need: Estimate, have: Estimate) -> Verdict:
    if have.value >= UNKNOWN_CAPACITY:
        return "unknown"
    if need.value > have.value:
        return "does-not-fit"
    return "tight" if need.value > _TIGHT * have.value else "fits"


def _shortage(resolved: Resolved, memory: ServingMemory) -> tuple[str, float, float]:
    """Where it does not fit: name, need and capacity in bytes."""
    gpu, ram = memory.per_gpu, memory.host_ram or memory.per_gpu.total
    if gpu_count(resolved) and gpu.total.value > gpu.capacity.value:
        return "one GPU", gpu.total.value, gpu.capacity.value
    have = host_capacity(resolved).value
    if gpu_count(resolved) and shares_memory(resolved):
        both = gpu.total.value + ram.value
        return "the memory shared by GPU and host", both, have if have < UNKNOWN_CAPACITY else gpu.capacity.value
    return "the host", ram.value, have


def _ways(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any]]]:
    """Single changes after which it fits, least painful first."""
    for text, change, candidate in _candidates(resolved):
        if _verdict(candidate, gguf_memory(candidate)) in ("fits", "tight"):
            yield text, change


def _candidates(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any], Resolved]]:
    serving, gpus = resolved.serving, gpu_count(resolved)
    if gpus and serving.n_gpu_layers is not None:
        yield "leave n_gpu_layers to the engine", {"serving.n_gpu_layers": None}, _with(resolved, n_gpu_layers=None)
    shorter = _shorter(with_context(resolved))
    if shorter:
        yield f"max_model_len {shorter:,}", {"serving.max_model_len": shorter}, _with(resolved, max_model_len=shorter)
    if serving.kv_cache_dtype not in ("q8_0", "q4_0"):
        change = {"serving.kv_cache_dtype": "q8_0", "serving.flash_attention": True}
        yield "kv_cache_dtype q8_0", change, _with(resolved, kv_cache_dtype="q8_0", flash_attention=True)
    moe = resolved.architecture.has_experts
    if gpus and moe and not serving.experts_on_cpu:
        yield "experts on the CPU", {"serving.experts_on_cpu": True}, _with(resolved, experts_on_cpu=True)
    yield from _smaller_weights(resolved)


def _smaller_weights(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any], Resolved]]:
    """The largest usual mix that fits."""
    own = gguf_memory(resolved).disk or 0.0
    for name in _SMALLER:
        quantization = replace(resolved.quantization, scheme=name)
        candidate = replace(resolved, quantization=quantization, gguf_file_bytes=None, gguf_layout=None)
        memory = gguf_memory(candidate)
        if (memory.disk or 0.0) < own and _verdict(candidate, memory) in ("fits", "tight"):
            yield f"weights {name}", {"model.weights": name}, candidate
            return


def _shorter(resolved: Resolved) -> int | None:
    """The longest context that fits, by halving the gap; None where not even one block of it does."""
    low, high = 0, context_cells(resolved.serving.max_model_len) // PAD
    while high - low > 1:
        middle = (low + high) // 2
        candidate = _with(resolved, max_model_len=middle * PAD)
        if _verdict(candidate, gguf_memory(candidate)) in ("fits", "tight"):
            low = middle
        else:
            high = middle
    return low * PAD or None


def _with(resolved: Resolved, **changes: Any) -> Resolved:
    """The deployment with other settings; a context that is set is no longer assumed."""
    assumed = {key: value for key, value in resolved.assumed.items() if key.removeprefix("serving.") not in changes}
    return replace(resolved, serving=replace(resolved.serving, **changes), assumed=assumed)
