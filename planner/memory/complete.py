"""What an answer says beside the devices' memory: the host's side, the start, the longest context at the load.

A search that weighs thousands of layouts does without.
"""

from __future__ import annotations

from dataclasses import replace

from planner.documents.result import HostMemory, ServingMemory
from planner.estimate import Estimate, exact
from planner.memory.host import host_memory, loading_ram, page_cache
from planner.memory.kv_capacity import longest_context
from planner.memory.kv_rules import kv_rules
from planner.memory.layout import layout_of
from planner.memory.serving import demand_of, pools_of, specs_of
from planner.memory.startup import startup
from planner.resolved import Resolved

_LONGEST = 1 << 24
"""Tokens looked at where a model states no limit."""


def completed(resolved: Resolved, memory: ServingMemory) -> ServingMemory:
    """The memory with everything that is said of the rest of the machine."""
    start = startup(resolved)
    if memory.devices:
        return replace(memory, host=_local_host(resolved, memory), startup=start)
    running = memory.host_ram or exact(0.0)
    host = host_memory(resolved, running, memory.kv_bytes_per_token * resolved.serving.dcp, pools_of(resolved))
    return replace(memory, host=host, startup=start, max_context=max_context(resolved, memory))


def max_context(resolved: Resolved, memory: ServingMemory) -> Estimate | None:
    """The longest max_model_len at which the pools hold the load's requests; up to what the model takes.

    None for models without a cache and for loads without a number of requests.
    """
    serving, load, model = resolved.serving, resolved.workload, resolved.architecture
    rules = kv_rules(resolved.engine, model)
    specs = [spec for spec in specs_of(resolved, layout_of(serving, model.num_layers), rules) if spec.caches]
    if not specs or load.concurrency is None:
        return None
    requests = max(1.0, load.concurrency / serving.dp)
    users = requests / pools_of(resolved)
    demand = demand_of(resolved, model.max_position or _LONGEST)
    pool = memory.per_gpu.kv_cache
    low, value, high = (
        float(min(longest_context(spec, size, users, demand, rules) for spec in specs))
        for size in (pool.low, pool.value, pool.high)
    )
    terms = {"requests": requests, "model": float(demand.max_model_len)}
    return Estimate(low, value, high, "formula", terms)


def _local_host(resolved: Resolved, memory: ServingMemory) -> HostMemory:
    """The file is memory-mapped: what of it goes to the GPUs passes through the page cache."""
    buffers, running = memory.devices[-1], memory.host_ram or exact(0.0)
    gpus = resolved.cluster.device.accelerator is not None
    return HostMemory(
        loading=loading_ram(resolved, running),
        pinned=buffers.compute if gpus else exact(0.0),
        page_cache=page_cache(resolved, running.value - buffers.weights.value),
    )
