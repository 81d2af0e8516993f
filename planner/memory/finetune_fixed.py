"""What stands on one GPU of a training run whatever the batch: weights, states, gradients, gathered layers, copies."""

from __future__ import annotations

from dataclasses import dataclass

from planner.memory.finetune_activations import HALF
from planner.memory.finetune_adapters import adapter_parameters, adapts_experts
from planner.memory.finetune_job import Job
from planner.memory.finetune_objective import reference_share, rollout_bytes
from planner.memory.finetune_sizes import Sizes, stage_sizes
from planner.memory.finetune_state import Shards, StateBytes, is_autocast, is_deepspeed, shards, state_bytes

GATHERED_LAYERS = 2
"""FSDP and ZeRO-3 hold the layer at work and prefetch the next one."""
GRADIENT_LAYERS = 4
"""Beside them in the backward pass of trained weights: gradients of two layers, and their copies for the reduction."""
TRAILING_LAYERS = 4
"""Beyond a wholly gathered model: prefetched and flattened copies (LoRA on 1.4B, 7B and 13B: 3.9 to 4.7 layers)."""
MERGED_AT_WORK = 3
"""Of one layer: the product of its adapters, the sum with the base, the gradient of that."""
BUCKET_ELEMENTS = 5e8
"""DeepSpeed's default reduce bucket; stage 3 sizes it by the hidden size."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes on one GPU of a stage."""

    weights: float
    adapters: float
    optimizer: float
    paged: float
    """Optimizer states that the driver can page out; not in the framework's count."""
    gradients: float
    """At the end of the backward pass and at the optimizer step."""
    held_gradients: float
    """During the forward pass: accumulated ones, or a buffer that always stands."""
    temporaries: float
    gathered: float
    gathered_end: float
    """At the end of the backward pass."""
    layer_gradients: float
    """Gradients of layers at work, before they are reduced."""
    buckets: float
    reference: float
    rollout: float
    casts: float
    """16-bit copies of fp32 weights that autocast keeps through the forward pass."""
    merged: float
    """Experts with their adapters added to them: of all layers, or of the one at work where it is recomputed."""

    @property
    def resident(self) -> float:
        """Between steps, in the framework's count."""
        return self.weights + self.adapters + self.optimizer + self.reference + self.rollout


def fixed_bytes(job: Job, last: bool) -> Fixed:
    """Of the first or last stage."""
    sizes = stage_sizes(
        job.architecture, job.quantization, job.parallel.pp, last, bool(job.trainer.facts["unties_head"])
    )
    each, split = state_bytes(job), shards(job)
    dense, expert = _trained(job, sizes)
    gradients, held = _gradients(job, each, split, (dense, expert))
    # Muon has one moment for matrices; tables and heads are AdamW's, with two.
    second = sizes.outside_params * each.moment if job.optimizer == "muon" and not job.adapters else 0.0
    optimizer = (dense * each.optimizer + second) / split.optimizer + expert * each.optimizer / split.expert_optimizer
    temporary = dense * each.temporary / split.optimizer + expert * each.temporary / split.expert_optimizer
    weights = _weights(job, sizes, each, split)
    away, paged = job.table.offload != "none", job.optimizer.startswith("paged")
    gathered, end = _gathered(job, sizes, each)
    in_host = job.table.offload == "optimizer+params"
    return Fixed(
        weights=0.0 if in_host else weights,
        adapters=dense * each.weight / split.weight if job.adapters and not in_host else 0.0,
        optimizer=0.0 if away or paged else optimizer,
        paged=optimizer if paged and not away else 0.0,
        gradients=gradients,
        held_gradients=held,
        temporaries=0.0 if away else temporary,
        gathered=gathered,
        gathered_end=end,
        layer_gradients=_layer_gradients(job, sizes, each),
        buckets=_buckets(job, each, dense + expert),
        reference=0.0 if in_host else weights * reference_share(job) * HALF / each.weight,
        rollout=rollout_bytes(job),
        casts=_casts(job, sizes),
        merged=_merged(job, sizes),
    )


def _casts(job: Job, sizes: Sizes) -> float:
    """Every weight that goes into a product; a table that is only looked up is not cast."""
    if not is_autocast(job):
        return 0.0
    table = 0 if job.architecture.tied_embeddings else sum(t.numel for t in job.architecture.embeddings)
    return HALF * max(sizes.dense_params + sizes.expert_params - table, 0.0)


def _merged(job: Job, sizes: Sizes) -> float:
    """peft adds an expert stack's adapter to a 16-bit copy of it, which the backward pass needs with its gradient."""
    if (
        not job.adapters
        or job.trainer.facts["expert_adapters"] != "merged"
        or not adapts_experts(job.architecture, job.lora_targets)
    ):
        return 0.0
    kept = 0.0 if job.checkpointing in ("full", "offloaded") else sizes.expert_params
    return HALF * (kept + MERGED_AT_WORK * sizes.layer_expert_params) / job.parallel.ep


def _trained(job: Job, sizes: Sizes) -> tuple[float, float]:
    """(dense, expert) parameters that receive gradients on this stage."""
    if not job.adapters:
        return sizes.dense_params, sizes.expert_params
    return adapter_parameters(job.architecture, job.trained_adapters) / job.parallel.pp, 0.0


def trained_parameters(job: Job) -> float:
    """On the whole model."""
    if job.adapters:
        return float(adapter_parameters(job.architecture, job.trained_adapters))
    sizes = stage_sizes(job.architecture, job.quantization, 1, False, bool(job.trainer.facts["unties_head"]))
    return sizes.dense_params + sizes.expert_params


def _weights(job: Job, sizes: Sizes, each: StateBytes, split: Shards) -> float:
    """The base in its own format when frozen (without experts that processors compute), else the trained copy."""
    if not job.adapters:
        return sizes.dense_params * each.weight / split.weight + sizes.expert_params * each.weight / split.expert_weight
    experts = 0.0 if job.trainer.facts["experts"] == "cpu" else sizes.expert_bytes
    return sizes.dense_bytes / split.weight + experts / split.expert_weight


def _gradients(job: Job, each: StateBytes, split: Shards, trained: tuple[float, float]) -> tuple[float, float]:
    """(at the end of the backward pass, during the forward pass)."""
    dense, expert = trained
    sharded = each.gradient * (dense / split.gradient + expert / split.expert_gradient)
    if job.trainer.facts["main_grad_bytes"]:
        return sharded, sharded
    in_host = job.table.offload == "optimizer+params" or (
        job.table.offload == "optimizer" and job.sharding in ("zero2", "zero3", "fsdp")
    )
    if in_host:
        return 0.0, 0.0
    if job.accumulates == 1:
        return sharded, 0.0
    if job.sharding == "fsdp" and job.trainer.facts["unsharded_gradients"]:
        whole = each.gradient * (dense + expert) / job.parallel.tp
        return sharded + whole, whole
    return sharded, sharded


def _gathered(job: Job, sizes: Sizes, each: StateBytes) -> tuple[float, float]:
    """Unsharded copies (at the loss and in the layers, at the end): layers and the root unit; or a weight expanded."""
    expanded = sizes.largest_matrix * HALF if job.adapters and job.quantization.bits < 16 else 0.0
    if not job.gathers:
        return expanded, expanded
    tp, ep = job.parallel.tp, job.parallel.ep
    layer = (sizes.layer_bytes if job.adapters else sizes.layer_params * each.compute) / max(tp, ep)
    root = sizes.outside_params * (HALF if job.adapters else each.compute) / tp
    now = GATHERED_LAYERS * layer + root + expanded
    if job.adapters and job.trainer.facts["gather"] == "model":
        whole = (sizes.dense_bytes + sizes.expert_bytes) / tp
        return now, whole + TRAILING_LAYERS * layer
    return now, now


def _layer_gradients(job: Job, sizes: Sizes, each: StateBytes) -> float:
    if job.adapters or not job.gathers:
        return 0.0
    return GRADIENT_LAYERS * sizes.layer_params * each.compute / max(job.parallel.tp, job.parallel.ep)


def _buckets(job: Job, each: StateBytes, trained: float) -> float:
    """Flat copies of gradients on their way to the others."""
    if job.sharding == "ddp" and not job.trainer.facts["main_grad_bytes"]:
        return trained * each.gradient / job.parallel.tp
    if is_deepspeed(job):
        elements = BUCKET_ELEMENTS if job.sharding != "zero3" else job.architecture.hidden_size**2
        return 2 * min(elements, trained) * each.gradient
    return 0.0
