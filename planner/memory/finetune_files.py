"""What surrounds a training step: host memory, checkpoints, conversions.

DeepSeek-V3 and its kin are published in FP8: 688 GB become 1.34 TB of bf16 before most trainers accept them.
"""

from __future__ import annotations

from planner.documents.result import TrainingFiles
from planner.estimate import Estimate, total
from planner.memory.finetune_activations import HALF
from planner.memory.finetune_fixed import trained_parameters
from planner.memory.finetune_job import Job
from planner.memory.finetune_sizes import Sizes, stage_sizes
from planner.memory.finetune_state import StateBytes, is_deepspeed, state_bytes
from planner.memory.finetune_tokens import token_bytes
from planner.models.formats import model_bytes
from planner.models.parameters import count_parameters
from planner.units import GIB, GIGA

PROCESS_BYTES = 4 * GIB
"""One training process: interpreter, libraries, pinned buffers, a data loader."""
SHARD_BYTES = 5 * GIGA
"""One file of a checkpoint."""
CONVERSION_SHARDS = 4
"""DeepSeek's fp8_cast_bf16.py keeps two source files at once, and the one it writes; bf16 doubles them."""
KEPT_CHECKPOINTS = 2
GRADIENT_BYTES = 4.0
"""Per offloaded parameter: fp32 gradients in pinned host memory."""


def host_ram(job: Job) -> Estimate:
    """Peak on one node: the processes, and the larger of loading and of what is kept there."""
    processes = PROCESS_BYTES * job.cluster.per_node
    loading, standing = _loading(job), _standing(job)
    parts = {"processes": Estimate(0.4 * processes, processes, 2 * processes, "assumed")}
    if loading.value >= sum(standing.values()):
        parts["loading"] = loading
    else:
        parts.update({name: Estimate(0.9 * v, v, 1.3 * v, "formula") for name, v in standing.items() if v})
    return total(parts)


def _loading(job: Job) -> Estimate:
    """FSDP reads the whole model on one process of a node, to quantise it on up to all; others a file at a time."""
    files = SHARD_BYTES * job.cluster.per_node
    if job.sharding == "fsdp" and job.shards_weights:
        whole = _sizes(job)
        width = state_bytes(job).weight
        stored = (whole.dense_params + whole.expert_params) * (HALF if job.adapters else width)
        copies = job.cluster.per_node if job.quantization.bits < 16 and job.adapters else 1.5
        return Estimate(0.9 * stored, stored, 1.2 * stored * min(copies, job.cluster.per_node), "formula")
    return Estimate(0.5 * files, files, 3 * files, "assumed")


def _standing(job: Job) -> dict[str, float]:
    """What is kept in the host's memory of one node while training."""
    nodes = job.cluster.nodes
    each, trained = state_bytes(job), trained_parameters(job)
    kept = {"activations": token_bytes(job, last=True).host * job.tokens * job.cluster.per_node}
    if job.table.offload != "none":
        gradients = GRADIENT_BYTES if is_deepspeed(job) else each.gradient
        kept["optimizer"] = trained * each.optimizer / nodes
        kept["gradients"] = trained * gradients / nodes
    if job.table.offload == "optimizer+params":
        sizes = _sizes(job)
        kept["weights"] = _weight_bytes(job, sizes, each) / nodes
    if job.trainer.facts["experts"] == "cpu":
        kept["experts"] = _sizes(job).expert_params * HALF
    return kept


def _sizes(job: Job) -> Sizes:
    return stage_sizes(job.architecture, job.quantization, 1, False, bool(job.trainer.facts["unties_head"]))


def _weight_bytes(job: Job, sizes: Sizes, each: StateBytes) -> float:
    if job.adapters:
        return sizes.dense_bytes + sizes.expert_bytes
    return (sizes.dense_params + sizes.expert_params) * each.weight


def training_files(job: Job) -> TrainingFiles:
    """Disk and memory around the run."""
    whole = count_parameters(job.architecture).total * HALF
    each, trained = state_bytes(job), trained_parameters(job)
    published = job.architecture.quantization or job.quantization
    base = model_bytes(job.architecture, published) if published.bits < 16 else whole
    converted = whole if _needs_conversion(job) else None
    checkpoint = trained * (each.weight if job.adapters else HALF)
    resume = trained * each.optimizer
    merged = whole if job.adapters else None
    return TrainingFiles(
        base=base,
        checkpoint=checkpoint,
        resume=resume,
        disk=base + (converted or 0.0) + KEPT_CHECKPOINTS * (checkpoint + resume) + (merged or 0.0),
        save_ram=_save_ram(job, checkpoint, each, trained),
        converted=converted,
        conversion_ram=_conversion_ram(whole) if converted else None,
        merged=merged,
        merge_ram=Estimate(0.3 * whole, whole + PROCESS_BYTES, 1.2 * whole + 2 * PROCESS_BYTES) if merged else None,
    )


def _needs_conversion(job: Job) -> bool:
    """The published weights are in a low format, and this run trains (on) 16-bit ones."""
    own = job.architecture.quantization
    if own is None or own.bits >= 16:
        return False
    return not job.adapters or job.quantization.bits >= 16 or job.quantization.scheme.startswith("bnb-")


def _conversion_ram(whole: float) -> Estimate:
    """File by file, or the whole model where a script loads it at once."""
    by_file = min(CONVERSION_SHARDS * SHARD_BYTES * 2, whole) + PROCESS_BYTES
    return Estimate(0.5 * by_file, by_file, max(whole, by_file), "assumed")


def _save_ram(job: Job, checkpoint: float, each: StateBytes, trained: float) -> Estimate:
    """ZeRO-3 and FSDP gather the whole state on one process to write one file set; sharded checkpoints need a share."""
    if not job.shards_weights or job.adapters:
        return Estimate(checkpoint, checkpoint + PROCESS_BYTES, 2 * checkpoint + 2 * PROCESS_BYTES)
    gathered = trained * (HALF if is_deepspeed(job) else each.weight)
    share = gathered / max(job.cluster.nodes, 1)
    return Estimate(0.1 * share, gathered + PROCESS_BYTES, 1.3 * gathered + 2 * PROCESS_BYTES)
