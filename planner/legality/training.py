"""Whether a training job is legal: every broken rule with the nearest legal change. Rules:

names    trainer-unknown trainer-lacks-method trainer-lacks-objective trainer-lacks-sharding trainer-lacks-optimizer
         trainer-lacks-precision trainer-lacks-offload trainer-lacks-parallelism optimizer-on-device-only
job      no-tokens rank-beyond-width rank-not-effective targets-unknown nothing-targeted global-batch-divides
         sequence-beyond-positions padding eager-attention
base     full-needs-16-bit qlora-base dora-base precision-on-chip quantized-base-on-chip
layout   parallel-exceeds-gpus parallel-divides-gpus tp-divides-heads pp-exceeds-layers vp-needs-pp ep-without-experts
         ep-divides-experts ep-exceeds-ranks shards-without-ranks zero3-with-pp
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.result import Finding
from planner.legality import training_base, training_layout, training_names
from planner.memory.finetune_adapters import EXPERTS_TOO, WORDS, smallest_side, targeted
from planner.memory.finetune_job import ADAPTER_METHODS, Job, job_of
from planner.models.parameters import all_tensors
from planner.performance.finetune import useful_share
from planner.resolved import Resolved

__all__ = ["check_training"]


def check_training(resolved: Resolved) -> tuple[Finding, ...]:
    """Every broken rule of a training job, errors first. An empty tuple is a legal job without remarks."""
    job = job_of(resolved)
    found = [
        *training_names.name_rules(job),
        *_job_rules(job),
        *training_base.base_rules(job, resolved),
        *training_layout.layout_rules(job),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _job_rules(job: Job) -> Iterator[Finding]:
    table = job.table
    if table.tokens is not None and table.tokens <= 0:
        yield Finding(
            "no-tokens", "a dataset of 0 tokens trains nothing", "give the tokens of one epoch, or leave it out"
        )
    if table.method in ADAPTER_METHODS:
        yield from _rank_rules(job)
    yield from _batch_rules(job)
    yield from _sample_rules(job)
    positions = job.architecture.max_position
    if positions and table.seq_len > positions:
        message = f"seq_len {table.seq_len:,} is beyond the model's {positions:,} positions"
        fix = f"set seq_len {positions}, or scale the rotary embedding"
        yield Finding("sequence-beyond-positions", message, fix, "warning", {"finetune.seq_len": positions})


def _sample_rules(job: Job) -> Iterator[Finding]:
    """Time spent on padding, and scores that no fused attention would keep."""
    table = job.table
    useful = useful_share(table)
    if useful < USEFUL_ENOUGH:
        message = f"samples of {table.sample_tokens:,} tokens leave {1 - useful:.0%} of a micro-batch to padding"
        yield Finding("padding", message, "set packing = true", "warning", {"finetune.packing": True})
    if table.attention == "eager" and table.seq_len > LONGEST_EAGER:
        message = f"eager attention keeps scores of {table.seq_len:,} × {table.seq_len:,} for every head"
        yield Finding("eager-attention", message, "set attention = flash", "warning", {"finetune.attention": "flash"})


USEFUL_ENOUGH = 0.7
LONGEST_EAGER = 2048


def _rank_rules(job: Job) -> Iterator[Finding]:
    targets = job.lora_targets
    if isinstance(targets, str) and targets.replace(EXPERTS_TOO, "", 1) not in WORDS:
        message = f"lora_targets {_shown(targets)!r} is no word for targets; known are {', '.join(WORDS)}, or a list"
        fix = 'use "all-linear", or a list of "q" "k" "v" "o" "gate" "up" "down"'
        yield Finding("targets-unknown", message, fix, change={"finetune.lora_targets": "all-linear"})
        return
    if not any(targeted(tensor, job.lora_targets) for tensor, _ in all_tensors(job.architecture)):
        message = f"lora_targets {_shown(job.lora_targets)} name no weight of this model"
        yield Finding("nothing-targeted", message, 'use "all-linear"', change={"finetune.lora_targets": "all-linear"})
        return
    hidden, side = job.architecture.hidden_size, smallest_side(job.architecture, job.lora_targets)
    if job.lora_rank > hidden:
        message = f"rank {job.lora_rank:,} is above the hidden size {hidden:,}: adapters larger than the weights"
        legal = min(64, side) or 64
        yield Finding("rank-beyond-width", message, f"set lora_rank {legal}", change={"finetune.lora_rank": legal})
    elif side and job.lora_rank > side:
        message = f"rank {job.lora_rank} is above the narrowest targeted weight ({side}): it is full there already"
        yield Finding("rank-not-effective", message, f"set lora_rank {side}", "warning", {"finetune.lora_rank": side})


def _shown(targets: str | tuple[str, ...]) -> str:
    return targets[:60] if isinstance(targets, str) else ", ".join(targets)[:60]


def _batch_rules(job: Job) -> Iterator[Finding]:
    wanted, once = job.table.global_batch, job.table.micro_batch * job.data
    if wanted is None or wanted % once == 0:
        return
    nearest = max(1, round(wanted / once)) * once
    message = f"a global batch of {wanted:,} is no multiple of micro_batch × data-parallel ranks ({once:,})"
    change = {"finetune.global_batch": nearest}
    # Trainers that are measured elsewhere round it; a batch below one pass cannot run at all.
    severity = "error" if wanted < once else "warning"
    yield Finding("global-batch-divides", message, f"set global_batch {nearest}", severity, change)  # type: ignore[arg-type]
