"""Activations of a training step, in bytes per token: what autograd keeps for the backward pass.

Counted tensor by tensor (the accounting of Korthikanti et al. 2022, "Reducing Activation Recomputation in Large
Transformer Models", without the quadratic terms that fused attention drops): what each norm keeps, the input of each
projection whose weight is trained or adapted, Q, K, V and the attention output, the MLP's gate, activation, up and
product. ``benchmarks/count_training.py`` counts the same on real models through saved-tensor hooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.memo import kept
from planner.memory.finetune_adapters import Targets, targeted
from planner.models.architecture import (
    Architecture,
    Attention,
    Dense,
    LatentAttention,
    Layer,
    MoE,
    Recurrent,
    Tensor,
)

HALF = 2.0
"""Bytes of a bf16 or fp16 element."""
FULL = 4.0
"""Bytes of an fp32 element."""
SCAN_CHUNK = 64
"""Tokens after which chunked linear attention keeps a state (flash-linear-attention, Mamba-2: 64 to 256)."""
ROTATED = 2
"""Times that Q and K stand in a fused result beside those that attention keeps: as V's neighbours and around the rotary
embedding (litgpt LoRA runs: 8·h bytes beyond the rest over Llama-2, 5·h over Mistral and Llama-3.2)."""
HEAD_NORMS = {"q": ("q_norm", "q_layernorm"), "k": ("k_norm", "k_layernorm")}


@dataclass(frozen=True, slots=True)
class Saving:
    """What decides which tensors stay."""

    targets: Targets | None = None
    """Of the adapters; None: every weight is trained."""
    copies: float = 0.0
    """Bytes per element of its own copy that each adapted module keeps of its input; 0: modules share one input."""
    dora: bool = False
    """Two results of each adapted module are kept for the gradient of its magnitudes."""
    fused_kernels: bool = False
    autocast: bool = False
    """Weights and residual stream are fp32: each projection casts its input anew."""
    width: float = HALF
    """Bytes of an element inside a layer."""
    fused_qkv: bool = False
    """Q, K and V are one projection: they share a copy of the input, V lies in the whole result, Q and K turn apart."""
    frozen_inputs: float = 0.0
    """Bytes per element of the inputs of quantised projections, adapted or not, that their kernels keep."""
    scores: float = 0.0
    """Bytes per token and head that attention keeps of its scores: 0 where it is fused."""
    fused_norms: bool = False
    selective: str | None = None
    """What is recomputed: "norms" with activation functions and latent up-projections (Megatron's selective
    granularity), or "half-products", every second product and all between them (torchtitan)."""

    def learns(self, tensor: Tensor) -> bool:
        """Whether this weight needs its input for a gradient."""
        return self.targets is None or targeted(tensor, self.targets)


@kept
def kinds_bytes_per_token(architecture: Architecture, saving: Saving) -> tuple[float, ...]:
    """Kept by one layer of each kind, per token."""
    return tuple(layer_bytes_per_token(architecture, layer, saving) for layer in architecture.layer_kinds)


def layer_bytes_per_token(architecture: Architecture, layer: Layer, saving: Saving) -> float:
    """Kept by one layer without checkpointing, or with a selective one, per token."""
    if saving.selective == "half-products":
        return _half_of_products(architecture, layer) * saving.width
    mixing = sum(_mixer_bytes(mixer, saving) for mixer in layer.mixers)
    inside = _norm_bytes(architecture, layer, saving) + mixing + _input_bytes(architecture, layer, saving)
    return (inside + _feed_forward_bytes(layer, architecture.hidden_size, saving)) * saving.width / HALF


def _half_of_products(architecture: Architecture, layer: Layer) -> float:
    """Elements: the layer's input, attention's output, and the results of every second product."""
    block = layer.feed_forward
    routed = block.experts_per_token / block.num_experts if isinstance(block, MoE) else 0.0
    results = float(sum(t.shape[-2] for t in layer.tensors if _is_projection(t)))
    results += sum(t.shape[0] * t.shape[-2] * routed for t in layer.tensors if t.part == "experts")
    out = sum(m.num_q_heads * m.v_head_dim for m in layer.mixers if not isinstance(m, Recurrent))
    return architecture.hidden_size + out + results / 2


def layer_norms_are_native(layer: Layer) -> bool:
    """LayerNorm (with a bias) is one kernel that keeps its input; RMSNorm in plain PyTorch keeps an fp32 copy too."""
    return any(t.part == "norm" and t.module.endswith("bias") for t in layer.tensors)


def _norm_bytes(architecture: Architecture, layer: Layer, saving: Saving) -> float:
    """Each norm: its input where one kernel does it; else the fp32 copy, and the normalised one for a trained gain."""
    widths = list(_norm_widths(layer)) or [architecture.hidden_size] * 2
    if saving.fused_kernels or saving.fused_norms or saving.selective or layer_norms_are_native(layer):
        return sum(widths) * (FULL if saving.autocast else HALF)
    gain = (FULL if saving.autocast else HALF) if saving.targets is None else 0.0
    return sum(widths) * (FULL + gain)


def _norm_widths(layer: Layer) -> Iterator[float]:
    """Elements per token that each norm of a layer works on."""
    attention = next((m for m in layer.mixers if isinstance(m, Attention)), None)
    for tensor in layer.tensors:
        if tensor.part != "norm" or tensor.module.endswith("bias"):
            continue
        last = tensor.module.removesuffix(".weight").rsplit(".", 1)[-1]
        width = float(tensor.shape[-1])
        if attention and tensor.shape[-1] == attention.head_dim:
            heads = {"q": attention.num_q_heads, "k": attention.num_kv_heads}
            width *= float(next((heads[kind] for kind, names in HEAD_NORMS.items() if last in names), 1))
        yield width


def _mixer_bytes(mixer: Attention | LatentAttention | Recurrent, saving: Saving) -> float:
    """Q, K, V and the output of fused attention (MLA's V lies with K's unrotated part); streams and states of scans."""
    if isinstance(mixer, Attention):
        query = mixer.num_q_heads * (mixer.head_dim + mixer.v_head_dim)
        whole = ROTATED * (mixer.num_q_heads + mixer.num_kv_heads) * mixer.head_dim if saving.fused_qkv else 0
        fused = HALF * (query + mixer.num_kv_heads * (mixer.head_dim + mixer.v_head_dim) + whole)
        return fused + saving.scores * mixer.num_q_heads
    if isinstance(mixer, LatentAttention):
        head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
        if saving.selective:
            return HALF * mixer.num_q_heads * mixer.v_head_dim
        expanded = mixer.qk_nope_head_dim + mixer.v_head_dim
        return mixer.num_q_heads * (HALF * (2 * head + expanded + mixer.v_head_dim) + saving.scores)
    streams = mixer.num_heads * 3 * (mixer.key_dim + mixer.value_dim)
    return HALF * (streams + mixer.state_elements / SCAN_CHUNK)


def _input_bytes(architecture: Architecture, layer: Layer, saving: Saving) -> float:
    """Inputs of dense projections outside what the attention and the MLP keep anyhow, and results of DoRA modules."""
    projections = [t for t in layer.tensors if _is_projection(t)]
    learning = [t for t in projections if saving.learns(t)]
    frozen = saving.frozen_inputs * _widths([t for t in projections if t.quantized], saving)
    results = frozen + (sum(2 * HALF * t.shape[-2] for t in learning) if saving.dora else 0.0)
    if saving.targets is not None and saving.copies:
        return results + saving.copies * _widths(learning, saving)
    hidden = architecture.hidden_size
    if saving.autocast:
        return results + sum(HALF * hidden for t in learning if t.shape[-1] == hidden)
    sources = {
        (t.part in ("mlp", "shared_experts", "router"), t.shape[-1]) for t in learning if _is_source(t, layer, hidden)
    }
    return results + sum(HALF * width for _, width in sources)


def _widths(tensors: list[Tensor], saving: Saving) -> float:
    """Elements of the inputs of projections, each for itself; fused ones read one."""
    shared = [t for t in tensors if saving.fused_qkv and t.part == "attention" and t.shard != "row"]
    return sum(t.shape[-1] for t in tensors) - sum(t.shape[-1] for t in shared[1:])


def _is_projection(tensor: Tensor) -> bool:
    return len(tensor.shape) == 2 and tensor.part not in ("norm", "experts", "other", "embedding", "head")


def _is_source(tensor: Tensor, layer: Layer, hidden: int) -> bool:
    """It reads the normed residual stream or a latent: neither the attention's output nor the MLP's product."""
    if tensor.shape[-1] == hidden:
        return tensor.shard != "row"
    return any(
        isinstance(m, LatentAttention) and tensor.shape[-1] in (m.q_lora_rank, m.kv_lora_rank) for m in layer.mixers
    )


def _feed_forward_bytes(layer: Layer, hidden: int, saving: Saving) -> float:
    block = layer.feed_forward
    if block is None:
        return 0.0
    learns = [saving.learns(t) for t in layer.tensors if t.part in ("mlp", "shared_experts")]
    if isinstance(block, Dense):
        return block.intermediate_size * _kept_widths(block.gated, any(learns), saving) * HALF
    experts = any(saving.learns(t) for t in layer.tensors if t.part == "experts")
    product = 1.0 if experts and saving.copies else 0.0
    routed = block.experts_per_token * block.intermediate_size * (_kept_widths(block.gated, experts, saving) + product)
    shared = block.shared_intermediate_size * _kept_widths(block.gated, any(learns), saving)
    dispatched = block.experts_per_token * (block.latent_size or hidden)
    return HALF * (routed + shared + dispatched * (2 if experts and not saving.selective else 1))


def _kept_widths(gated: bool, learns: bool, saving: Saving) -> float:
    """Tensors of the intermediate size that stay: gate, its activation and up; the product for a learning down.

    Adapted modules with copies of their own count the product there.
    """
    if saving.selective:
        return 2.0 if gated else 1.0
    kept = (2.0 if saving.fused_kernels else 3.0) if gated else 1.0
    return kept + (1.0 if learns and not saving.copies else 0.0)


def backward_bytes_per_token(layer: Layer, hidden: int, in_place: bool = False) -> float:
    """Gradients alive inside the layer that is worked backwards: of gate, up, product, Q, K, V and the residual.

    ``in_place``: kernels write them over the activations, and the residual's alone are new.
    """
    if in_place:
        return HALF * 4 * hidden
    block = layer.feed_forward
    if isinstance(block, MoE):
        width = block.experts_per_token * block.intermediate_size + block.shared_intermediate_size
    else:
        width = block.intermediate_size if block else 0
    return HALF * (3 * width + 4 * hidden)
