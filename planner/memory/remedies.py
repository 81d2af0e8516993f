"""Changes that would make a deployment start, each tried before it is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from planner.documents.result import ServingMemory
from planner.memory.host import ranks_per_node, shares_memory
from planner.memory.kv_capacity import longest_context
from planner.memory.kv_rules import kv_rules
from planner.memory.layout import layout_of
from planner.memory.obstacle import share_beside, share_taken, shared_left, starts
from planner.memory.serving import demand_of, specs_of
from planner.resolved import Resolved
from planner.units import GIB, human_bytes

_LEAST_CONTEXT = 1024

Change = tuple[str, dict[str, Any]]
"""In words, and as dotted keys of the deployment."""


def changes(resolved: Resolved, memory: ServingMemory) -> Iterator[Change]:
    """Changes that make it fit, the least intrusive first."""
    yield from _less_offload(resolved, memory)
    yield from _lower_share(resolved, memory)
    yield from _shorter(resolved, memory)
    yield from _smaller_cache(resolved)
    yield from _higher_share(resolved)
    yield from _smaller_steps(resolved)
    yield from _wider(resolved)


def _with(resolved: Resolved, **values: Any) -> Resolved:
    return replace(resolved, serving=replace(resolved.serving, **values))


def _less_offload(resolved: Resolved, memory: ServingMemory) -> Iterator[Change]:
    """What RAM leaves for KV blocks beside everything else, in whole GiB a device."""
    serving, over = resolved.serving, _beyond_ram(resolved, memory) / ranks_per_node(resolved)
    if not serving.kv_offload_bytes or over <= 0:
        return
    size = max(0.0, (serving.kv_offload_bytes - over) // GIB * GIB)
    if starts(_with(resolved, kv_offload_bytes=size)):
        yield f"kv_offload_bytes {human_bytes(size)} a device", {"serving.kv_offload_bytes": size}


def _beyond_ram(resolved: Resolved, memory: ServingMemory) -> float:
    """Bytes that one node's RAM lacks; 0 where it is not known."""
    ram, needed = resolved.cluster.host.ram_bytes, memory.host_ram
    if needed is None:
        return 0.0
    if shares_memory(resolved):
        return max(0.0, -shared_left(resolved, memory, needed.value))
    return max(0.0, needed.value - ram) if ram is not None else 0.0


def _shorter(resolved: Resolved, memory: ServingMemory) -> Iterator[Change]:
    pool = memory.per_gpu.kv_cache.value
    if pool <= 0:
        return
    layout, rules, serving = (
        layout_of(resolved.serving, resolved.architecture.num_layers),
        kv_rules(resolved.engine, resolved.architecture),
        resolved.serving,
    )
    specs = specs_of(resolved, layout, rules)
    users = 1.0 / serving.dcp
    length = min(longest_context(s, pool, users, demand_of(resolved), rules) for s in specs)
    length -= length % serving.block_size
    if length >= _LEAST_CONTEXT and starts(_with(resolved, max_model_len=length)):
        yield f"max_model_len {length:,}", {"serving.max_model_len": length}


def _smaller_cache(resolved: Resolved) -> Iterator[Change]:
    if resolved.serving.kv_cache_dtype in ("bf16", "fp16", "fp32") and _takes_fp8_cache(resolved):
        tried = _with(resolved, kv_cache_dtype="fp8")
        if starts(tried):
            yield "kv_cache_dtype fp8", {"serving.kv_cache_dtype": "fp8"}


def _takes_fp8_cache(resolved: Resolved) -> bool:
    row = resolved.cluster.device.accelerator
    return row is None or row.supports.get("fp8", True)


def _lower_share(resolved: Resolved, memory: ServingMemory) -> Iterator[Change]:
    """The share that leaves room for what others hold, the context and captured graphs."""
    if not shares_memory(resolved) and not share_taken(resolved):
        return
    share = share_beside(resolved, memory)
    if 0 < share < resolved.serving.gpu_memory_utilization and starts(_with(resolved, gpu_memory_utilization=share)):
        yield f"gpu_memory_utilization {share}", {"serving.gpu_memory_utilization": share}


def _higher_share(resolved: Resolved) -> Iterator[Change]:
    for share in (0.92, 0.95):
        tried = _with(resolved, gpu_memory_utilization=share)
        if share > resolved.serving.gpu_memory_utilization and starts(tried):
            yield f"gpu_memory_utilization {share}", {"serving.gpu_memory_utilization": share}
            return


def _smaller_steps(resolved: Resolved) -> Iterator[Change]:
    serving = resolved.serving
    seqs, tokens = min(64, serving.max_num_seqs), min(2048, serving.max_num_batched_tokens)
    if (seqs, tokens) != (serving.max_num_seqs, serving.max_num_batched_tokens):
        tried = _with(resolved, max_num_seqs=seqs, max_num_batched_tokens=tokens)
        if starts(tried):
            change = {"serving.max_num_seqs": seqs, "serving.max_num_batched_tokens": tokens}
            yield f"max_num_seqs {seqs} with max_num_batched_tokens {tokens}", change


def _wider(resolved: Resolved) -> Iterator[Change]:
    """More devices of the same cluster: the next tensor parallelism that divides the heads."""
    serving, devices = resolved.serving, resolved.cluster.num_devices
    others = serving.pp * serving.attention_dp * serving.dp
    for tp in (2, 4, 8, 16, 32):
        if tp <= serving.tp or not _divides(resolved, tp):
            continue
        tried = _with(resolved, tp=tp, ep=tp * serving.attention_dp if serving.ep > 1 else 1)
        if starts(tried):
            change: dict[str, Any] = {"serving.tp": tp}
            if tried.serving.ep != serving.ep:
                change["serving.ep"] = tried.serving.ep
            if tp * others > devices:
                change["hardware.nodes"] = -(-tp * others // resolved.cluster.per_node)
            yield f"tp {tp}", change
            return


def _divides(resolved: Resolved, tp: int) -> bool:
    heads = (getattr(m, "num_q_heads", 0) for layer in resolved.architecture.layer_kinds for m in layer.mixers)
    return all(n % tp == 0 for n in heads if n)
