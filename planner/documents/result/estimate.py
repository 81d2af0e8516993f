"""The answer for one deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from planner.documents.result.finding import Finding, Verdict
from planner.documents.result.memory import ServingMemory
from planner.documents.result.money import Cost
from planner.documents.result.speed import CrossCheck, Lever, LoadPoint, Performance
from planner.documents.result.training import FinetuneResult


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """Counts; each tensor once, vision included, MTP not."""

    total: int
    active: int
    embedding: int
    routed_experts: int
    vision: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of the answer."""

    parameters: ModelParameters
    weight_bytes: float
    """Of the whole checkpoint in the given format, MTP excluded."""


@dataclass(frozen=True, slots=True)
class EstimateDocument:
    """The answer for one deployment."""

    verdict: Verdict
    id: str | None = None
    model: ModelFacts | None = None
    problems: tuple[Finding, ...] = ()
    memory: ServingMemory | None = None
    performance: Performance | None = None
    finetune: FinetuneResult | None = None
    cost: Cost | None = None
    prefill_memory: ServingMemory | None = None
    """Of a prefill worker, where prefill and decode are apart; ``memory`` is then a decode worker's."""
    curve: tuple[LoadPoint, ...] = ()
    """Speed over load, where asked for."""
    levers: tuple[Lever, ...] = ()
    """What would make it faster, most helpful first, where asked for."""
    cross_check: CrossCheck | None = None
    """Another predictor's figures, where asked for and to be had."""
    assumed: dict[str, Any] = field(default_factory=dict)
    """Dotted key → default that was taken."""
    schema: Literal["deploy-planner/estimate/1"] = "deploy-planner/estimate/1"
