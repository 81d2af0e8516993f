"""Efficiency curves as loaded: laws of operations by chip and format, collectives by link, engine overheads.

The data lie beside this file (``*.toml``); ``planner.performance.curves_loader`` makes the objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwdb.schema import Accelerator


@dataclass(frozen=True, slots=True)
class Law:
    """Seconds of one kind of operation on one chip.

    ``seconds = latency + ((bytes / (bandwidth · memory))^p + (flop / (peak · compute))^p)^(1/p)``
    """

    latency_s: float
    memory: float = 1.0
    """Share of the bandwidth that large operations reach."""
    compute: float = 1.0
    """Share of the dense peak that large operations reach."""
    knee: float = 0.0
    """Attention: tokens at which a prompt reaches half of ``compute``. Experts: rows that pad each touched one."""
    error: float = 0.1
    """Median error of the fit against its timings."""


@dataclass(frozen=True, slots=True)
class CollectiveCurve:
    """Seconds by message size (bytes of the whole tensor) in one group of one kind of link."""

    group: int
    link_bytes_s: float
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LawRow:
    """A law with what it is found by."""

    accelerator: str
    family: str
    vendor: str
    format: str
    law: Law
    engine: str = ""
    """Whose kernels were timed; empty: the fastest of all at each shape."""


@dataclass(frozen=True, eq=False)
class Curves:
    """All curve files; one object lives as long as the process, so caches key on its identity."""

    laws: Mapping[str, tuple[LawRow, ...]]
    """Operation → rows: gemm attention_prefill attention_decode mla_prefill mla_decode moe."""
    knots_bytes: tuple[float, ...]
    collectives: Mapping[str, tuple[tuple[str, bool, CollectiveCurve], ...]]
    """Operation → (accelerator, switched or direct scale-up link, curve)."""
    engines: tuple[Mapping[str, Any], ...]
    """Rows of engines.toml: overheads by engine and version range."""
    limits: Mapping[str, tuple[float, float]]
    """Overhead → the least and the most that rows together may make of it."""
    chips: Mapping[str, Mapping[str, Any]]
    """Family or vendor → what is known of chips without timings."""


def family(device: Accelerator) -> str:
    """Chips of one family share kernels: "sm90", "gfx942"; empty when neither is known."""
    if device.compute_capability:
        major, minor = device.compute_capability
        return f"sm{major}{minor}"
    return device.gfx_arch or ""
