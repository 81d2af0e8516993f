"""Memory of a training step on one GPU: the highest of its moments, as a sum of named parts, by counter.

``allocated`` is what the framework counts, ``reserved`` what its allocator took from the device, ``driver`` all that
the driver sees (context, collectives and libraries included); ``resident`` stands between steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from planner.documents.result import FinetuneResult
from planner.estimate import Estimate, Origin, total
from planner.memory.finetune_files import host_ram, training_files
from planner.memory.finetune_job import Job, job_of
from planner.memory.finetune_limits import (
    COLLECTIVE_BYTES,
    CONTEXT_BYTES,
    largest_micro_batch,
    library_bytes,
    longest_sequence,
)
from planner.memory.finetune_moments import Stage, stages
from planner.resolved import Resolved
from planner.units import GIB

SPREADS: Mapping[str, tuple[float, float, Origin]] = {
    "weights": (0.03, 0.04, "formula"),
    "adapters": (0.5, 0.1, "formula"),
    "optimizer": (0.05, 0.06, "formula"),
    "reference": (0.03, 0.04, "formula"),
    "rollout": (0.3, 0.3, "assumed"),
    "gradients": (0.05, 0.1, "formula"),
    "layer_gradients": (0.5, 0.5, "assumed"),
    "temporaries": (0.3, 0.1, "formula"),
    "buckets": (0.5, 0.2, "formula"),
    "gathered": (0.3, 0.5, "assumed"),
    "casts": (0.3, 0.05, "formula"),
    "merged": (0.5, 0.5, "assumed"),
    "activations": (0.2, 0.25, "formula"),
    "layer": (0.35, 0.4, "formula"),
    "logits": (0.2, 0.25, "formula"),
}
"""How far each part is known, as shares below and above."""
WHOLE_SPREAD = 0.04
"""Of the sum: what no part accounts for (caches of libraries, inputs, masks)."""
SLACK = {"one": 0.2, "many": 0.25}
"""Allocator reserve beyond the peak, as a share of what comes and goes within a step (driver minus allocated of 22 runs
on A100: 0.13-0.27 on one GPU, 0.19-0.45 under FSDP with a frozen base). With trained shards it is the trainer's."""


def training_memory(resolved: Resolved) -> FinetuneResult:
    """Peaks by counter. Raises UnknownFact when the deployment has no ``[finetune]``."""
    job = job_of(resolved)
    ranks = stages(job)
    stage = max(ranks, key=lambda rank: rank.peak(job.tokens).total(job.tokens))
    parts = peak_parts(stage, job.tokens)
    outside = _outside(job, stage)
    slack = allocator_slack(job, stage, sum(p.value for p in outside.values()))
    driver = total({**parts, "allocator": slack, **outside})
    capacity = resolved.cluster.device.memory_bytes
    return FinetuneResult(
        peak=driver,
        allocated=_widened(total(parts)),
        reserved=_widened(total({**parts, "allocator": slack})),
        driver=_widened(driver),
        resident=_resident(stage),
        max_seq_len=longest_sequence(job, ranks),
        max_micro_batch=largest_micro_batch(job, ranks),
        capacity=capacity if math.isfinite(capacity) else None,
        host_ram=host_ram(job),
        files=training_files(job),
        moment=stage.peak(job.tokens).name,
    )


def peak_parts(stage: Stage, tokens: float) -> dict[str, Estimate]:
    """The parts that stand at the highest moment, each with its range."""
    return {name: _part(name, value) for name, value in stage.peak(tokens).parts(tokens).items()}


def _part(name: str, value: float) -> Estimate:
    below, above, origin = SPREADS[name]
    return Estimate(value * (1 - below), value, value * (1 + above), origin)


def _widened(sum_: Estimate) -> Estimate:
    """Parts in quadrature are never surer than the whole."""
    low = min(sum_.low, sum_.value * (1 - WHOLE_SPREAD))
    high = max(sum_.high, sum_.value * (1 + WHOLE_SPREAD))
    return Estimate(low, sum_.value, high, sum_.origin, sum_.terms)


def _resident(stage: Stage) -> Estimate:
    fixed = stage.fixed
    parts = {
        "weights": fixed.weights,
        "adapters": fixed.adapters,
        "optimizer": fixed.optimizer,
        "reference": fixed.reference,
        "rollout": fixed.rollout,
    }
    return total({name: _part(name, value) for name, value in parts.items() if value > 0})


def allocator_slack(job: Job, stage: Stage, outside: float) -> Estimate:
    """What the allocator keeps beyond the peak: fragments of what comes and goes, given back where the device ends."""
    peak = max(moment.total(job.tokens) for moment in stage.moments)
    trained = job.shards_weights and not job.adapters
    share = float(job.trainer.facts["shard_reserve"]) if trained else SLACK["one" if job.gpus == 1 else "many"]
    wanted = share * (peak - stage.fixed.resident)
    room = max(job.cluster.device.memory_bytes - outside - peak, 0.0)
    value = min(wanted, room) if peak < job.cluster.device.memory_bytes else wanted
    return Estimate(0.15 * value, value, min(2.2 * wanted, max(room, value)), "published")


def _outside(job: Job, stage: Stage) -> dict[str, Estimate]:
    """What only the driver sees."""
    found = {"context": Estimate(0.4 * GIB, CONTEXT_BYTES, 0.9 * GIB, "published")}
    if job.gpus > 1:
        found["collectives"] = Estimate(0.2 * GIB, COLLECTIVE_BYTES, 2.0 * GIB, "published")
    if libraries := library_bytes(job):
        found["libraries"] = Estimate(0.0, libraries, 1.1 * libraries, "published")
    if stage.fixed.paged:
        found["paged"] = Estimate(0.0, stage.fixed.paged, stage.fixed.paged)
    return found
