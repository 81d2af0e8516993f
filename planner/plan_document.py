"""The plan as a document: the chosen candidates predicted in full, each ready to export, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from planner.documents.deployment import Deployment, EngineTable, HardwareTable, ServingTable
from planner.documents.encode import to_plain
from planner.documents.result import EstimateDocument, Finding, PlanDocument, PlannedDeployment, Verdict
from planner.library import Library
from planner.plan_question import Question
from planner.predict import predict
from planner.search.candidate import Candidate
from planner.search.ledger import Ledger
from planner.search.pareto import Point, pareto
from planner.search.reasons import reasons
from planner.search.score import Scored

STARTS: tuple[Verdict, ...] = ("fits", "tight", "unknown")


def document_of(
    question: Question, chosen: Sequence[Scored], everything: Sequence[Scored], ledger: Ledger, library: Library
) -> PlanDocument:
    """Proposals in order, rejections by count."""
    proposals = _proposals(question, chosen, everything, ledger, library)
    return PlanDocument(
        verdict=_verdict(proposals, ledger),
        request=_request(question),
        inventory=to_plain(question.request.inventory),
        candidates=proposals,
        rejected=ledger.rejections(),
        considered=ledger.considered,
        assumed=dict(question.assumed),
    )


def _proposals(
    question: Question, chosen: Sequence[Scored], everything: Sequence[Scored], ledger: Ledger, library: Library
) -> tuple[PlannedDeployment, ...]:
    kept: list[tuple[Scored, Deployment, EstimateDocument]] = []
    for scored in chosen:
        deployment = deployment_of(scored.candidate, question)
        estimate = predict(deployment, library)
        if estimate.verdict in STARTS:
            kept.append((scored, deployment, estimate))
        else:
            ledger.reject(_why(estimate), scored.candidate.title)
    flags = pareto([_point(scored.candidate, estimate) for scored, _, estimate in kept])
    return tuple(
        PlannedDeployment(
            rank=rank,
            deployment=to_plain(deployment),
            estimate=estimate,
            reasons=reasons(scored, rank, list(everything), question.task),
            pareto=flag,
            gpus_used=scored.candidate.gpus,
        )
        for rank, ((scored, deployment, estimate), flag) in enumerate(zip(kept, flags, strict=True), 1)
    )


def _why(estimate: EstimateDocument) -> Finding:
    errors = [problem for problem in estimate.problems if problem.severity == "error"]
    return errors[0] if errors else Finding(estimate.verdict, "the full prediction does not start")


def deployment_of(candidate: Candidate, question: Question) -> Deployment:
    """The document of a candidate, every choice of the search written out."""
    base, resolved = candidate.option.base.deployment, candidate.resolved
    cluster = resolved.cluster
    hardware = base.hardware or HardwareTable()
    hardware = replace(
        hardware,
        per_node=cluster.per_node,
        nodes=cluster.nodes,
        fabric=hardware.fabric if cluster.nodes > 1 else None,
    )
    profile = resolved.engine
    return Deployment(
        schema="deploy-planner/deployment/1",
        model=base.model,
        hardware=hardware,
        engine=EngineTable(name=profile.name, version=profile.version, backend=profile.backend),
        serving=_serving(candidate),
        workload=base.workload,
    )


def _serving(candidate: Candidate) -> ServingTable:
    serving = candidate.resolved.serving
    shared: dict[str, Any] = {"max_model_len": serving.max_model_len}
    base = candidate.option.base
    if base.deployment.serving is not None or serving.kv_cache_dtype != base.serving.kv_cache_dtype:
        shared["kv_cache_dtype"] = serving.kv_cache_dtype
    if candidate.option.local:
        return ServingTable(**shared, parallel=serving.parallel)
    return ServingTable(
        **shared,
        tp=serving.tp,
        attention_dp=serving.attention_dp,
        pp=serving.pp,
        dp=serving.dp,
        ep=serving.ep,
        max_num_seqs=serving.max_num_seqs,
        max_num_batched_tokens=serving.max_num_batched_tokens,
        gpu_memory_utilization=serving.gpu_memory_utilization,
    )


def _point(candidate: Candidate, estimate: EstimateDocument) -> Point:
    """Figures of a proposal where more is better."""
    power = estimate.cost.power_w.value if estimate.cost and estimate.cost.power_w else None
    lower = (candidate.tpot_s, candidate.ttft_s, float(candidate.gpus), power)
    return (
        candidate.output_tok_s,
        float(candidate.context),
        candidate.users,
        candidate.option.model_value,
        *(None if value is None else -value for value in lower),
    )


def _verdict(proposals: Sequence[PlannedDeployment], ledger: Ledger) -> Verdict:
    """The best that any proposal reaches, else why nothing does."""
    for verdict in STARTS:
        if any(proposal.estimate.verdict == verdict for proposal in proposals):
            return verdict
    rules = {rejection.rule for rejection in ledger.rejections()}
    if "engine-chip-unknown" in rules or not rules:
        return "unknown"
    if rules & {"does-not-fit", "model-too-large", "context-too-short"}:
        return "does-not-fit"
    return "illegal"


def _request(question: Question) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(replace(question.request, workload=question.workload))
    plain.pop("inventory", None)
    plain["quality_floor"] = question.task.quality_floor
    return plain
