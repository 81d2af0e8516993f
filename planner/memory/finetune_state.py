"""Weights, gradients and optimizer states: bytes per trained parameter, and how sharding divides them.

Pure bf16 AdamW holds 2 (weight) + 2 (gradient) + 4 (moments) and at the optimizer step 2 more of foreach temporaries;
an fp32 master doubles each. DeepSpeed keeps 2 + 2 and shards 12 (fp32 master and moments), with 4 of fp32 gradients at
the step. Megatron's distributed optimizer: 2 + 4 (main gradient) + 12 (master and moments) / dp.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.memory.finetune_job import SHARDS_GRADIENTS, SHARDS_STATES, Job

STATE_WIDTHS = {
    "adamw": (2, 1.0), "adamw-fused": (2, 1.0), "adamw-8bit": (2, 8 / 32), "paged-adamw-8bit": (2, 8 / 32),
    "adamw-4bit": (2, 4 / 32), "adafactor": (1, 1 / 64), "muon": (1, 1.0), "sgd": (0, 0.0),
}  # fmt: skip
"""Optimizer → (states per parameter, their size against the unquantised state); block scales add 1-2 %."""
NO_TEMPORARY = frozenset({"adamw-fused", "adamw-8bit", "paged-adamw-8bit", "adamw-4bit", "sgd", "adafactor", "muon"})
QUANTISED = frozenset({"adamw-8bit", "paged-adamw-8bit", "adamw-4bit"})
ON_DEVICE_ONLY = QUANTISED | {"adafactor", "muon"}
"""Optimizers without a step on the processors: their states cannot be offloaded."""
MASTER = 4.0
"""Bytes of an fp32 copy."""


@dataclass(frozen=True, slots=True)
class StateBytes:
    """Bytes per trained parameter, before sharding."""

    weight: float
    gradient: float
    optimizer: float
    temporary: float
    compute: float = 2.0
    """Of a copy gathered for a product."""
    moment: float = 4.0
    """One unquantised state."""


@dataclass(frozen=True, slots=True)
class Shards:
    """Over how many GPUs each part of the dense weights, and of the experts, is divided."""

    weight: float
    gradient: float
    optimizer: float
    expert_weight: float
    expert_gradient: float
    expert_optimizer: float


def is_deepspeed(job: Job) -> bool:
    """ZeRO outside Megatron: DeepSpeed, which always keeps an fp32 master."""
    return job.sharding.startswith("zero") and not job.trainer.facts["main_grad_bytes"]


def keeps_master(job: Job) -> bool:
    """Trained weights are fp32."""
    return job.table.precision == "fp32" or job.table.precision.endswith("-mixed")


def is_autocast(job: Job) -> bool:
    """Whole fp32 weights that each product casts to 16 bits: mixed precision where no engine holds 16-bit ones."""
    mixed = job.table.precision in ("bf16-mixed", "fp16-mixed") and not job.adapters
    return mixed and job.sharding in ("none", "ddp") and not job.trainer.facts["main_grad_bytes"]


def state_bytes(job: Job) -> StateBytes:
    """Per trained parameter. Unknown optimizers count as AdamW."""
    count, share = STATE_WIDTHS.get(job.optimizer, (2, 1.0))
    quantised = job.optimizer in QUANTISED
    main_gradient = float(job.trainer.facts["main_grad_bytes"])
    if main_gradient:
        return StateBytes(2.0, main_gradient, MASTER + count * 4.0 * share, 0.0)
    if is_deepspeed(job):
        return StateBytes(2.0, 2.0, MASTER + count * 4.0 * share, MASTER)
    width = MASTER if keeps_master(job) else 2.0
    if job.adapters:
        width = float(job.trainer.facts["adapter_bytes"])
    states = count * (4.0 * share * 1.02 if quantised else width * share)
    fused = job.optimizer in NO_TEMPORARY or job.trainer.facts["fused_adamw"]
    compute = MASTER if job.table.precision == "fp32" else 2.0
    return StateBytes(width, width, states, 0.0 if fused else width, compute, width)


def shards(job: Job) -> Shards:
    """Divisors on one GPU of a pipeline stage."""
    tp, ep, ranks = job.parallel.tp * job.split, job.parallel.ep, job.data * job.parallel.cp
    experts, expert_ranks = (tp, ranks) if ep == 1 else (ep, max(1.0, job.gpus / (job.parallel.pp * ep)))

    def over(kinds: tuple[str, ...], model: float, count: float) -> float:
        return model * (count if job.sharding in kinds else 1.0)

    return Shards(
        weight=over(("zero3", "fsdp"), tp, ranks),
        gradient=over(SHARDS_GRADIENTS, tp, ranks),
        optimizer=over(SHARDS_STATES, tp, ranks),
        expert_weight=over(("zero3", "fsdp"), experts, expert_ranks),
        expert_gradient=over(SHARDS_GRADIENTS, experts, expert_ranks),
        expert_optimizer=over(SHARDS_STATES, experts, expert_ranks),
    )
