"""The layout of a training run against GPUs, heads, layers and experts."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from planner.documents.result import Finding
from planner.memory.finetune_job import Job
from planner.models.architecture import Architecture, Attention, LatentAttention, MoE


def layout_rules(job: Job) -> Iterator[Finding]:
    """Groups that do not fill the GPUs, and cuts that the model's shape does not allow."""
    parallel, gpus = job.parallel, job.gpus
    model = parallel.tp * parallel.pp * parallel.cp
    if model > gpus:
        yield _too_many(job, model)
    elif gpus % model:
        message = f"tp × pp × cp = {model} does not divide {gpus} GPUs: {gpus % model} would idle"
        tp = _largest_divisor(gpus, parallel.tp)
        change = {"finetune.parallel.tp": tp, "finetune.parallel.pp": 1, "finetune.parallel.cp": 1}
        yield Finding("parallel-divides-gpus", message, f"use tp = {tp}, pp = 1, cp = 1", change=change)
    yield from _sharding_rules(job)
    yield from _shape_rules(job)
    yield from _expert_rules(job)


def _too_many(job: Job, model: int) -> Finding:
    parallel, gpus = job.parallel, job.gpus
    tp = _largest_divisor(gpus, parallel.tp)
    pp = _largest_divisor(gpus // tp, parallel.pp)
    change = {"finetune.parallel.tp": tp, "finetune.parallel.pp": pp, "finetune.parallel.cp": 1}
    message = f"tp × pp × cp = {model} shards over more than the {gpus} GPU{'s' if gpus > 1 else ''} there are"
    return Finding("parallel-exceeds-gpus", message, f"use tp = {tp}, pp = {pp}, cp = 1", change=change)


def _largest_divisor(number: int, most: int) -> int:
    return next(n for n in range(min(number, most), 0, -1) if number % n == 0)


def _sharding_rules(job: Job) -> Iterator[Finding]:
    wanted = job.table.sharding
    if wanted in ("ddp", "zero1", "zero2", "zero3", "fsdp", "fsdp2") and job.data * job.parallel.cp == 1:
        message = f"sharding = {wanted} over one rank shards nothing"
        yield Finding("shards-without-ranks", message, "set sharding = none", "warning", {"finetune.sharding": "none"})
    if wanted in ("zero2", "zero3") and job.parallel.pp > 1:
        message = f"{wanted} and pipeline stages exclude each other: stages accumulate gradients"
        yield Finding("zero3-with-pp", message, "set sharding = zero1", change={"finetune.sharding": "zero1"})


def _shape_rules(job: Job) -> Iterator[Finding]:
    architecture, parallel = job.architecture, job.parallel
    heads = _heads(architecture)
    if parallel.tp > 1 and any(h % parallel.tp for h in heads):
        tp = next(n for n in range(parallel.tp, 0, -1) if job.gpus % n == 0 and all(h % n == 0 for h in heads))
        message = f"tp = {parallel.tp} does not divide {', '.join(map(str, sorted(heads)))} attention heads"
        yield Finding("tp-divides-heads", message, f"set tp = {tp}", change={"finetune.parallel.tp": tp})
    stages = parallel.pp * parallel.vp
    if stages > architecture.num_layers:
        message = f"{stages} pipeline chunks for {architecture.num_layers} layers"
        change = {"finetune.parallel.pp": min(parallel.pp, architecture.num_layers), "finetune.parallel.vp": 1}
        yield Finding("pp-exceeds-layers", message, "fewer stages", change=change)
    if parallel.vp > 1 and parallel.pp == 1:
        message = "interleaved chunks (vp) need a pipeline"
        yield Finding("vp-needs-pp", message, "set vp = 1", change={"finetune.parallel.vp": 1})


def _heads(architecture: Architecture) -> set[int]:
    return {
        mixer.num_q_heads
        for layer in architecture.layer_kinds
        for mixer in layer.mixers
        if isinstance(mixer, Attention | LatentAttention)
    }


def _expert_rules(job: Job) -> Iterator[Finding]:
    ep = job.parallel.ep
    if ep == 1:
        return
    kinds = [layer.feed_forward for layer in job.architecture.layer_kinds]
    experts = {block.num_experts for block in kinds if isinstance(block, MoE)}
    if not experts:
        yield Finding("ep-without-experts", "ep without experts", "set ep = 1", change={"finetune.parallel.ep": 1})
        return
    ranks = max(1, ceil(job.gpus / job.parallel.pp))
    if ep > ranks:
        message = f"ep = {ep} is more than the {ranks} GPUs of a pipeline stage"
        yield Finding("ep-exceeds-ranks", message, f"set ep = {ranks}", change={"finetune.parallel.ep": ranks})
    elif any(count % ep for count in experts):
        legal = next(n for n in range(ep, 0, -1) if all(count % n == 0 for count in experts))
        message = f"ep = {ep} does not divide {', '.join(map(str, sorted(experts)))} experts"
        yield Finding("ep-divides-experts", message, f"set ep = {legal}", change={"finetune.parallel.ep": legal})
