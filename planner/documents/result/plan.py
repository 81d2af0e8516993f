"""Ranked proposals and everything that was ruled out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from planner.documents.result.estimate import EstimateDocument
from planner.documents.result.finding import Verdict
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class PlannedDeployment:
    """One ranked proposal."""

    rank: int
    deployment: dict[str, Any]
    """The deployment document, ready to export."""
    estimate: EstimateDocument
    reasons: tuple[str, ...] = ()
    """Why it stands here, most important first."""
    pareto: bool = False
    """No other proposal is better in every respect."""
    gpus_used: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """Configurations that were ruled out by one rule, counted."""

    rule: str
    message: str
    count: int
    example: str
    """One of them, in short words."""
    fix: str = ""
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One step of a plan that has several: generation by a teacher, training of a student."""

    name: str
    about: str
    deployment: dict[str, Any]
    """Ready to export."""
    hours: Estimate | None = None
    gpu_hours: Estimate | None = None
    energy_wh: Estimate | None = None
    money: Estimate | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Flip:
    """An input of the load, and the value at which another proposal comes first."""

    input: str
    value: float
    at: float
    """Where the choice flips; where it does not, the farthest value that was tried."""
    instead: str | None = None
    """What comes first there; None: still the same."""


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """Ranked proposals and everything that was ruled out."""

    verdict: Verdict
    request: dict[str, Any]
    """The question as understood: hardware, models, workload, goal; defaults included."""
    inventory: dict[str, Any]
    candidates: tuple[PlannedDeployment, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    considered: int = 0
    assumed: dict[str, Any] = field(default_factory=dict)
    stages: tuple[PlannedStage, ...] = ()
    """Steps of a plan that has several, in order; empty where one deployment is all."""
    sensitivity: tuple[Flip, ...] = ()
    """Inputs of the load that flip the first proposal, where asked for."""
    schema: Literal["deploy-planner/plan/1"] = "deploy-planner/plan/1"
