"""Memory of a training step on one GPU, as a sum of named parts.

The peak is the larger of two moments: the turn from forward to backward (activations and logits stand, gradients do not
yet) and the optimizer step (gradients and temporaries stand, activations do not).
"""

from __future__ import annotations

from planner.documents.deployment import FinetuneTable, ParallelTable
from planner.documents.result import FinetuneResult
from planner.engines.trainer import TrainerProfile, trainer_profile
from planner.errors import UnknownFact
from planner.estimate import Estimate, spread, total
from planner.memory.finetune_activations import (
    HALF,
    Saving,
    backward_bytes_per_token,
    checkpoint_bytes_per_token,
    layer_bytes_per_token,
)
from planner.memory.finetune_adapters import adapter_parameters, targeted, targets_of
from planner.memory.finetune_state import Shards, StateBytes, shards, state_bytes
from planner.models.architecture import Architecture, Tensor
from planner.models.formats import model_bytes, tensor_bytes
from planner.models.parameters import all_tensors, count_parameters
from planner.resolved import Resolved
from planner.units import GIB

LOGIT_BYTES = 14.5
"""Per token and vocabulary entry, plain: bf16 logits, fp32 copy, softmax and gradient (measured 14-15)."""
FUSED_LOGIT_BYTES = 0.5
"""A fused or chunked cross entropy never holds all logits."""
SHARDED_LOGIT_BYTES = 2.2
"""FSDP around a frozen base keeps the root unit's output once more (measured on 2 and 4 GPUs)."""
CONTEXT_BYTES = 0.5 * GIB
FRAGMENT_SHARE = 0.06
FRAGMENT_BYTES = {1: 1.5 * GIB, 2: 4.0 * GIB, 4: 8.0 * GIB}
"""Allocator reserve beyond the live peak, by GPUs (measured medians; more GPUs at most as four)."""


def is_adapter(table: FinetuneTable) -> bool:
    """Whether the base is frozen and adapters are trained."""
    return table.method in ("lora", "qlora", "dora")


def training_memory(resolved: Resolved) -> FinetuneResult:
    """Peaks by counter: allocated (framework), reserved (allocator), driver; ``resident`` between steps.

    Raises UnknownFact when the deployment has no ``[finetune]``.
    """
    table = resolved.finetune
    if table is None:
        raise UnknownFact("the deployment has no [finetune]")
    trainer = resolved.trainer or trainer_profile(table.trainer)
    gpus = resolved.cluster.num_devices
    parts = training_parts(resolved, table, trainer, gpus)
    allocated = total(_at_peak(parts))
    resident = total({name: parts[name] for name in ("weights", "adapters", "optimizer")})
    slack = min(FRAGMENT_BYTES.get(min(gpus, 4), FRAGMENT_BYTES[4]), FRAGMENT_SHARE * allocated.value * min(gpus, 4))
    slack_part = Estimate(0.2 * slack, slack, 3 * slack, "published")
    reserved = total({**_at_peak(parts), "allocator": slack_part})
    driver = total(
        {
            **_at_peak(parts),
            "allocator": slack_part,
            "context": Estimate(0.4 * GIB, CONTEXT_BYTES, 1.4 * GIB, "published"),
        }
    )
    return FinetuneResult(peak=driver, allocated=allocated, reserved=reserved, driver=driver, resident=resident)


def _at_peak(parts: dict[str, Estimate]) -> dict[str, Estimate]:
    """The parts that stand at the higher of the two moments."""
    always = {name: parts[name] for name in ("weights", "adapters", "optimizer")}
    turn = {name: parts[name] for name in ("activations", "logits", "gathered", "kept_gradients")}
    step = {name: parts[name] for name in ("gradients", "temporaries")}
    turning = sum(p.value for p in turn.values())
    stepping = sum(p.value for p in step.values())
    return {**always, **(turn if turning >= stepping else step)}


def training_parts(resolved: Resolved, table: FinetuneTable, trainer: TrainerProfile, gpus: int) -> dict[str, Estimate]:
    """Every part on one GPU, in bytes."""
    split = shards(table, gpus)
    each = state_bytes(table, trainer)
    trained = trained_parameters(resolved, table, trainer)
    offloaded = table.offload != "none"
    weights = frozen_or_trained_weights(resolved, table, each, split)
    gradient = trained * each.gradient / split.gradient
    optimizer = 0.0 if offloaded else trained * each.optimizer / split.optimizer
    adapters = trained * each.weight / split.weight if is_adapter(table) else 0.0
    accumulates = table.grad_accum > 1
    return {
        "weights": spread(0.0 if table.offload == "optimizer+params" else weights, 0.02, 0.03),
        "adapters": spread(adapters, 0.1, 0.1),
        "optimizer": spread(optimizer, 0.02, 0.05),
        "gradients": spread(0.0 if offloaded else gradient, 0.02, 0.1),
        "kept_gradients": spread(gradient if accumulates and not offloaded else 0.0, 0.5, 0.1),
        "temporaries": spread(0.0 if offloaded else trained * each.temporary / split.optimizer, 0.3, 0.1),
        "gathered": spread(gathered_bytes(resolved, table, trainer), 0.4, 0.4, "assumed"),
        **activation_parts(resolved, table, trainer),
    }


def trained_parameters(resolved: Resolved, table: FinetuneTable, trainer: TrainerProfile) -> float:
    """Parameters that receive gradients on the whole model."""
    architecture = resolved.architecture
    if not is_adapter(table):
        return float(count_parameters(architecture).total)
    rank = table.lora_rank or int(trainer.facts["lora_rank"])
    return float(adapter_parameters(architecture, rank, targets_of(table, trainer.facts["lora_targets"])))


def frozen_or_trained_weights(resolved: Resolved, table: FinetuneTable, each: StateBytes, split: Shards) -> float:
    """Weights on one GPU: the base in its own format when frozen, the trained copy otherwise; experts by EP."""
    architecture, quantization = resolved.architecture, resolved.quantization
    counts = count_parameters(architecture)
    if is_adapter(table):
        whole = model_bytes(architecture, quantization)
        experts = sum(
            tensor_bytes(tensor, quantization) * count
            for tensor, count in all_tensors(architecture)
            if tensor.part == "experts"
        )
    else:
        whole, experts = counts.total * each.weight, counts.routed_experts * each.weight
    return (whole - experts) / split.weight + experts / split.expert_weight


def gathered_bytes(resolved: Resolved, table: FinetuneTable, trainer: TrainerProfile) -> float:
    """Unsharded copies under FSDP or ZeRO-3: two layers and the root unit, or everything, as the trainer does."""
    architecture, quantization = resolved.architecture, resolved.quantization
    if table.sharding not in ("fsdp", "fsdp2", "zero3"):
        return dequantised_bytes(resolved, table)
    if trainer.facts["gather"] == "model" and is_adapter(table):
        return model_bytes(architecture, quantization)
    layers = [_compute_bytes(resolved, table, layer.tensors) for layer in architecture.layer_kinds]
    root = _compute_bytes(resolved, table, architecture.embeddings + architecture.head)
    return 2 * max(layers, default=0.0) + root + dequantised_bytes(resolved, table)


def _compute_bytes(resolved: Resolved, table: FinetuneTable, tensors: tuple[Tensor, ...]) -> float:
    if is_adapter(table):
        return sum(tensor_bytes(t, resolved.quantization) for t in tensors)
    return sum(t.numel for t in tensors) * HALF


def dequantised_bytes(resolved: Resolved, table: FinetuneTable) -> float:
    """A 4- or 8-bit base is expanded one weight at a time for its product."""
    if not is_adapter(table) or resolved.quantization.bits >= 16:
        return 0.0
    return (
        max((t.numel for t, _ in all_tensors(resolved.architecture) if t.quantized and len(t.shape) == 2), default=0)
        * HALF
    )


def activation_parts(resolved: Resolved, table: FinetuneTable, trainer: TrainerProfile) -> dict[str, Estimate]:
    """Activations and logits at the turn from forward to backward."""
    parallel = table.parallel or ParallelTable()
    tokens = table.seq_len * table.micro_batch / parallel.cp
    architecture = resolved.architecture
    sharded = table.sharding in ("fsdp", "fsdp2", "zero3")
    per_vocab = FUSED_LOGIT_BYTES if table.fused_cross_entropy else LOGIT_BYTES
    if sharded and is_adapter(table) and resolved.cluster.num_devices > 1:
        per_vocab += SHARDED_LOGIT_BYTES
    logits = tokens * architecture.vocab_size * per_vocab / parallel.tp
    kept, layer = _activations_per_token(architecture, table, trainer)
    tensor_split = parallel.tp
    if kept.checkpointed:
        logits = max(logits, 0.0)
        body = tokens * kept.per_token / tensor_split
        inside = tokens * layer / tensor_split
        extra = max(0.0, inside - logits)
        return {"activations": spread(body + extra, 0.15, 0.2), "logits": spread(logits, 0.2, 0.2)}
    return {
        "activations": spread(tokens * kept.per_token / tensor_split, 0.15, 0.2),
        "logits": spread(logits, 0.2, 0.2),
    }


class _Kept:
    """Bytes per token over all layers, and whether checkpoints are all that is kept."""

    __slots__ = ("checkpointed", "per_token")

    def __init__(self, per_token: float, checkpointed: bool) -> None:
        self.per_token, self.checkpointed = per_token, checkpointed


def _activations_per_token(
    architecture: Architecture, table: FinetuneTable, trainer: TrainerProfile
) -> tuple[_Kept, float]:
    saving = saving_of(architecture, table, trainer)
    per_layer = [layer_bytes_per_token(architecture, layer, saving) for layer in architecture.layer_kinds]
    largest = max(
        (
            bytes_ + backward_bytes_per_token(layer, architecture.hidden_size)
            for bytes_, layer in zip(per_layer, architecture.layer_kinds, strict=True)
        ),
        default=0.0,
    )
    mode = table.gradient_checkpointing
    if mode is None:
        mode = bool(trainer.facts["gradient_checkpointing"])
    if mode is True:
        return _Kept(checkpoint_bytes_per_token(architecture), True), largest
    if mode == "offloaded":
        return _Kept(0.0, True), largest
    whole = sum(per_layer[i] for i in architecture.layer_order)
    if table.compile:
        whole *= COMPILED_SHARE
    return _Kept(whole, False), largest


COMPILED_SHARE = 0.75
"""A compiled step fuses element-wise chains and keeps fewer tensors (3B ladder: 60.0 → 51.0 GiB)."""


def saving_of(architecture: Architecture, table: FinetuneTable, trainer: TrainerProfile) -> Saving:
    """Which tensors autograd keeps for this method."""
    if not is_adapter(table):
        return Saving(fused_kernels=table.fused_kernels)
    targets = targets_of(table, trainer.facts["lora_targets"])
    layer = architecture.layer_kinds[architecture.layer_order[-1]] if architecture.layer_order else None
    on = [t for t in layer.tensors if targeted(t, targets)] if layer else []
    attention = sum(t.part == "attention" and t.shape[-1] == architecture.hidden_size for t in on)
    return Saving(
        trains_attention=attention > 0,
        trains_mlp=any(t.part in ("mlp", "experts", "shared_experts") for t in on),
        adapter_copies=attention if trainer.facts["dropout_copies"] else 0,
        fused_kernels=table.fused_kernels,
    )
