"""KV blocks that leave the device and prefixes that stay, as people asked for them: defaults are left to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from planner.units import GIGA

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context


def prefix_options(context: Context) -> dict[str, Any]:
    """Switches for and against; nothing where the deployment leaves it open."""
    asked = context.deployment.serving.prefix_caching if context.deployment.serving else None
    return {"prefix_caching": asked is True, "no_prefix_caching": asked is False}


def read_prefix(read: Mapping[str, Any]) -> bool | None:
    """The inverse."""
    if read.get("no_prefix_caching"):
        return False
    return True if read.get("prefix_caching") else None


def offload_asked(context: Context) -> float | None:
    """Bytes per device that the deployment asks for."""
    return (context.deployment.serving.kv_offload_bytes or None) if context.deployment.serving else None


def vllm_offload(context: Context, table: FlagTable) -> dict[str, Any]:
    """One buffer for all ranks of an instance; before 0.8 swap space per device."""
    size, serving = offload_asked(context), context.resolved.serving
    if table.has("swap_space"):
        return {"swap_space": size}
    if size is None:
        return {}
    return {"kv_offload_total": size * serving.tp * serving.pp, "kv_offload_backend": "native"}


def read_vllm_offload(read: Mapping[str, Any]) -> float | None:
    """The inverse."""
    if "kv_offload_total" in read:
        ranks: int = read.get("tp", 1) * read.get("pp", 1)
        return float(read["kv_offload_total"]) / ranks
    swap: float | None = read.get("swap_space")
    return swap


def sglang_offload(context: Context) -> dict[str, Any]:
    """The hierarchical cache, in whole gigabytes per device."""
    size = offload_asked(context)
    return {"kv_offload": size is not None, "kv_offload_gb": ceil(size / GIGA) if size else None}


def read_sglang_offload(read: Mapping[str, Any]) -> float | None:
    """The inverse."""
    size: float | None = read["kv_offload_gb"] * GIGA if "kv_offload_gb" in read else None
    return size
