"""Whether a serving deployment starts, and the nearest changes that would make it start. Computed, not canned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import floor
from typing import Any

from planner.documents.result import Finding, ServingMemory, Verdict
from planner.memory.kv_cache import kv_specs
from planner.memory.kv_capacity import longest_context
from planner.memory.kv_rules import kv_rules
from planner.memory.layout import layout_of
from planner.memory.serving import capacity_bytes, demand_of, serving_memory
from planner.resolved import Resolved, Serving
from planner.units import human_bytes

TIGHT_SHARE = 0.03
"""Less of the device than this left free is "tight"."""
_MOST_CHANGES = 3
_LEAST_CONTEXT = 1024


def serving_verdict(
    resolved: Resolved, memory: ServingMemory, *, suggest: bool = True
) -> tuple[Verdict, tuple[Finding, ...]]:
    """``does-not-fit`` when weights, or one request of max_model_len, or all parts together exceed what there is.

    ``suggest`` looks for the nearest changes that make it fit; a search that only counts refusals does without.
    """
    problem = _problem(resolved, memory)
    if problem is None:
        gpu = memory.per_gpu
        left = gpu.capacity.value - gpu.total.value
        tight = left < TIGHT_SHARE * capacity_bytes(resolved)
        return ("tight" if tight else "fits"), ()
    changes = list(islice(_changes(resolved, memory), _MOST_CHANGES)) if suggest else []
    first = changes[0] if changes else ("more or larger devices", {})
    findings = [Finding("does-not-fit", problem, first[0], "error", first[1])]
    findings += [Finding("does-not-fit", f"would also fit: {text}", text, "warning", c) for text, c in changes[1:]]
    return "does-not-fit", tuple(findings)


def _problem(resolved: Resolved, memory: ServingMemory) -> str | None:
    gpu, serving = memory.per_gpu, resolved.serving
    pool = gpu.kv_cache
    if _share_taken(resolved):
        used = human_bytes(resolved.cluster.device.used_bytes)
        return f"{used} of the device are held by others: less is free than gpu_memory_utilization asks for"
    short = -sum(pool.terms.values())
    if short >= 0:
        return (
            f"weights ({human_bytes(gpu.weights.value)}), activations ({human_bytes(gpu.activations.value)}) and "
            f"overheads exceed the budget of one device by {human_bytes(short)}"
        )
    if memory.max_concurrency.value < _requests(serving) and memory.max_concurrency.terms.get("request_bytes"):
        needed = memory.max_concurrency.terms["request_bytes"]
        return (
            f"one request of {serving.max_model_len:,} tokens needs {human_bytes(needed)} of KV cache, "
            f"the pool has {human_bytes(pool.value)}"
        )
    least = gpu.total.value - (gpu.cuda_graphs.value - gpu.cuda_graphs.low)
    if least > gpu.capacity.value:
        over = human_bytes(least - gpu.capacity.value)
        return f"with captured graphs and the runtime's context a device would hold {over} more than it has"
    return None


def _share_taken(resolved: Resolved) -> bool:
    """Engines that take a share of the total refuse to start when less than that is free (vLLM request_memory)."""
    if resolved.engine.fact("memory.convention", "total") != "total":
        return False
    size = capacity_bytes(resolved)
    return size * resolved.serving.gpu_memory_utilization > size - resolved.cluster.device.used_bytes


def _requests(serving: Serving) -> float:
    """Every attention group must hold a request of its own."""
    return float(serving.attention_dp)


def starts(resolved: Resolved) -> bool:
    """Whether a deployment fits, without looking for changes."""
    return _problem(resolved, serving_memory(resolved)) is None


def _changes(resolved: Resolved, memory: ServingMemory) -> Iterator[tuple[str, dict[str, Any]]]:
    """Changes that make it fit, the least intrusive first."""
    yield from _lower_share(resolved, memory)
    yield from _shorter(resolved, memory)
    yield from _smaller_cache(resolved)
    yield from _higher_share(resolved)
    yield from _smaller_steps(resolved)
    yield from _wider(resolved)


def _with(resolved: Resolved, **values: Any) -> Resolved:
    return replace(resolved, serving=replace(resolved.serving, **values))


def _shorter(resolved: Resolved, memory: ServingMemory) -> Iterator[tuple[str, dict[str, Any]]]:
    pool = memory.per_gpu.kv_cache.value
    if pool <= 0:
        return
    layout, rules, serving = (
        layout_of(resolved.serving, resolved.architecture.num_layers),
        kv_rules(resolved.engine, resolved.architecture),
        resolved.serving,
    )
    specs = kv_specs(resolved.architecture, serving.kv_cache_dtype, serving.tp, layout.pp, rules, mtp=layout.mtp)
    users = 1.0 / serving.dcp
    length = min(longest_context(s, pool, users, demand_of(resolved), rules) for s in specs)
    length -= length % serving.block_size
    if length >= _LEAST_CONTEXT and starts(_with(resolved, max_model_len=length)):
        yield f"max_model_len {length:,}", {"serving.max_model_len": length}


def _smaller_cache(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any]]]:
    if resolved.serving.kv_cache_dtype in ("bf16", "fp16", "fp32") and _takes_fp8_cache(resolved):
        tried = _with(resolved, kv_cache_dtype="fp8")
        if starts(tried):
            yield "kv_cache_dtype fp8", {"serving.kv_cache_dtype": "fp8"}


def _takes_fp8_cache(resolved: Resolved) -> bool:
    row = resolved.cluster.device.accelerator
    return row is None or row.supports.get("fp8", True)


def _lower_share(resolved: Resolved, memory: ServingMemory) -> Iterator[tuple[str, dict[str, Any]]]:
    """The share that leaves room for what others hold, the context and captured graphs."""
    if not _share_taken(resolved):
        return
    terms = memory.per_gpu.total.terms
    outside = resolved.cluster.device.used_bytes + terms["context"] + terms["cuda_graphs"]
    share = floor(100 * (1 - outside / capacity_bytes(resolved))) / 100
    if share > 0 and starts(_with(resolved, gpu_memory_utilization=share)):
        yield f"gpu_memory_utilization {share}", {"serving.gpu_memory_utilization": share}


def _higher_share(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any]]]:
    for share in (0.92, 0.95):
        tried = _with(resolved, gpu_memory_utilization=share)
        if share > resolved.serving.gpu_memory_utilization and starts(tried):
            yield f"gpu_memory_utilization {share}", {"serving.gpu_memory_utilization": share}
            return


def _smaller_steps(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any]]]:
    serving = resolved.serving
    seqs, tokens = min(64, serving.max_num_seqs), min(2048, serving.max_num_batched_tokens)
    if (seqs, tokens) != (serving.max_num_seqs, serving.max_num_batched_tokens):
        tried = _with(resolved, max_num_seqs=seqs, max_num_batched_tokens=tokens)
        if starts(tried):
            change = {"serving.max_num_seqs": seqs, "serving.max_num_batched_tokens": tokens}
            yield f"max_num_seqs {seqs} with max_num_batched_tokens {tokens}", change


def _wider(resolved: Resolved) -> Iterator[tuple[str, dict[str, Any]]]:
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
