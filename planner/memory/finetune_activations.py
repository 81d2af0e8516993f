"""Activations of a training step, in bytes per token: what autograd keeps for the backward pass.

Counted tensor by tensor in 2-byte formats (the accounting of Korthikanti et al. 2022, "Reducing Activation
Recomputation in Large Transformer Models", without the quadratic terms that fused attention drops): each norm's input
with its fp32 copy where norms are not fused, the input of each trained projection, Q, K and V, the attention
output, and the MLP's gate, up and product. A frozen projection needs no input for a weight gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from planner.models.architecture import (
    Architecture,
    Attention,
    Dense,
    LatentAttention,
    Layer,
    MoE,
    Recurrent,
)

HALF = 2.0
"""Bytes of a bf16 or fp16 element."""
SCAN_CHUNK = 64
"""Tokens after which chunked linear attention keeps a state (flash-linear-attention, Mamba-2: 64 to 256)."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What decides which tensors stay."""

    trains_attention: bool = True
    trains_mlp: bool = True
    adapter_copies: int = 0
    """Targeted modules in the attention whose input is kept once more after dropout."""
    adapter_outputs: int = 0
    """DoRA: output elements of targeted modules, kept for the gradient of their magnitudes."""
    fused_kernels: bool = False
    width: float = HALF
    """Bytes of an element inside a layer."""
    selective: bool = False
    """Norms, activation functions and latent up-projections are recomputed (Megatron's selective granularity)."""


@lru_cache(maxsize=2048)
def layer_bytes_per_token(architecture: Architecture, layer: Layer, saving: Saving) -> float:
    """Kept by one layer without checkpointing, per token."""
    hidden = architecture.hidden_size * HALF
    once = saving.fused_kernels or saving.selective or layer_norms_are_native(layer)
    norm = hidden if once else 3 * hidden
    norms = norm * (2 if layer.feed_forward and layer.mixers else 1)
    mixing = sum(_mixer_bytes(mixer, architecture.hidden_size, saving.selective) for mixer in layer.mixers)
    copies = saving.adapter_copies * hidden + saving.adapter_outputs * HALF
    inside = norms + mixing + copies + _feed_forward_bytes(layer, architecture.hidden_size, saving)
    return inside * saving.width / HALF


def layer_norms_are_native(layer: Layer) -> bool:
    """LayerNorm (with a bias) is one kernel that keeps its input; RMSNorm in plain PyTorch keeps an fp32 copy too."""
    return any(t.part == "norm" and t.module.endswith("bias") for t in layer.tensors)


def _mixer_bytes(mixer: Attention | LatentAttention | Recurrent, hidden: int, selective: bool) -> float:
    source = hidden * HALF
    if isinstance(mixer, Attention):
        query = mixer.num_q_heads * mixer.head_dim
        keys_values = mixer.num_kv_heads * (mixer.head_dim + mixer.v_head_dim)
        out = mixer.num_q_heads * mixer.v_head_dim
        return source + HALF * (query + keys_values + out)
    if isinstance(mixer, LatentAttention):
        head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
        latent = (mixer.q_lora_rank or 0) + mixer.kv_lora_rank + mixer.qk_rope_head_dim
        if selective:
            return source + HALF * (latent + mixer.num_q_heads * mixer.v_head_dim)
        return source + HALF * (3 * latent + mixer.num_q_heads * (2 * head + 2 * mixer.v_head_dim))
    streams = mixer.num_heads * 3 * (mixer.key_dim + mixer.value_dim)
    return source + HALF * (streams + mixer.state_elements / SCAN_CHUNK)


def _feed_forward_bytes(layer: Layer, hidden: int, saving: Saving) -> float:
    block = layer.feed_forward
    if block is None:
        return 0.0
    source = hidden * HALF if saving.trains_mlp else 0.0
    if isinstance(block, Dense):
        return source + block.intermediate_size * _kept_widths(block.gated, saving) * HALF
    width = block.experts_per_token * block.intermediate_size + block.shared_intermediate_size
    dispatched = block.experts_per_token * (block.latent_size or hidden) * HALF * (1 if saving.selective else 2)
    return source + dispatched + width * _kept_widths(block.gated, saving) * HALF


def _kept_widths(gated: bool, saving: Saving) -> float:
    """Tensors of the intermediate size that stay: gate, its activation and up; the product for a trained down."""
    if saving.selective:
        return 2.0 if gated else 1.0
    kept = 3.0 if gated else 1.0
    if saving.fused_kernels and gated:
        kept = 2.0
    return kept + (1.0 if saving.trains_mlp else 0.0)


def backward_bytes_per_token(layer: Layer, hidden: int) -> float:
    """Gradients alive inside the layer that is worked backwards: of gate, up, product, Q, K, V and the residual."""
    block = layer.feed_forward
    if isinstance(block, MoE):
        width = block.experts_per_token * block.intermediate_size + block.shared_intermediate_size
    else:
        width = block.intermediate_size if block else 0
    return HALF * (3 * width + 4 * hidden)
