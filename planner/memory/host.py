"""The host's side of serving: memory while loading and running, what of it is pinned, bytes on disk.

Checkpoints are memory-mapped: the page cache is taken back when others need it, so it is only in upper ends.
"""

from __future__ import annotations

from planner.documents.result import HostMemory
from planner.estimate import Estimate, exact
from planner.memo import kept
from planner.memory.weight_rules import weight_rules
from planner.memory.weights import host_tables
from planner.models.architecture import Architecture, Quantization
from planner.models.formats import model_bytes, tensor_bytes
from planner.models.parameters import all_tensors
from planner.resolved import Resolved
from planner.units import GIB

_PROCESS_BYTES = 4.0 * GIB
"""Per rank: interpreter, libraries, compiled kernels, pinned staging buffers."""
_FRONT_BYTES = 4.0 * GIB
"""Server, scheduler and tokeniser."""


@kept
def checkpoint_bytes(architecture: Architecture, quantization: Quantization) -> float:
    """Bytes of a whole checkpoint by formula, prediction layers included (they are in the files)."""
    extra = (tensor_bytes(t, quantization) for layer in architecture.mtp for t in layer.tensors)
    return model_bytes(architecture, quantization) + sum(extra)


def disk_bytes(resolved: Resolved) -> float:
    """Bytes on disk: the checkpoint as read from the files, else by formula; a draft's beside it."""
    own = resolved.exact_weight_bytes or checkpoint_bytes(resolved.architecture, resolved.quantization)
    return own + (checkpoint_bytes(resolved.draft.architecture, resolved.draft.quantization) if resolved.draft else 0.0)


def shares_memory(resolved: Resolved) -> bool:
    """GPU and CPU take from the same memory."""
    row = resolved.cluster.device.accelerator
    return row is not None and row.unified_memory


def ranks_per_node(resolved: Resolved) -> int:
    """Processes with a device on one node."""
    return min(resolved.serving.gpus, resolved.cluster.per_node)


def pinned_bytes(resolved: Resolved) -> dict[str, float]:
    """What one node locks for its devices, by what it is."""
    ranks = ranks_per_node(resolved)
    serving = resolved.serving
    return {"offloaded": serving.cpu_offload_bytes * ranks, "kv_offload": serving.kv_offload_bytes * ranks}


def host_ram(resolved: Resolved) -> Estimate:
    """RAM of one node while it serves; at most the whole checkpoint in the page cache on top."""
    model, scheme = resolved.architecture, resolved.quantization
    terms = {
        "processes": ranks_per_node(resolved) * _PROCESS_BYTES,
        "server": _FRONT_BYTES,
        **pinned_bytes(resolved),
        "tables": host_tables(model, scheme, weight_rules(resolved.engine, model, scheme)),
    }
    value = sum(terms.values())
    low = value - 0.5 * (terms["processes"] + terms["server"])
    terms["page_cache"] = disk_bytes(resolved)
    return Estimate(low, value, value + terms["page_cache"], "assumed", terms)


def host_memory(resolved: Resolved, running: Estimate, token_bytes: float, pools: float) -> HostMemory:
    """The parts of what stays while it serves (``running``, from ``host_ram``).

    ``token_bytes`` are KV bytes of a context token on one rank of each of ``pools`` pools.
    """
    pinned = pinned_bytes(resolved)
    return HostMemory(
        loading=loading_ram(resolved, running),
        pinned=exact(sum(pinned.values()), "formula", **pinned),
        page_cache=page_cache(resolved, running.value),
        kv_tokens=_offloaded_tokens(resolved, token_bytes, pools),
    )


def loading_ram(resolved: Resolved, running: Estimate) -> Estimate:
    """Processes and one tensor a rank on its way to the device; KV blocks are pinned later."""
    kept = {name: size for name, size in running.terms.items() if name not in ("page_cache", "kv_offload")}
    kept["staging"] = ranks_per_node(resolved) * largest_tensor(resolved.architecture, resolved.quantization)
    value = sum(kept.values())
    low = value - 0.5 * (kept.get("processes", 0.0) + kept.get("server", 0.0)) - kept["staging"]
    cache = disk_bytes(resolved)
    return Estimate(max(0.0, low), value, value + cache, "assumed", {**kept, "page_cache": cache})


def page_cache(resolved: Resolved, running: float) -> Estimate:
    """The files that were read, as far as RAM is left beside what runs."""
    size, ram = disk_bytes(resolved), resolved.cluster.host.ram_bytes
    value = size if ram is None else min(size, max(0.0, ram - running))
    return Estimate(0.0, value, size, "formula", {"files": size})


@kept
def largest_tensor(architecture: Architecture, quantization: Quantization) -> float:
    """Bytes of the largest tensor of a checkpoint; experts lie there one by one."""
    sizes = (
        tensor_bytes(t, quantization) / (t.shape[0] if len(t.shape) > 2 else 1) for t, _ in all_tensors(architecture)
    )
    return max(sizes, default=0.0)


def _offloaded_tokens(resolved: Resolved, token_bytes: float, pools: float) -> Estimate | None:
    size = resolved.serving.kv_offload_bytes
    if not size or not token_bytes:
        return None
    terms = {"bytes_per_rank": size, "bytes_per_token": token_bytes, "pools": pools}
    return exact(size / token_bytes * pools, "formula", **terms)
