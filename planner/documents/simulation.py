"""What ``simulate`` answers. Plain frozen dataclasses; the JSON Schema is generated from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from planner.documents.result import Finding, Verdict
from planner.estimate import Estimate

Loop = Literal["closed", "open", "trace", "offline"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A time in seconds: mean and percentiles. Ranges are those of the step times; the seed's own chance is less."""

    mean: Estimate
    p50: Estimate
    p90: Estimate
    p95: Estimate
    p99: Estimate


@dataclass(frozen=True, slots=True)
class SimulatedLoad:
    """What was sent."""

    loop: Loop
    requests: int
    """Measured, all replicas; those of the warm-up come before."""
    isl_mean: float
    osl_mean: float
    seed: int
    request_rate: float | None = None
    """Per second, whole deployment; a trace's own mean."""
    concurrency: float | None = None
    trace: str | None = None
    refused: int = 0
    """Requests of a trace that are longer than max_model_len."""


@dataclass(frozen=True, slots=True)
class SimulatedService:
    """What its users saw, and how busy it was."""

    ttft_s: Distribution
    e2e_s: Distribution
    output_tok_s: Estimate
    """Whole deployment, as the next two."""
    total_tok_s: Estimate
    request_s: Estimate
    itl_s: Distribution | None = None
    """Gaps between two tokens of a request, over all gaps; None for answers of one token."""
    tpot_s: Distribution | None = None
    """Mean gap of a request, over requests."""
    stable_request_s: Estimate | None = None
    """Of an open loop: the largest rate at which the queue does not grow without bound."""
    utilisation: Estimate | None = None
    """The rate as a share of it."""
    busy: float = 0.0
    """Share of the time in which a step runs."""
    kept: float | None = None
    """Share of requests that kept the whole service level; None without one."""


@dataclass(frozen=True, slots=True)
class Internals:
    """What the scheduler of the mean replica did."""

    simulated_s: float
    steps: int
    preemptions: int
    recomputed_tokens: float
    peak_running: int
    peak_waiting: int
    peak_pool: float
    """Most tokens that one batch held at once, as a share of its pool."""


@dataclass(frozen=True, slots=True)
class SimulationDocument:
    """The answer for one deployment and one load."""

    verdict: Verdict
    id: str | None = None
    load: SimulatedLoad | None = None
    service: SimulatedService | None = None
    internals: Internals | None = None
    problems: tuple[Finding, ...] = ()
    assumed: dict[str, Any] = field(default_factory=dict)
    schema: Literal["deploy-planner/simulation/1"] = "deploy-planner/simulation/1"
