"""Makes one configuration fit: the context that the memory really holds, the utilisation, the KV format."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from planner.documents.result import Finding, ServingMemory
from planner.memory.gpu_share import given_share
from planner.memory.obstacle import share_beside
from planner.resolved import Resolved
from planner.search.candidate import Option, Tools
from planner.search.groups import Group
from planner.search.task import STEP, Task
from planner.units import human_bytes

_TRIES = 3
_FULL_HOST_SHARE = 0.5
"""Host RAM that nobody reported does not matter while less than this share of the file lies there."""


def fitted(option: Option, resolved: Resolved, task: Task, tools: Tools) -> tuple[Resolved, ServingMemory] | Finding:
    """The configuration with the longest context up to the wanted one, or why it cannot hold even the shortest."""
    if option.local:
        return _fitted_local(resolved, task, tools)
    best: tuple[Resolved, ServingMemory] | None = None
    enough = task.enough_context(resolved.architecture.max_position)
    nearest: ServingMemory | None = None
    for variant in _variants(option, resolved, task, tools):
        memory = tools.memory(variant)
        nearest = nearest or memory
        found = _longest(variant, memory, task, tools)
        if found and (best is None or found[0].serving.max_model_len > best[0].serving.max_model_len):
            best = found
        if best and best[0].serving.max_model_len >= enough:
            break
    return best or _too_large(resolved, nearest, task)


def _variants(option: Option, resolved: Resolved, task: Task, tools: Tools) -> Iterator[Resolved]:
    """The engine's own settings first, then more of the card, then a smaller KV cache."""
    wanted = task.wanted_context(resolved.architecture.max_position)
    share = free_share(option.group, resolved.serving.gpu_memory_utilization, task.policy.free_margin)
    top = free_share(option.group, task.policy.highest_utilization, task.policy.free_margin)
    if option.group.unified:
        beside = min(share_beside(resolved, tools.memory(resolved)), 1.0 - task.policy.host_reserve)
        top = share = min(share, beside, given_share(resolved))
    first = _with(resolved, max_model_len=wanted, gpu_memory_utilization=share)
    yield first
    if top > share:
        yield _with(first, gpu_memory_utilization=top)
    if resolved.serving.kv_cache_dtype in ("bf16", "fp16") and _native_fp8(resolved):
        yield _with(first, kv_cache_dtype="fp8")
        yield _with(first, kv_cache_dtype="fp8", gpu_memory_utilization=max(top, share))


def free_share(group: Group, wanted: float, margin: float) -> float:
    """The wanted share of the device's total, or what is free of it."""
    if not group.total_bytes or group.free_bytes is None or group.unified:
        return wanted
    free = math.floor(group.free_bytes / group.total_bytes * margin * 100) / 100
    return min(wanted, max(free, 0.01))


def _native_fp8(resolved: Resolved) -> bool:
    row = resolved.cluster.device.accelerator
    return row is not None and bool(row.supports.get("fp8"))


def _longest(
    resolved: Resolved, memory: ServingMemory, task: Task, tools: Tools
) -> tuple[Resolved, ServingMemory] | None:
    """The context shortened to what the pool holds, verified."""
    least = least_of(resolved, task)
    for _ in range(_TRIES):
        if not _room(resolved, memory):
            return None
        if not keeps_cache(resolved):
            return resolved, memory
        if memory.max_concurrency.value >= resolved.serving.attention_dp:
            return resolved, memory
        tokens = memory.kv_tokens.value / resolved.serving.attention_dp
        held = min(
            tokens, memory.max_concurrency.value / resolved.serving.attention_dp * resolved.serving.max_model_len
        )
        length = int(max(held, min(tokens, resolved.serving.max_model_len - STEP)) // STEP * STEP)
        if length < least:
            return None
        resolved = _with(resolved, max_model_len=min(length, resolved.serving.max_model_len - STEP))
        memory = tools.memory(resolved)
    return None


def keeps_cache(resolved: Resolved) -> bool:
    """Models that write text keep a cache; encoders do not."""
    return resolved.architecture.kind in ("decoder", "encoder-decoder")


def least_of(resolved: Resolved, task: Task) -> int:
    """The shortest context of use for this model."""
    return task.least_context(resolved.architecture.max_position, generates=keeps_cache(resolved))


def _room(resolved: Resolved, memory: ServingMemory) -> bool:
    gpu = memory.per_gpu
    least = gpu.total.value - (gpu.cuda_graphs.value - gpu.cuda_graphs.low)
    pool = gpu.kv_cache.value > 0 or not keeps_cache(resolved)
    return pool and least <= gpu.capacity.value


def _fitted_local(resolved: Resolved, task: Task, tools: Tools) -> tuple[Resolved, ServingMemory] | Finding:
    """llama.cpp: all slots share one context; it shrinks to the workload's need before anything moves to the host."""
    slots = max(1, min(math.ceil(task.workload.concurrency or 1.0), 16))
    limit = resolved.architecture.max_position or 2**20
    need = math.ceil((task.workload.isl + task.workload.osl + task.workload.context) / STEP) * STEP
    least = least_of(resolved, task)
    lengths = [min(max(task.wanted_context(limit), slots * need), limit * slots), max(least, slots * need)]
    nearest: ServingMemory | None = None
    for length in dict.fromkeys([*lengths, max(lengths[1] // 2, least), least]):
        variant = _with(resolved, max_model_len=length, parallel=max(1, min(slots, length // max(need, 1))))
        memory = tools.memory(variant)
        nearest = nearest or memory
        if _local_room(variant, memory, task.policy.host_reserve):
            return variant, memory
    return _too_large(resolved, nearest, task)


def _local_room(resolved: Resolved, memory: ServingMemory, reserve: float) -> bool:
    gpu = memory.per_gpu
    on_host = resolved.cluster.device.accelerator is None
    if gpu.total.value > gpu.capacity.value * (1.0 - reserve if on_host else 1.0):
        return False
    ram = resolved.cluster.host.ram_bytes
    if resolved.cluster.device.accelerator is None or memory.host_ram is None:
        return True
    if ram is None:
        return memory.devices[-1].weights.value <= _FULL_HOST_SHARE * (memory.disk or 0.0)
    return memory.host_ram.value <= ram


def _with(resolved: Resolved, **values: object) -> Resolved:
    """The deployment with other settings; what is set is no longer assumed."""
    assumed = {key: value for key, value in resolved.assumed.items() if key.partition(".")[2] not in values}
    return replace(resolved, serving=replace(resolved.serving, **values), assumed=assumed)  # type: ignore[arg-type]


def _too_large(resolved: Resolved, memory: ServingMemory | None, task: Task) -> Finding:
    if memory is None:
        return Finding("does-not-fit", "no configuration of it fits")
    gpu = memory.per_gpu
    overheads = human_bytes(gpu.activations.value + gpu.non_torch.value)
    message = (
        f"{human_bytes(gpu.weights.value)} of weights and {overheads} of overheads leave no room "
        f"for {least_of(resolved, task):,} tokens on a device of {human_bytes(gpu.capacity.value)}"
    )
    return Finding("does-not-fit", message, "smaller weights, more devices, or a shorter context")
