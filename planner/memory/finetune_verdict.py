"""Whether a training step fits, and the nearest change that makes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from planner.documents.deployment import FinetuneTable
from planner.documents.result import Finding, FinetuneResult, Verdict
from planner.memory.finetune_job import Job, job_of
from planner.memory.finetune_limits import most_tokens, needed_bytes, room_bytes
from planner.memory.finetune_moments import stages
from planner.resolved import Resolved
from planner.units import human_bytes

TIGHT_SHARE = 0.03
HEAVY = {"optimizer", "weights", "experts"}
"""Parts of host memory that decide whether a machine will do."""


def training_verdict(resolved: Resolved, result: FinetuneResult) -> tuple[Verdict, tuple[Finding, ...]]:
    """Need is allocated memory with its fragments and the context: allocators give back the rest before they fail."""
    if math.isinf(resolved.cluster.device.memory_bytes):
        missing = Finding("no-accelerator", "the document names no accelerator", "add hardware.accelerator", "warning")
        return "unknown", (missing,)
    job = job_of(resolved)
    need, room = _need(job), room_bytes(job)
    short = tuple(_host_findings(resolved, result))
    if need > room:
        return "does-not-fit", (_too_large(resolved, job, need, room), *short)
    if any(finding.severity == "error" for finding in short):
        return "does-not-fit", short
    capacity = resolved.cluster.device.memory_bytes
    return ("tight" if need > room - TIGHT_SHARE * capacity else "fits"), short


def _need(job: Job) -> float:
    return max(needed_bytes(rank, job.tokens) for rank in stages(job))


def fits(job: Job) -> bool:
    """Whether every rank holds the step."""
    return _need(job) <= room_bytes(job)


def _too_large(resolved: Resolved, job: Job, need: float, room: float) -> Finding:
    capacity = human_bytes(resolved.cluster.device.memory_bytes)
    message = f"a step needs {human_bytes(need)} per GPU, the device of {capacity} leaves {human_bytes(room)}"
    for words, change in _ways_out(job):
        if _fits_with(resolved, change):
            return Finding("does-not-fit", message, words, change={f"finetune.{k}": v for k, v in change.items()})
    return Finding("does-not-fit", message, "use more or larger GPUs, or a smaller model")


def _fits_with(resolved: Resolved, change: Mapping[str, Any]) -> bool:
    if resolved.finetune is None:
        return False
    table = replace(resolved.finetune, **change)
    return fits(job_of(replace(resolved, finetune=table)))


def _ways_out(job: Job) -> Iterator[tuple[str, dict[str, Any]]]:
    """Changes from the smallest to the largest; each is computed before it is proposed."""
    table = job.table
    checkpointed: dict[str, Any] = (
        {} if job.checkpointing in ("full", "offloaded") else {"gradient_checkpointing": True}
    )
    if checkpointed:
        yield "set gradient_checkpointing = true", checkpointed
    single = {**checkpointed, **_single(table)}
    if table.micro_batch > 1:
        yield f"set micro_batch = 1 and grad_accum = {single['grad_accum']}", single
    yield from _smaller_states(job, single)
    yield from _smaller_method(job, single)
    shorter = _shorter(job)
    if shorter:
        yield f"shorten seq_len to {shorter['seq_len']}", {**single, **shorter}


def _single(table: FinetuneTable) -> dict[str, Any]:
    if table.micro_batch == 1:
        return {}
    if table.global_batch is not None:
        return {"micro_batch": 1, "grad_accum": table.grad_accum}
    return {"micro_batch": 1, "grad_accum": table.grad_accum * table.micro_batch}


def _smaller_states(job: Job, base: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if job.data * job.parallel.cp > 1 and not job.shards_weights and job.trainer.can("shardings", "fsdp"):
        yield "set sharding = fsdp", {**base, "sharding": "fsdp"}
    if not job.adapters and job.optimizer.startswith("adamw") and job.trainer.can("optimizers", "adamw-8bit"):
        yield "set optimizer = adamw-8bit", {**base, "optimizer": "adamw-8bit"}


def _smaller_method(job: Job, base: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in ("lora", "qlora"):
        if job.table.method == method or (job.adapters and method == "lora"):
            continue
        if job.trainer.can("methods", method):
            yield f"use method = {method}", {**base, "method": method}


def _shorter(job: Job) -> dict[str, Any]:
    """The longest sequence of a round number that fits with one sample."""
    one = replace(job, table=replace(job.table, micro_batch=1))
    tokens = most_tokens(one, stages(one)) * job.parallel.cp / job.sequences
    length = int(tokens) // 256 * 256
    return {"seq_len": length} if 256 <= length < job.table.seq_len else {}


def _host_findings(resolved: Resolved, result: FinetuneResult) -> Iterator[Finding]:
    """Host memory, where the machine's is known."""
    ram, need = resolved.cluster.host.ram_bytes, result.host_ram
    if need is None or (ram and need.value <= ram):
        return
    if not ram:
        if set(need.terms) & HEAVY:
            message = f"{human_bytes(need.value)} of host memory per node are needed; how much there is was not given"
            yield Finding("host-memory", message, "say hardware.host.ram_bytes", "warning")
        return
    message = f"the run needs {human_bytes(need.value)} of host memory, the machine has {human_bytes(ram)}"
    severity = "error" if need.low > ram else "warning"
    yield Finding("host-memory", message, "offload less, or use a machine with more memory", severity)  # type: ignore[arg-type]
