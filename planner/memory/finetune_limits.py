"""The longest sequence and the largest micro-batch that fit: memory is linear in tokens, so each is a division."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from planner.memory.finetune_job import Job
from planner.memory.finetune_moments import Moment, Stage, stages
from planner.units import GIB

CONTEXT_BYTES = 0.5 * GIB
LIBRARY_BYTES = 0.8 * GIB
"""Beside the context over a quantised base: bitsandbytes and its kernels (measured 1.34-1.37 GB against 0.46)."""
COLLECTIVE_BYTES = 0.6 * GIB
"""NCCL's channels and buffers."""
FRAGMENT_SHARE = 0.05
"""Of what comes and goes within a step: fragments that the allocator cannot give back before it fails."""
MOST_SEQUENCE = 2**40
MOST_EAGER = 2**20


def room_bytes(job: Job) -> float:
    """What a framework may allocate on one device."""
    device = job.cluster.device
    outside = CONTEXT_BYTES + (COLLECTIVE_BYTES if job.gpus > 1 else 0.0) + library_bytes(job)
    return device.memory_bytes - device.used_bytes - outside


def library_bytes(job: Job) -> float:
    """What kernels of a quantised base take from the device."""
    return LIBRARY_BYTES if job.adapters and job.quantization.bits < 16 else 0.0


def needed_bytes(stage: Stage, tokens: float) -> float:
    """Allocated at the peak with the fragments that cannot be given back."""
    return max(_needed(moment, stage.fixed.resident, tokens) for moment in stage.moments)


def _needed(moment: Moment, resident: float, tokens: float) -> float:
    total = moment.total(tokens)
    return total + FRAGMENT_SHARE * max(total - resident, 0.0)


def longest_sequence(job: Job, ranks: Sequence[Stage]) -> int | None:
    """Tokens of the longest sequence at this micro-batch; None without a device, 0 where nothing fits."""
    tokens = most_tokens(job, ranks)
    if math.isinf(tokens):
        return None
    if job.table.attention == "eager":
        return _longest_eager(job)
    longest = tokens * job.parallel.cp / (job.table.micro_batch * job.sequences)
    positions = max(job.architecture.max_position or MOST_SEQUENCE, job.table.seq_len)
    return int(min(longest, positions))


def _longest_eager(job: Job) -> int:
    """Scores grow with the square of the sequence: halved until it fits exactly."""
    low, high = 0, max(job.architecture.max_position or MOST_EAGER, job.table.seq_len)
    while high > low:
        middle = (low + high + 1) // 2
        tried = replace(job, table=replace(job.table, seq_len=middle))
        if all(needed_bytes(rank, tried.tokens) <= room_bytes(job) for rank in stages(tried)):
            low = middle
        else:
            high = middle - 1
    return low


def largest_micro_batch(job: Job, ranks: Sequence[Stage]) -> int | None:
    """Samples per micro-batch at this sequence length; None without a device, 0 where nothing fits."""
    tokens = most_tokens(job, ranks)
    if math.isinf(tokens):
        return None
    return int(tokens * job.parallel.cp / (job.table.seq_len * job.sequences))


def most_tokens(job: Job, ranks: Sequence[Stage]) -> float:
    """Tokens of a micro-batch that every rank holds at every moment; 0 where the fixed parts already do not fit."""
    room = room_bytes(job)
    return max(0.0, min(_tokens(moment, rank.fixed.resident, room) for rank in ranks for moment in rank.moments))


def _tokens(moment: Moment, resident: float, room: float) -> float:
    left = room - moment.base - FRAGMENT_SHARE * max(moment.base - resident, 0.0)
    if left <= 0:
        return 0.0
    slope = moment.slope * (1 + FRAGMENT_SHARE)
    return left / slope if slope > 0 else math.inf
