"""FLOPs of a training token by method, checkpointing and objective."""

from __future__ import annotations

from dataclasses import dataclass

from planner.memo import kept
from planner.memory.finetune_job import PAIRED, Job
from planner.models.architecture import Architecture, Attention, LatentAttention, MoE, Recurrent
from planner.models.parameters import count_parameters

FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT = 2.0, 2.0, 2.0
"""FLOPs per weight and token of each pass."""
BOTH_PASSES = 3
"""Times the forward FLOPs of attention: forward once, backward twice."""
RECOMPUTED = {"norms": 0.05, "half-products": 0.5}
"""Of a forward pass with weights, that selective checkpointing repeats: norms, activation functions and latent
up-projections (Megatron), or every second product (torchtitan)."""
SCAN_FLOP = 6.0
"""Per element of a recurrent state and token: decay, update and read, multiplied and added."""


@dataclass(frozen=True, slots=True)
class Work:
    """FLOPs per token."""

    model: float
    """What the method needs: the base of MFU."""
    executed: float
    """With recomputation and passes of other models."""
    attention: float
    """Of those, between tokens instead of with weights: in 16 bits whatever the weights' products are in."""


@kept
def attention_flop_per_token(architecture: Architecture, seq_len: int) -> float:
    """Forward FLOPs of causal attention per token, 2 · 2 · (s/2) · heads · dim; windows shorten s, states scan."""
    total = 0.0
    for layer in architecture.layers:
        for mixer in layer.mixers:
            if isinstance(mixer, Attention):
                span = min(seq_len / 2, mixer.window or seq_len)
                total += 2 * span * mixer.num_q_heads * (mixer.head_dim + mixer.v_head_dim)
            elif isinstance(mixer, LatentAttention):
                head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim
                total += 2 * min(seq_len / 2, mixer.top_k or seq_len) * mixer.num_q_heads * head
            elif isinstance(mixer, Recurrent):
                total += SCAN_FLOP * mixer.state_elements
    return total


def work_per_token(job: Job) -> Work:
    """A frozen base has no weight gradients; checkpointing repeats the forward pass; DPO runs a reference beside it."""
    active = count_parameters(job.architecture).active
    attention = attention_flop_per_token(job.architecture, job.table.seq_len)
    weights = FORWARD + INPUT_GRADIENT + (0.0 if job.adapters else WEIGHT_GRADIENT)
    whole = 1.0 if job.checkpointing in ("full", "offloaded") else 0.0
    again = RECOMPUTED[job.trainer.facts["selective"]] if job.checkpointing == "selective" else whole
    objective = job.table.objective
    beside = (objective in PAIRED - {"rm", "reward", "orpo"}) + (objective in ("grpo", "ppo", "rloo"))
    between = attention * (BOTH_PASSES + whole + beside)
    executed = active * (weights + FORWARD * (again + beside)) + between
    return Work(active * weights + BOTH_PASSES * attention, executed, between)


@kept
def active_expert_params(architecture: Architecture) -> float:
    """Routed expert weights that one token multiplies with."""
    total = 0.0
    for layer in architecture.layers:
        if isinstance(layer.feed_forward, MoE):
            share = layer.feed_forward.experts_per_token / layer.feed_forward.num_experts
            total += share * sum(t.numel for t in layer.tensors if t.part == "experts")
    return total


@kept
def expert_size(architecture: Architecture) -> float | None:
    """Geometric mean of an expert's two widths: how large its products are. None for dense models."""
    sizes = [
        ((layer.feed_forward.latent_size or architecture.hidden_size) * layer.feed_forward.intermediate_size) ** 0.5
        for layer in architecture.layers
        if isinstance(layer.feed_forward, MoE)
    ]
    return sum(sizes) / len(sizes) if sizes else None


@kept
def recurrent_share(architecture: Architecture) -> float:
    """Layers that scan a state instead of attending."""
    recurrent = sum(any(isinstance(m, Recurrent) for m in layer.mixers) for layer in architecture.layers)
    return recurrent / max(architecture.num_layers, 1)
