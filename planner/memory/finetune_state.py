"""Weights, gradients and optimizer states: bytes per trained parameter, and how sharding divides them.

Pure bf16 AdamW holds 2 (weight) + 2 (gradient) + 4 (moments) and at the optimizer step 2 more of foreach temporaries;
an fp32 master doubles each. Megatron's distributed optimizer: 2 + 4 (main gradient) + 12 (master and moments) / dp.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.documents.deployment import FinetuneTable, ParallelTable
from planner.engines.trainer import TrainerProfile

STATE_WIDTHS = {
    "adamw": (2, 1.0), "adamw-fused": (2, 1.0), "adamw-8bit": (2, 8 / 32), "paged-adamw-8bit": (2, 8 / 32),
    "adamw-4bit": (2, 4 / 32), "adafactor": (1, 1 / 64), "muon": (1, 1.0), "sgd": (0, 0.0),
}  # fmt: skip
"""Optimizer → (states per parameter, their size against the unquantised state); block scales add 1-2 %."""
NO_TEMPORARY = frozenset({"adamw-fused", "adamw-8bit", "paged-adamw-8bit", "adamw-4bit", "sgd", "adafactor", "muon"})
QUANTISED = frozenset({"adamw-8bit", "paged-adamw-8bit", "adamw-4bit"})


@dataclass(frozen=True, slots=True)
class StateBytes:
    """Bytes per trained parameter, before sharding."""

    weight: float
    gradient: float
    optimizer: float
    temporary: float


@dataclass(frozen=True, slots=True)
class Shards:
    """Over how many GPUs each part is divided."""

    weight: float
    gradient: float
    optimizer: float
    expert_weight: float


def optimizer_of(table: FinetuneTable, trainer: TrainerProfile) -> str:
    """The document's optimizer or the trainer's default."""
    return table.optimizer or str(trainer.facts["optimizer"])


def state_bytes(table: FinetuneTable, trainer: TrainerProfile) -> StateBytes:
    """Per trained parameter. Unknown optimizers count as AdamW."""
    optimizer = optimizer_of(table, trainer)
    count, share = STATE_WIDTHS.get(optimizer, (2, 1.0))
    if trainer.facts["main_grad_bytes"]:
        return StateBytes(2.0, float(trainer.facts["main_grad_bytes"]), 4.0 + count * 4.0 * share, 0.0)
    master = table.precision in ("fp32", "bf16-mixed") or table.precision.endswith("-mixed")
    width = 4.0 if master else 2.0
    if table.method in ("lora", "qlora", "dora"):
        width = float(trainer.facts["adapter_bytes"])
    states = count * (4.0 * share * 1.02 if optimizer in QUANTISED else width * share)
    temporary = 0.0 if optimizer in NO_TEMPORARY else width
    return StateBytes(width, width, states, temporary)


def shards(table: FinetuneTable, gpus: int) -> Shards:
    """Divisors of weights, gradients and optimizer states on one GPU."""
    parallel = table.parallel or ParallelTable()
    model = parallel.tp * parallel.pp
    data = max(1.0, gpus / (model * parallel.cp))
    experts = parallel.ep * parallel.pp if parallel.ep > 1 else model
    everything = {"zero3", "fsdp", "fsdp2"}
    kind = table.sharding or "none"
    weight = data if kind in everything else 1.0
    gradient = data if kind in everything | {"zero2"} else 1.0
    optimizer = data * parallel.cp if kind in everything | {"zero1", "zero2"} else 1.0
    return Shards(model * weight, model * gradient, model * optimizer, experts * weight)
