"""The host's side of serving: memory while loading and running, bytes on disk."""

from __future__ import annotations

from planner.estimate import Estimate
from planner.memory.memo import IdentityMemo
from planner.memory.weight_rules import weight_rules
from planner.memory.weights import host_tables
from planner.models.architecture import Architecture, Quantization
from planner.models.formats import model_bytes, tensor_bytes
from planner.resolved import Resolved
from planner.units import GIB

_PROCESS_BYTES = 4.0 * GIB
"""Per rank: interpreter, libraries, compiled kernels, pinned staging buffers."""
_FRONT_BYTES = 4.0 * GIB
"""Server, scheduler and tokeniser."""


_checkpoints: IdentityMemo[float] = IdentityMemo()


def checkpoint_bytes(architecture: Architecture, quantization: Quantization) -> float:
    """Bytes of a whole checkpoint by formula, prediction layers included (they are in the files)."""

    def count() -> float:
        extra = (tensor_bytes(t, quantization) for layer in architecture.mtp for t in layer.tensors)
        return model_bytes(architecture, quantization) + sum(extra)

    return _checkpoints.get(architecture, quantization, None, count)


def disk_bytes(resolved: Resolved) -> float:
    """Bytes of the checkpoint on disk: as read from the files, else by formula."""
    return resolved.exact_weight_bytes or checkpoint_bytes(resolved.architecture, resolved.quantization)


def host_ram(resolved: Resolved) -> Estimate:
    """RAM of one node: processes and offloaded weights; at most the whole checkpoint in the page cache on top.

    Checkpoints are memory-mapped: the page cache is taken back when others need it, so it is only in ``high``.
    """
    serving, cluster = resolved.serving, resolved.cluster
    model, scheme = resolved.architecture, resolved.quantization
    ranks = min(serving.gpus, cluster.per_node)
    terms = {
        "processes": ranks * _PROCESS_BYTES,
        "server": _FRONT_BYTES,
        "offloaded": serving.cpu_offload_bytes * ranks,
        "tables": host_tables(model, scheme, weight_rules(resolved.engine, model, scheme)),
    }
    value = sum(terms.values())
    low = value - 0.5 * (terms["processes"] + terms["server"])
    terms["page_cache"] = disk_bytes(resolved)
    return Estimate(low, value, value + terms["page_cache"], "assumed", terms)
