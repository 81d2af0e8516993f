"""Works out what a report says beside the plan: speed over the load, the account, sources, the start script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.clock import today as _today
from planner.documents.deployment import Deployment, WorkloadTable
from planner.documents.files import deployment_hash, deployment_toml, parse_deployment
from planner.documents.result import Performance, PlanDocument, PlannedDeployment
from planner.errors import PlannerError
from planner.load_curve import ladder
from planner.predict import predict
from planner.report.material import Material
from planner.report.sources import doubts_of, facts_of
from planner.version import VERSION
from planner.words.plan import users_of

if TYPE_CHECKING:
    from planner.cost.document import CostDocument
    from planner.library import Library

LEAST_TOP, MOST_TOP = 2.0, 4096.0
"""The curve ends between these, at the load that the memory holds or at the one that was asked for."""


def gather(plan: PlanDocument, library: Library, date: str | None = None) -> Material:
    """The material of a report. ``date`` is an ISO date; today when absent."""
    material = Material(plan, date or _today(), VERSION)
    chosen = material.chosen
    if chosen is None:
        return material
    deployment = parse_deployment(chosen.deployment, "the first proposal")
    target, start, others = _start(deployment, library)
    return replace(
        material,
        deployment=deployment,
        curve=tuple(speed_curve(deployment, chosen, library)),
        account=_account(deployment, library),
        facts=tuple(facts_of(deployment, library)),
        doubts=tuple(doubts_of(deployment, library)),
        target=target,
        start=start,
        other_files=others,
        toml=deployment_toml(deployment),
        hash=deployment_hash(deployment),
    )


def speed_curve(
    deployment: Deployment, chosen: PlannedDeployment, library: Library
) -> Iterator[tuple[float, Performance]]:
    """Speed of the deployment from one request in flight to what its memory holds, about twelve points."""
    if deployment.finetune is not None or chosen.estimate.performance is None:
        return
    workload = deployment.workload or WorkloadTable()
    for concurrency in ladder(_top(workload.concurrency, chosen), workload.concurrency):
        load = replace(workload, concurrency=concurrency, request_rate=None, saturated=False, requests=None)
        performance = predict(replace(deployment, workload=load), library).performance
        if performance is not None:
            yield concurrency, performance


def _top(asked: float | None, chosen: PlannedDeployment) -> float:
    held = min(users_of(chosen) or 1.0, MOST_TOP)
    return float(max(LEAST_TOP, round(held), asked or 1.0))


def _account(deployment: Deployment, library: Library) -> CostDocument | None:
    """The whole account, where the deployment has one."""
    from planner.cost_report import CostRequest, cost_report

    if deployment.finetune is not None or deployment.hardware is None:
        return None
    try:
        return cost_report(deployment, library, CostRequest())
    except PlannerError:
        return None


def _start(deployment: Deployment, library: Library) -> tuple[str | None, str, tuple[str, ...]]:
    """The first export target that suits, its main file (if it has one), and the names of its others."""
    from planner.export.prepare import prepare
    from planner.export.registry import applicable, render, target

    try:
        context = prepare(deployment, library)
        names = [name for name in applicable(context) if name not in ("toml", "bench")]
        if not names:
            return None, "", ()
        main, files = target(names[0]).main, render(names[0], context)
        return names[0], files.get(main, ""), tuple(name for name in files if name != main)
    except PlannerError:
        return None, "", ()
