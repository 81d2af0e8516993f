"""What a token costs on one GPU at the moments of a step: kept activations, one layer at work, logits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.memory.finetune_activations import (
    FULL,
    HALF,
    Saving,
    backward_bytes_per_token,
    kinds_bytes_per_token,
)
from planner.memory.finetune_job import Job
from planner.memory.finetune_sizes import stage_layers
from planner.memory.finetune_state import is_autocast

LOGITS = {
    "plain": 14.5,
    "by-parts": 11.0,
    "kernels": 8.1,
    "compiled": 10.5,
    "linear": 0.5,
    "chunked": 2.5,
    "parallel": 8.0,
}
"""Bytes per token and vocabulary entry at the loss. Plain: bf16 logits, their fp32 copy, log-softmax and gradient
(measured 14-15). Kernels: one fused kernel over whole logits (adapters on 8B: 1304 KB per token against 529 with the
linear kind). Compiled: the chain after the copy is one kernel (3B ladder). Linear: head and loss in one kernel that
never holds all logits. By parts: the head is applied to parts of the sequence, whose logits are joined (litgpt: 1B, 2B
and 3B runs without anything fused).
Chunked: bf16 logits, the rest an eighth at a time. Parallel: Megatron's, in place."""
KEPT_LOGITS = 2.0
"""FSDP around a frozen base keeps the root unit's output until the backward pass has left it (measured on 2 and 4 GPUs:
one bf16 copy of the logits more, at any vocabulary)."""
SCORE_BYTES = 6.0
"""Eager attention keeps, per token, head and position it looks at, the fp32 softmax and its 16-bit copy."""
COMPILED_SHARE = 0.81
"""A compiled step fuses element-wise chains and keeps fewer tensors (3B ladder: 42·h to 34·h per token and layer)."""
FP8_SHARE = 0.75
"""FP8 products keep their inputs in one byte."""


@dataclass(frozen=True, slots=True)
class TokenBytes:
    """Bytes per token of one micro-batch on one GPU of a stage."""

    kept: float
    """All layers of the stage, for the backward pass; times the micro-batches in flight."""
    layer: float
    """The layer that is recomputed and worked backwards, beyond what is kept of it."""
    logits: float
    """At the loss; 0 on stages without the head."""
    kept_logits: float
    """Beside the layers' backward pass."""
    host: float
    """Kept in host memory instead."""


def token_bytes(job: Job, last: bool) -> TokenBytes:
    """Of the first or the last stage."""
    kinds = stage_layers(job.architecture, job.parallel.pp, last)
    per_kind, at_work = _layers(job)
    whole = sum(per_kind[i] for i in kinds)
    tp = job.parallel.tp
    kept, host = _kept(job, whole, len(kinds))
    recomputes = job.checkpointing in ("full", "offloaded")
    layer = at_work[0] if recomputes else at_work[1]
    has_head = last or job.parallel.pp == 1
    vocab = job.architecture.vocab_size if has_head else 0
    return TokenBytes(
        kept=kept / tp / job.split,
        layer=layer / tp,
        logits=vocab * _logit_bytes(job) / tp,
        kept_logits=vocab * KEPT_LOGITS / tp if _keeps_logits(job) else 0.0,
        host=host / tp,
    )


def _layers(job: Job) -> tuple[tuple[float, ...], tuple[float, float]]:
    """Bytes by layer kind, and of the largest at work: recomputed whole, or only its gradients."""
    scores = SCORE_BYTES * job.table.seq_len if job.table.attention == "eager" else 0.0
    saving = replace(saving_of(job), selective=_selective(job), scores=scores)
    architecture = job.architecture
    share = (COMPILED_SHARE if job.table.compile else 1.0) * (FP8_SHARE if "fp8" in job.table.precision else 1.0)
    per_kind = tuple(each * share for each in kinds_bytes_per_token(architecture, saving))
    over = bool(job.trainer.facts["in_place_backward"])
    gradients = [backward_bytes_per_token(k, architecture.hidden_size, over) for k in architecture.layer_kinds]
    recomputed = max((a + b for a, b in zip(per_kind, gradients, strict=True)), default=0.0)
    return per_kind, (recomputed, max(gradients, default=0.0))


def _selective(job: Job) -> str | None:
    return str(job.trainer.facts["selective"]) if job.checkpointing == "selective" else None


def _kept(job: Job, whole: float, layers: int) -> tuple[float, float]:
    """(on the GPU, in host memory) per token."""
    inputs = job.architecture.hidden_size * residual_width(job)
    if job.checkpointing == "full":
        return inputs * layers, 0.0
    if job.checkpointing == "offloaded":
        return 2 * inputs, inputs * layers
    return whole, 0.0


def residual_width(job: Job) -> float:
    """Bytes of an element between layers: autocast over fp32 weights leaves the residual stream in fp32."""
    return FULL if job.table.precision == "fp32" or is_autocast(job) else HALF


def _logit_bytes(job: Job) -> float:
    facts = job.trainer.facts
    if facts["main_grad_bytes"]:
        return LOGITS["parallel"]
    if job.table.fused_cross_entropy:
        return LOGITS[facts["cross_entropy"]]
    if job.table.fused_kernels:
        return LOGITS["kernels"]
    if job.table.compile:
        kind = facts["compiled_cross_entropy"]
        return LOGITS["compiled" if kind == "plain" else kind]
    return LOGITS[facts["whole_cross_entropy"]]


def _keeps_logits(job: Job) -> bool:
    return job.adapters and job.sharding == "fsdp" and job.shards_weights and job.trainer.facts["gather"] == "layer"


def saving_of(job: Job) -> Saving:
    """Which tensors autograd keeps for this method."""
    if not job.adapters:
        width = FULL if job.table.precision == "fp32" else HALF
        fused = bool(job.trainer.facts["fused_qkv"])
        return Saving(
            fused_kernels=job.table.fused_kernels,
            autocast=is_autocast(job),
            width=width,
            fused_qkv=fused,
            fused_norms=bool(job.trainer.facts["fused_norms"]),
        )
    low = job.quantization.bits < 16
    return Saving(
        targets=job.lora_targets,
        copies=float(job.trainer.facts["adapter_input_bytes"]),
        dora=job.table.method == "dora",
        fused_kernels=job.table.fused_kernels,
        fused_qkv=bool(job.trainer.facts["fused_qkv"]),
        fused_norms=bool(job.trainer.facts["fused_norms"]),
        frozen_inputs=float(job.trainer.facts["quantized_input_bytes"]) if low else 0.0,
    )
