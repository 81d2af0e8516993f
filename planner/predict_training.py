"""The estimate of one training job: memory, verdict, speed, energy and money, with the defaults that were taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Cost, EstimateDocument, Finding, FinetuneResult, ModelFacts, Verdict
from planner.errors import UnknownFact
from planner.memory.finetune import training_memory
from planner.memory.finetune_job import Job, job_of
from planner.memory.finetune_verdict import training_verdict
from planner.resolved import Resolved

if TYPE_CHECKING:
    from planner.library import Library

MEMORY_RULES = frozenset({"does-not-fit", "host-memory", "unknown-fact"})
"""Findings of these rules speak of room or of missing facts, not of legality."""


def training_outcome(
    resolved: Resolved, library: Library, facts: ModelFacts, problems: tuple[Finding, ...]
) -> EstimateDocument:
    """The answer for a training job. Raises UnknownFact when the deployment has no ``[finetune]``."""
    result = training_memory(resolved)
    verdict, findings = training_verdict(resolved, result)
    problems = (*problems, *findings)
    try:
        result = training_speed(resolved, result, library)
    except UnknownFact as missing:
        problems = (*problems, Finding("unknown-fact", str(missing), severity="warning"))
    return EstimateDocument(
        verdict=_overall(verdict, problems),
        id=resolved.deployment.id,
        model=facts,
        problems=problems,
        finetune=result,
        cost=_cost(resolved, library) if result.hours else None,
        assumed={**_of_training(resolved.assumed), **taken_defaults(job_of(resolved))},
    )


def training_speed(resolved: Resolved, memory: FinetuneResult, library: Library) -> FinetuneResult:
    """``memory`` with speed, energy and money. Raises UnknownFact where no speed is known."""
    from planner.cost.training import energy_and_money
    from planner.performance.finetune import training_performance

    timed = training_performance(resolved, memory, library.training_curves)
    return energy_and_money(resolved, timed, library.prices)


def _cost(resolved: Resolved, library: Library) -> Cost | None:
    """Power while it trains, and what its money rests on."""
    from planner.cost.training import training_cost_of

    return training_cost_of(resolved, library.prices)


def _overall(verdict: Verdict, problems: tuple[Finding, ...]) -> Verdict:
    illegal = any(p.severity == "error" and p.rule not in MEMORY_RULES for p in problems)
    return "illegal" if illegal else verdict


def _of_training(assumed: Mapping[str, Any]) -> dict[str, Any]:
    """What resolving assumed of model and hardware; engines and serving play no part."""
    return {key: value for key, value in assumed.items() if key.split(".")[0] in ("model", "hardware")}


def taken_defaults(job: Job) -> dict[str, Any]:
    """Dotted keys that the document leaves open, as they were filled in."""
    table = job.table
    found: dict[str, Any] = {}
    if table.optimizer is None:
        found["finetune.optimizer"] = job.optimizer
    if table.gradient_checkpointing is None:
        found["finetune.gradient_checkpointing"] = _mode(job)
    if table.sharding is None and job.gpus > 1:
        found["finetune.sharding"] = job.sharding
    if job.adapters and table.lora_rank is None:
        found["finetune.lora_rank"] = job.lora_rank
    if job.adapters and table.lora_targets is None:
        found["finetune.lora_targets"] = job.lora_targets
    if table.method == "qlora" and job.quantization.scheme == "bnb-nf4":
        found.update(_cast(job))
    return found


def _mode(job: Job) -> bool | str:
    return {"none": False, "full": True}.get(job.checkpointing, job.checkpointing)


def _cast(job: Job) -> dict[str, Any]:
    own = job.architecture.quantization
    return {} if own is not None and own.scheme == "bnb-nf4" else {"finetune.base": "cast to bnb-nf4 while loading"}
