"""How one plan does at other loads: the same deployment predicted from one request in flight to hundreds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.documents.result import Performance, PlannedDeployment
    from planner.library import Library

LOADS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Requests in flight."""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Speed at one load."""

    users: int
    speed: Performance | None


def load_curve(plan: PlannedDeployment, library: Library) -> Iterator[LoadPoint]:
    """The plan's speed at each load; None where it is unknown."""
    from planner.documents.files import parse_deployment
    from planner.predict import predict

    deployment = parse_deployment(plan.deployment, "plan")
    workload = deployment.workload
    if workload is None:
        return
    for users in LOADS:
        load = replace(workload, concurrency=float(users), request_rate=None, saturated=False)
        yield LoadPoint(users, predict(replace(deployment, workload=load), library).performance)
