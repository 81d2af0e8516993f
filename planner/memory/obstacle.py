"""What keeps a serving deployment from starting, if anything."""

from __future__ import annotations

from math import floor

from planner.documents.result import ServingMemory
from planner.memory.budget import capacity_bytes
from planner.memory.host import pinned_bytes, shares_memory
from planner.memory.serving import serving_memory
from planner.resolved import Resolved
from planner.units import human_bytes

TIGHT_SHARE = 0.03
"""Less of the device than this left free is "tight"."""


def obstacle(resolved: Resolved, memory: ServingMemory) -> str | None:
    """The first of: memory held by others, weights, one whole request, everything together. None: it starts."""
    gpu, serving = memory.per_gpu, resolved.serving
    pool = gpu.kv_cache
    if share_taken(resolved):
        used = human_bytes(resolved.cluster.device.used_bytes)
        return f"{used} of the device are held by others: less is free than gpu_memory_utilization asks for"
    short = -sum(pool.terms.values())
    if short >= 0:
        return (
            f"weights ({human_bytes(gpu.weights.value)}), activations ({human_bytes(gpu.activations.value)}) and "
            f"overheads exceed the budget of one device by {human_bytes(short)}"
        )
    if memory.max_concurrency.value < serving.attention_dp and memory.max_concurrency.terms.get("request_bytes"):
        needed = memory.max_concurrency.terms["request_bytes"]
        return (
            f"one request of {serving.max_model_len:,} tokens needs {human_bytes(needed)} of KV cache, "
            f"the pool has {human_bytes(pool.value)}"
        )
    loose = (gpu.cuda_graphs, gpu.activations)
    least = gpu.total.value - sum(part.value - part.low for part in loose)
    if least > gpu.capacity.value:
        over = human_bytes(least - gpu.capacity.value)
        return f"with captured graphs and the runtime's context a device would hold {over} more than it has"
    return _shared_obstacle(resolved, memory) or _host_obstacle(resolved, memory)


def shared_left(resolved: Resolved, memory: ServingMemory, ram_bytes: float) -> float:
    """Bytes left where the host's ``ram_bytes`` come out of the devices' memory; elsewhere of the device alone."""
    left = memory.per_gpu.capacity.value - memory.per_gpu.total.value
    if not shares_memory(resolved):
        return left
    beside = (resolved.cluster.host.ram_bytes or 0.0) - capacity_bytes(resolved)
    return left + max(0.0, beside) - ram_bytes


def share_beside(resolved: Resolved, memory: ServingMemory) -> float:
    """The largest share, in whole hundredths, beside what others hold, the context and captured graphs.

    Where GPU and host share memory the engine's own processes and ``TIGHT_SHARE`` stay free as well.
    """
    size, share = capacity_bytes(resolved), resolved.serving.gpu_memory_utilization
    over = -shared_left(resolved, memory, 0.0)
    if shares_memory(resolved) and memory.host_ram:
        over += memory.host_ram.value - memory.host_ram.terms.get("tables", 0.0) + TIGHT_SHARE * size
    return max(0.0, floor(100 * (share - over / _pool_by_share(resolved, memory))) / 100)


def _pool_by_share(resolved: Resolved, memory: ServingMemory) -> float:
    """Bytes by which the pool grows when the share goes from 0 to 1, by the engine's convention."""
    size, convention = capacity_bytes(resolved), resolved.engine.fact("memory.convention", "total")
    if convention == "free":
        return max(1.0, memory.per_gpu.kv_cache.value / max(0.01, resolved.serving.gpu_memory_utilization))
    outside = resolved.cluster.device.used_bytes + memory.per_gpu.total.terms["context"]
    return max(1.0, size - outside if convention == "static" else size)


def _shared_obstacle(resolved: Resolved, memory: ServingMemory) -> str | None:
    """One memory for GPU and host: at least the engine's own processes must live beside its budget.

    Lookup tables need not: builds for such machines map them from the disk.
    """
    ram = memory.host_ram
    if ram is None or not shares_memory(resolved):
        return None
    least = max(0.0, ram.low - ram.terms.get("tables", 0.0))
    over = -shared_left(resolved, memory, least)
    if over <= 0:
        return None
    return (
        f"GPU and host share {human_bytes(memory.per_gpu.capacity.value)}: beside the engine's budget its processes "
        f"need at least {human_bytes(least)} of RAM, {human_bytes(over)} more than is left"
    )


def _host_obstacle(resolved: Resolved, memory: ServingMemory) -> str | None:
    """RAM that is locked or taken by processes cannot be swapped out; unknown RAM is no obstacle."""
    ram, pinned = resolved.cluster.host.ram_bytes, sum(pinned_bytes(resolved).values())
    if ram is None or not pinned or memory.host_ram is None:
        return None
    if memory.host_ram.value <= ram:
        return None
    return (
        f"one node needs {human_bytes(memory.host_ram.value)} of RAM, {human_bytes(pinned)} of it "
        f"locked for offload, and has {human_bytes(ram)}"
    )


def share_taken(resolved: Resolved) -> bool:
    """Engines that take a share of the total refuse to start when less than that is free (vLLM request_memory)."""
    if resolved.engine.fact("memory.convention", "total") != "total":
        return False
    size = capacity_bytes(resolved)
    return size * resolved.serving.gpu_memory_utilization > size - resolved.cluster.device.used_bytes


def starts(resolved: Resolved) -> bool:
    """Whether a deployment fits, without looking for changes."""
    return obstacle(resolved, serving_memory(resolved)) is None
