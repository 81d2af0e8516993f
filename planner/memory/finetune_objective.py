"""What an objective adds to a training step: a reference model, an inference engine for rollouts."""

from __future__ import annotations

import math

from planner.memory.finetune_job import PAIRED, Job

ROLLOUT_SHARE = 0.3
"""Of a device: what the colocated inference engine takes (trl GRPOConfig.vllm_gpu_memory_utilization)."""
ROLLED_OUT = frozenset({"grpo", "ppo", "rloo"})


def reference_share(job: Job) -> float:
    """Copies of the trained weights that stand beside them, frozen.

    DPO compares with the model as it was: a whole copy under full fine-tuning; adapters are simply switched off.
    GRPO in trl has no reference at its default beta of 0.
    """
    return 1.0 if job.table.objective in PAIRED - {"rm", "reward", "orpo"} and not job.adapters else 0.0


def rollout_bytes(job: Job) -> float:
    """The inference engine beside the trainer: its share of the device, or what its weights need if that is more."""
    if job.table.objective not in ROLLED_OUT:
        return 0.0
    capacity = job.cluster.device.memory_bytes
    return ROLLOUT_SHARE * capacity if math.isfinite(capacity) else 0.0
