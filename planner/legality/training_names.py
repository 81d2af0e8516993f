"""Names that a trainer does not know, or cannot do, with the nearest it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from planner.documents.result import Finding
from planner.memory.finetune_job import Job
from planner.memory.finetune_state import ON_DEVICE_ONLY

OBJECTIVES_SHOWN = 8


def name_rules(job: Job) -> Iterator[Finding]:
    """Unknown trainers, and methods, objectives, optimizers … that the trainer lacks."""
    table, trainer = job.table, job.trainer
    if table.trainer is not None and not trainer.known:
        fix = f"nearest: {', '.join(trainer.nearest)}" if trainer.nearest else "name one of the known trainers"
        change = {"finetune.trainer": trainer.nearest[0]} if trainer.nearest else {}
        yield Finding("trainer-unknown", f"unknown trainer {table.trainer[:60]!r}", fix, change=change)
    yield from _ability(job, "method", "methods", table.method, ("lora", "full"))
    yield from _ability(job, "objective", "objectives", table.objective, ("sft",))
    yield from _ability(job, "optimizer", "optimizers", table.optimizer, ("adamw",))
    yield from _ability(job, "precision", "precisions", table.precision, ("bf16",))
    yield from _ability(job, "offload", "offloads", table.offload, ("optimizer", "none"))
    yield from _ability(job, "sharding", "shardings", table.sharding, _nearest_sharding(table.sharding))
    if table.offload != "none" and job.optimizer in ON_DEVICE_ONLY:
        message = f"{job.optimizer} has no step on the processors, where offloaded states are"
        change = {"finetune.optimizer": "adamw"}
        yield Finding("optimizer-on-device-only", message, "use optimizer = adamw", "warning", change)
    yield from _parallel_rules(job)


def _nearest_sharding(wanted: str | None) -> tuple[str, ...]:
    if wanted in ("zero3", "fsdp", "fsdp2"):
        return ("fsdp", "fsdp2", "zero3", "ddp", "none")
    return ("zero1", "ddp", "none")


def _ability(job: Job, key: str, ability: str, wanted: str | None, preferred: Sequence[str]) -> Iterator[Finding]:
    known: Sequence[str] = job.trainer.facts[ability]
    if wanted is None or wanted in known or not known:
        return
    nearest = _nearest(wanted, known, preferred)
    who = job.trainer.name if job.trainer.known and job.table.trainer else "no trainer"
    verb = "has no" if who == job.trainer.name else "knows the"
    message = f"{who} {verb} {key} {wanted[:60]!r}; it has {', '.join(known[:OBJECTIVES_SHOWN])}"
    change = {f"finetune.{key}": nearest}
    yield Finding(f"trainer-lacks-{key}", message, f"use {key} = {nearest}", change=change)


def _nearest(wanted: str, known: Sequence[str], preferred: Sequence[str]) -> str:
    """Alike in writing first, then the usual choices, then whatever there is."""
    alike = get_close_matches(wanted[:60].lower(), known, 1, 0.6)
    usual = [name for name in preferred if name in known]
    return (alike or usual or list(known))[0]


def _parallel_rules(job: Job) -> Iterator[Finding]:
    """Kinds of parallelism that the trainer does not have."""
    able = job.trainer.facts["parallel"]
    for kind in ("tp", "pp", "cp", "ep", "vp"):
        ways = getattr(job.parallel, kind)
        if ways == 1 or kind in able or not job.trainer.known:
            continue
        message = f"{job.trainer.name} has no {kind} parallelism"
        fix = "set it to 1 and shard with fsdp or zero3, or use megatron"
        yield Finding("trainer-lacks-parallelism", message, fix, change={f"finetune.parallel.{kind}": 1})
