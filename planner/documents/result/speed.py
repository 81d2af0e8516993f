"""Speed at a load, over loads, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Performance:
    """Speed; means at the stated load. None where the workload does not define the figure."""

    ttft_s: Estimate | None = None
    tpot_s: Estimate | None = None
    decode_tok_s: Estimate | None = None
    prefill_tok_s: Estimate | None = None
    output_tok_s: Estimate | None = None
    total_tok_s: Estimate | None = None
    request_s: Estimate | None = None
    ttft_p50_s: Estimate | None = None
    """Percentiles over requests of an engine that has been running for a while; None for an offline run."""
    ttft_p95_s: Estimate | None = None
    ttft_p99_s: Estimate | None = None
    itl_p50_s: Estimate | None = None
    """Percentiles over all gaps between two tokens of a request."""
    itl_p95_s: Estimate | None = None
    itl_p99_s: Estimate | None = None
    ttft_level_s: Estimate | None = None
    """At the percentile of the service level, not below the mean; None without a service level."""
    tpot_level_s: Estimate | None = None
    """The same of a request's mean time per token."""
    stable_request_s: Estimate | None = None
    """Of a load at a request rate: the largest at which the queue does not grow without bound, whole deployment."""
    utilisation: Estimate | None = None
    """The request rate as a share of it."""
    bound: dict[str, str] = field(default_factory=dict)
    """Phase → what limits it."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """The same point by another predictor: seconds, and tokens per second of the whole deployment."""

    source: str
    tables: str
    """Which of its tables: its engine, release and system may differ from the deployment's."""
    ttft_s: float
    tpot_s: float
    output_tok_s: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Speed at one load of a curve; one of the two says which."""

    performance: Performance
    concurrency: float | None = None
    request_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing changed, and by what share it makes each figure better (0.1 = 10 % faster); None: not defined."""

    name: str
    kind: Literal["hardware", "setting"]
    ttft: float | None = None
    tpot: float | None = None
    throughput: float | None = None
    stable_rate: float | None = None
