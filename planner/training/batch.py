"""Micro-batch and accumulation of a job: as large as the memory holds, and whole in the global batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.documents.result import Finding
from planner.memory.finetune_job import job_of
from planner.memory.finetune_limits import largest_micro_batch
from planner.memory.finetune_moments import stages
from planner.resolved import Resolved
from planner.training.candidate import Search
from planner.training.grid import Choice


def with_batch(search: Search, resolved: Resolved) -> Resolved | None:
    """Micro-batch and accumulation that make the global batch; None where there are more ranks than samples."""
    job = job_of(resolved)
    per_rank = search.job.global_batch // job.data
    if per_rank < 1:
        return None
    most = largest_micro_batch(job, stages(job)) or 1
    wanted = 1 if search.request.goal == "memory" else most
    micro = next(n for n in range(min(per_rank, max(wanted, 1)), 0, -1) if per_rank % n == 0)
    update = {"micro_batch": micro, "grad_accum": per_rank // micro}
    return _settled(resolved, update)


def _settled(resolved: Resolved, update: dict[str, Any]) -> Resolved:
    """The same job with its batch; accumulated gradients may ask for a smaller micro-batch once more."""
    if resolved.finetune is None:
        return resolved
    once = replace(resolved, finetune=replace(resolved.finetune, **update))
    most = largest_micro_batch(job_of(once), stages(job_of(once)))
    if most is None or most >= update["micro_batch"] or most == 0:
        return once
    total = update["micro_batch"] * update["grad_accum"]
    micro = next(n for n in range(most, 0, -1) if total % n == 0)
    table = replace(resolved.finetune, micro_batch=micro, grad_accum=total // micro)
    return replace(resolved, finetune=table)


def small_batch(search: Search, choice: Choice) -> Finding:
    """The reason where there are more ranks than samples."""
    message = f"{search.job.global_batch} samples per step are fewer than the data-parallel ranks"
    return Finding("batch-below-ranks", message, f"a global batch of {choice.gpus} or more, or fewer GPUs")
