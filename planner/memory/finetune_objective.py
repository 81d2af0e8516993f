"""What an objective adds to a training step: a reference model, an inference engine for rollouts."""

from __future__ import annotations

import math

from planner.memo import kept
from planner.memory.finetune_activations import HALF
from planner.memory.finetune_job import PAIRED, Job
from planner.models.architecture import Architecture, Attention, LatentAttention
from planner.models.parameters import count_parameters
from planner.units import GIB

ROLLOUT_SHARE = 0.3
"""Of a device: what the colocated inference engine takes (trl GRPOConfig.vllm_gpu_memory_utilization)."""
LEAST_CACHE_BYTES = 2 * GIB
"""For answers in flight: an engine with less is not worth starting."""
ENGINE_BYTES = 1.5 * GIB
"""Its activations and graphs beside weights and caches."""
SHARE_STEPS = 20
"""Shares are said in twentieths."""
ROLLED_OUT = frozenset({"grpo", "ppo", "rloo"})


def reference_share(job: Job) -> float:
    """Copies of the trained weights that stand beside them, frozen.

    DPO compares with the model as it was: a whole copy under full fine-tuning; adapters are simply switched off.
    GRPO in trl has no reference at its default beta of 0.
    """
    return 1.0 if job.table.objective in PAIRED - {"rm", "reward", "orpo"} and not job.adapters else 0.0


def rollout_ranks(job: Job) -> int:
    """GPUs of a node that hold one engine together: the fewest over which its weights keep to the usual share."""
    most = job.cluster.per_node
    counts = [n for n in range(1, most + 1) if most % n == 0 and all(h % n == 0 for h in _heads(job.architecture))]
    return next((n for n in counts if _engine_share(job, n) <= ROLLOUT_SHARE), counts[-1])


def rollout_share(job: Job) -> float:
    """Of each device: the usual share, or what its part of a 16-bit model and some cache need."""
    return max(ROLLOUT_SHARE, math.ceil(_engine_share(job, rollout_ranks(job)) * SHARE_STEPS) / SHARE_STEPS)


def _engine_share(job: Job, ranks: int) -> float:
    weights = count_parameters(job.architecture).total * HALF
    return (weights / ranks + LEAST_CACHE_BYTES + ENGINE_BYTES) / job.cluster.device.memory_bytes


@kept
def _heads(architecture: Architecture) -> frozenset[int]:
    mixers = (m for layer in architecture.layer_kinds for m in layer.mixers)
    return frozenset(m.num_q_heads for m in mixers if isinstance(m, Attention | LatentAttention))


def rollout_bytes(job: Job) -> float:
    """The inference engine beside the trainer (vllm_mode colocate)."""
    if job.table.objective not in ROLLED_OUT:
        return 0.0
    capacity = job.cluster.device.memory_bytes
    return rollout_share(job) * capacity if math.isfinite(capacity) else 0.0


@kept
def cache_bytes_per_token(architecture: Architecture) -> float:
    """KV of a token in 16 bits, all layers."""
    total = 0.0
    for layer in architecture.layers:
        for mixer in layer.mixers:
            if isinstance(mixer, Attention):
                total += mixer.num_kv_heads * (mixer.head_dim + mixer.v_head_dim)
            elif isinstance(mixer, LatentAttention):
                total += mixer.kv_lora_rank + mixer.qk_rope_head_dim
    return total * HALF
