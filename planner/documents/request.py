"""What is asked of ``plan``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from planner.documents.deployment import WorkloadTable
from planner.documents.inventory import Inventory

Goal = Literal["balanced", "throughput", "latency", "context", "users", "fewest-gpus"]


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A question to the planner."""

    inventory: Inventory
    models: tuple[str, ...] = ()
    """Catalogue ids or local paths; empty asks for the best of the catalogue."""
    workload: WorkloadTable = field(default_factory=WorkloadTable)
    goal: Goal = "balanced"
    max_model_len: int | None = None
    """Longest request that must be possible; None: as the workload needs."""
    weights: tuple[str, ...] = ()
    """Allowed weight formats; empty allows all above the quality floor."""
    engines: tuple[str, ...] = ()
    """Allowed engines, as name or name==version."""
    kv_cache: str | None = None
    """Format of the KV cache ("fp8", "bf16"): the engine's own name for it, or the first that begins so; None: the
    engine's default, and a smaller one only where nothing else fits."""
    quality_floor: str | None = None
    """Lowest acceptable precision ("fp8", "int4" …); None: the default floor of the search."""
    limit: int = 10
    """Ranked proposals to return."""
