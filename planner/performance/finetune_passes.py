"""What every pass over the model takes whatever its tokens: casting up quantised weights, launching experts."""

from __future__ import annotations

from hwdb.schema import Accelerator
from planner.memory.finetune_activations import HALF
from planner.memory.finetune_job import Job
from planner.memory.finetune_sizes import stage_sizes
from planner.models.architecture import MoE

EXPANSION_SHARE = 0.6
"""Of the memory bandwidth, that kernels which expand 4- and 8-bit weights reach."""
LAUNCH_S = 6e-6
"""From one small kernel to the next in eager PyTorch."""
EXPERT_KERNELS = 12
"""Of one expert in one pass: gathers, three products, activation, weighting, scatter."""


def passes(job: Job) -> int:
    """Over the weights in a micro-batch: forward, backward, and forward again where it is recomputed."""
    return 3 if job.checkpointing in ("full", "offloaded") else 2


def expansion_seconds(job: Job, row: Accelerator) -> float:
    """Reading stored weights and writing 16-bit ones, for every pass of every micro-batch of a step."""
    if not job.adapters or job.quantization.bits >= 16 or not row.bandwidth_bytes_s:
        return 0.0
    sizes = stage_sizes(job.architecture, job.quantization, job.parallel.pp, False, False)
    on_host = job.trainer.facts["experts"] == "cpu"
    experts = 0.0 if on_host else (sizes.expert_bytes + 2 * HALF * sizes.expert_params) / job.parallel.ep
    moved = (sizes.dense_bytes + 2 * HALF * sizes.dense_params) / job.parallel.tp + experts
    return passes(job) * job.accumulates * moved / (row.bandwidth_bytes_s * EXPANSION_SHARE)


def launch_seconds(job: Job) -> float:
    """Experts one after the other, where nothing fuses them."""
    if job.trainer.facts["experts"] != "looped":
        return 0.0
    experts = sum(
        layer.feed_forward.num_experts for layer in job.architecture.layers if isinstance(layer.feed_forward, MoE)
    )
    share = experts / (job.parallel.ep * job.parallel.pp)
    return passes(job) * job.accumulates * share * EXPERT_KERNELS * LAUNCH_S
