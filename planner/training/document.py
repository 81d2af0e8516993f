"""The search's answer as a plan document: proposals predicted in full, reasons, rejections, ways to full training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from planner.documents.deployment import Deployment
from planner.documents.encode import to_plain
from planner.documents.files import plain_deployment
from planner.documents.result import (
    EstimateDocument,
    Finding,
    PlanDocument,
    PlannedDeployment,
    Rejection,
    Verdict,
)
from planner.predict import predict
from planner.search.groups import Group
from planner.search.pareto import pareto
from planner.training.candidate import Search, TrainingCandidate, base_of
from planner.training.grid import methods
from planner.training.possible import full_fine_tuning
from planner.training.ranking import order_of, point_of, selected
from planner.training.reasons import reasons_of
from planner.units import human_count

STARTS: tuple[Verdict, ...] = ("fits", "tight", "unknown")


def document_of(search: Search, groups: Sequence[Group]) -> PlanDocument:
    """Proposals in order, rejections by count."""
    order = sorted(search.found, key=lambda c: order_of(c, search.request.goal))
    chosen = selected(order, search.request.limit)
    proposals = _proposals(search, chosen)
    extra = tuple(_impossible(search, groups))
    return PlanDocument(
        verdict=_verdict(proposals, search),
        request=_request(search),
        inventory=to_plain(search.request.inventory),
        candidates=proposals,
        rejected=search.ledger.rejections(extra),
        considered=search.ledger.considered,
        assumed=dict(search.assumed),
    )


def deployment_of(candidate: TrainingCandidate) -> Deployment:
    """The document of a job; a QLoRA base is named as it is loaded."""
    base = candidate.resolved.deployment
    weights = "bnb-nf4" if candidate.choice.method == "qlora" else base.model.weights
    model = replace(base.model, weights=weights)
    return replace(base, model=model, finetune=candidate.resolved.finetune)


def _proposals(search: Search, chosen: Sequence[TrainingCandidate]) -> tuple[PlannedDeployment, ...]:
    kept: list[tuple[TrainingCandidate, Deployment, EstimateDocument]] = []
    for candidate in chosen:
        deployment = deployment_of(candidate)
        estimate = predict(deployment, search.library)
        if estimate.verdict in STARTS:
            kept.append((candidate, deployment, estimate))
        else:
            problem = next((p for p in estimate.problems if p.severity == "error"), Finding(estimate.verdict, ""))
            search.ledger.reject(problem, candidate.title)
    flags = pareto([point_of(candidate, estimate) for candidate, _, estimate in kept])
    return tuple(
        PlannedDeployment(
            rank=rank,
            deployment=plain_deployment(deployment),
            estimate=estimate,
            reasons=tuple(reasons_of(candidate, estimate, rank, kept[0][2])),
            pareto=flag,
            gpus_used=candidate.choice.gpus,
        )
        for rank, ((candidate, deployment, estimate), flag) in enumerate(zip(kept, flags, strict=True), 1)
    )


def _whole(candidate: TrainingCandidate) -> bool:
    """Full fine-tuning on the devices alone."""
    return candidate.choice.method == "full" and candidate.choice.offload == "none"


def _impossible(search: Search, groups: Sequence[Group]) -> Iterator[Rejection]:
    """Full fine-tuning was asked for (or everything was) and nothing of it fits on the devices alone."""
    asked = search.request.methods or methods()
    if "full" not in asked or not groups or any(_whole(c) for c in search.found):
        return
    base = base_of(search, groups[0], groups[0].num_devices)
    if base is None or base.finetune is None:
        return
    table = replace(base.finetune, seq_len=search.job.seq_len, objective=search.job.objective)
    yield full_fine_tuning(base, table, search.library, tried=1)


def _verdict(proposals: Sequence[PlannedDeployment], search: Search) -> Verdict:
    for verdict in STARTS:
        if any(proposal.estimate.verdict == verdict for proposal in proposals):
            return verdict
    rules = {rejection.rule for rejection in search.ledger.rejections()}
    if rules & {"does-not-fit", "host-memory", "no-accelerator"}:
        return "does-not-fit"
    return "illegal" if rules else "unknown"


def _request(search: Search) -> dict[str, Any]:
    request, job = search.request, search.job
    return {
        "kind": "finetune",
        "models": [request.model],
        "goal": request.goal,
        "methods": list(request.methods or methods()),
        "trainer": request.trainer,
        "finetune": {
            "objective": job.objective,
            "seq_len": job.seq_len,
            "tokens": job.tokens,
            "epochs": job.epochs,
            "global_batch": job.global_batch,
        },
        "limit": request.limit,
    }


def headline(document: PlanDocument) -> str:
    """The question in a line."""
    job = document.request["finetune"]
    tokens = human_count(job["tokens"])
    return (
        f"{document.request['models'][0]}: {job['objective']} on {tokens} tokens × {job['epochs']:g} epochs, "
        f"{job['seq_len']:,} tokens a sample, {job['global_batch']} samples a step"
    )
