"""A fine-tuning step and the run that it is part of."""

from __future__ import annotations

from dataclasses import dataclass

from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """What surrounds a training run on disk and in host memory, in bytes."""

    base: float
    """The checkpoint that is trained from, as published."""
    checkpoint: float
    """One saved state of what is trained."""
    resume: float
    """Optimizer states beside it, needed to go on."""
    disk: float
    """Base, its conversion, two checkpoints with their states, and the merged model."""
    save_ram: Estimate
    """On the node that writes: whole weights gathered there, or adapters only."""
    converted: float | None = None
    """16-bit copy of a base that is published in a lower format; None where none is needed."""
    conversion_ram: Estimate | None = None
    merged: float | None = None
    """Adapters merged into a 16-bit base; None for full fine-tuning."""
    merge_ram: Estimate | None = None


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """A training step: peaks per GPU by counter, speed, time."""

    peak: Estimate
    allocated: Estimate
    reserved: Estimate
    driver: Estimate
    resident: Estimate
    max_seq_len: int | None = None
    tok_s: Estimate | None = None
    tok_s_per_gpu: Estimate | None = None
    step_s: Estimate | None = None
    mfu: Estimate | None = None
    hours: Estimate | None = None
    host_ram: Estimate | None = None
    """Per node, at its peak."""
    max_micro_batch: int | None = None
    """The largest that fits at this sequence length."""
    capacity: float | None = None
    """Bytes of one device; None where the document names none."""
    moment: str = ""
    """Of a step, at which memory peaks: loss layers end step."""
    bound: str = ""
    """What limits the speed: compute communication rollout processors."""
    gpu_hours: Estimate | None = None
    energy_wh: Estimate | None = None
    money: Estimate | None = None
    """Rent, or depreciation and electricity, of the whole run."""
    currency: str = "USD"
    files: TrainingFiles | None = None
