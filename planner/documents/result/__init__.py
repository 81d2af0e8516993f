"""What ``estimate`` and ``plan`` answer. Plain frozen dataclasses; JSON Schemas are generated from them."""

from __future__ import annotations

from planner.documents.result.estimate import EstimateDocument, ModelFacts, ModelParameters
from planner.documents.result.finding import Finding, Verdict
from planner.documents.result.memory import DeviceMemory, GpuMemory, HostMemory, ServingMemory, Startup
from planner.documents.result.money import Cost
from planner.documents.result.plan import Flip, PlanDocument, PlannedDeployment, PlannedStage, Rejection
from planner.documents.result.speed import CrossCheck, Lever, LoadPoint, Performance
from planner.documents.result.training import FinetuneResult, TrainingFiles

__all__ = [
    "Cost",
    "CrossCheck",
    "DeviceMemory",
    "EstimateDocument",
    "Finding",
    "FinetuneResult",
    "Flip",
    "GpuMemory",
    "HostMemory",
    "Lever",
    "LoadPoint",
    "ModelFacts",
    "ModelParameters",
    "Performance",
    "PlanDocument",
    "PlannedDeployment",
    "PlannedStage",
    "Rejection",
    "ServingMemory",
    "Startup",
    "TrainingFiles",
    "Verdict",
]
