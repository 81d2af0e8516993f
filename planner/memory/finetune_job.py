"""A training job with nothing left open: what the document says, filled in from the trainer's defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from planner.documents.deployment import FinetuneTable, ParallelTable
from planner.engines.trainer import TrainerProfile, trainer_profile
from planner.errors import UnknownFact
from planner.memo import IdentityMemo
from planner.memory.finetune_adapters import EXPERTS_TOO, Adapters
from planner.models.architecture import Architecture, Quantization
from planner.models.quantization import weight_scheme
from planner.resolved import Cluster, Resolved

Checkpointing = Literal["none", "full", "selective", "offloaded"]
ADAPTER_METHODS = ("lora", "qlora", "dora")
SHARDS_WEIGHTS = ("zero3", "fsdp")
SHARDS_GRADIENTS = ("zero2", "zero3", "fsdp")
SHARDS_STATES = ("zero1", "zero2", "zero3", "fsdp")


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What the arithmetic of training takes."""

    architecture: Architecture
    quantization: Quantization
    """Of the base as loaded: what a frozen base keeps; a trained one is cast to the precision."""
    table: FinetuneTable
    trainer: TrainerProfile
    cluster: Cluster
    parallel: ParallelTable
    data: int
    """Data-parallel ranks."""
    split: int
    """GPUs that hold the layers one after the other; 1 where each works on its own."""
    accumulates: int
    """Micro-batches of a step on one rank."""
    sharding: str
    """none ddp zero1 zero2 zero3 fsdp; "none" only where there is one data-parallel rank."""
    optimizer: str
    checkpointing: Checkpointing
    lora_rank: int
    lora_targets: str | tuple[str, ...]

    @property
    def adapters(self) -> bool:
        """The base is frozen and adapters are trained."""
        return self.table.method in ADAPTER_METHODS

    @property
    def trained_adapters(self) -> Adapters:
        """What they sit on."""
        stacked = self.trainer.facts["expert_adapters"] == "merged"
        return Adapters(self.lora_rank, self.lora_targets, self.table.method == "dora", stacked)

    @property
    def shards_weights(self) -> bool:
        return self.sharding in SHARDS_WEIGHTS and self.data * self.parallel.cp > 1

    @property
    def gathers(self) -> bool:
        """Layers come one after the other: from the other ranks, or from host memory."""
        return self.shards_weights or self.table.offload == "optimizer+params"

    @property
    def gpus(self) -> int:
        return self.cluster.num_devices

    @property
    def tokens(self) -> float:
        """Of one micro-batch on one GPU: sequences of both halves of a pair, cut by context parallelism."""
        return self.table.seq_len * self.table.micro_batch * self.sequences / self.parallel.cp

    @property
    def sequences(self) -> int:
        """Sequences per sample: preference pairs hold a chosen and a rejected answer."""
        return 2 if self.table.objective in PAIRED else 1


PAIRED = frozenset({"dpo", "orpo", "rm", "reward"})


def job_of(resolved: Resolved) -> Job:
    """The job of a resolved deployment. Raises UnknownFact when it has no ``[finetune]``."""
    table = resolved.finetune
    if table is None:
        raise UnknownFact("the deployment has no [finetune]")
    return _JOBS.get(resolved, table, None, lambda: _made(resolved, table))


_JOBS: IdentityMemo[Job] = IdentityMemo(64)
"""Memory, verdict, speed and legality ask for the same job one after the other."""


def _made(resolved: Resolved, table: FinetuneTable) -> Job:
    trainer = resolved.trainer or trainer_profile(table.trainer)
    parallel = table.parallel or ParallelTable()
    gpus = resolved.cluster.num_devices
    split = gpus if trainer.facts["splits_layers"] else 1
    data = max(1, gpus // (parallel.tp * parallel.pp * parallel.cp * split))
    return Job(
        architecture=resolved.architecture,
        quantization=base_quantization(resolved, table),
        table=table,
        trainer=trainer,
        cluster=resolved.cluster,
        parallel=parallel,
        data=data,
        split=split,
        accumulates=_accumulates(table, data),
        sharding=_sharding(table, trainer, data * parallel.cp),
        optimizer=table.optimizer or str(trainer.facts["optimizer"]),
        checkpointing=_checkpointing(table, trainer),
        lora_rank=table.lora_rank or int(trainer.facts["lora_rank"]),
        lora_targets=_targets(table, trainer, resolved.architecture),
    )


def base_quantization(resolved: Resolved, table: FinetuneTable) -> Quantization:
    """The base as the trainer loads it: QLoRA casts 16-bit weights to NF4, and to NF4 stacked experts too.

    A trained base is never quantised: its weights are those of ``precision``.
    """
    own = resolved.quantization
    if table.method == "qlora" and own.bits >= 16:
        own = weight_scheme("bnb-nf4", resolved.architecture)
    if own.scheme.startswith("bnb-"):
        return replace(own, ignore=tuple(pattern for pattern in own.ignore if pattern != "part:experts"))
    return own


def _accumulates(table: FinetuneTable, data: int) -> int:
    if table.global_batch is None:
        return table.grad_accum
    return max(1, round(table.global_batch / (table.micro_batch * data)))


def _sharding(table: FinetuneTable, trainer: TrainerProfile, ranks: int) -> str:
    kind = table.sharding or str(trainer.facts["sharding"])
    if ranks == 1 and kind in ("none", "ddp"):
        return "none"
    return {"fsdp2": "fsdp", "none": "ddp"}.get(kind, kind)


def _checkpointing(table: FinetuneTable, trainer: TrainerProfile) -> Checkpointing:
    mode = table.gradient_checkpointing
    if mode is None:
        mode = trainer.facts["gradient_checkpointing"]
    if mode is True:
        return "full"
    if mode == "selective":
        return "selective"
    return "offloaded" if mode == "offloaded" else "none"


def _targets(table: FinetuneTable, trainer: TrainerProfile, architecture: Architecture) -> str | tuple[str, ...]:
    chosen = table.lora_targets if table.lora_targets is not None else trainer.facts["lora_targets"]
    if isinstance(chosen, str):
        experts = any(t.part == "experts" for kind in architecture.layer_kinds for t in kind.tensors)
        taken = experts and trainer.facts["adapts_experts"] and EXPERTS_TOO not in chosen
        return chosen + EXPERTS_TOO if taken else chosen
    return tuple(chosen)
