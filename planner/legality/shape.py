"""What of a model decides whether a layout is legal: heads, experts, and the widths that its shards are cut from."""

from __future__ import annotations

from typing import Literal, NamedTuple

from planner.memo import kept
from planner.models.architecture import (
    Architecture,
    Attention,
    Dense,
    LatentAttention,
    Layer,
    MoE,
    Quantization,
    Recurrent,
    Tensor,
)
from planner.models.formats import scheme_of

Cut = Literal["tensor", "heads", "experts"]
"""Cut by all ranks of the attention, by KV heads (never below one a rank), or by the ranks that share an expert."""
PACK = 8
"""4-bit weights packed in one 32-bit word along the output."""
PADDED_SCHEMES = frozenset({"mxfp4"})
"""Formats whose kernels pad a shard to whole groups (vLLM and SGLang mxfp4.py, TensorRT-LLM fused MoE: 2880 wide)."""


class Width(NamedTuple):
    """A dimension that sharding divides: ``size`` in all, of which a shard must be a whole number of ``unit``."""

    module: str
    size: int
    unit: int
    cut: Cut
    heads: int = 0
    blocks: bool = False
    """The unit is the block of a block-scaled format, else a quantisation group, a pack or 1."""

    def parts(self, tp: int, expert_tp: int) -> int:
        """Ranks that share it."""
        if self.cut == "experts":
            return expert_tp
        return min(tp, self.heads) if self.cut == "heads" else tp

    def shard(self, tp: int, expert_tp: int) -> float:
        """Size of one rank's part."""
        return self.size / self.parts(tp, expert_tp)

    def legal(self, tp: int, expert_tp: int) -> bool:
        """Uncut, a last block or group may be a part of one."""
        parts = self.parts(tp, expert_tp)
        return parts == 1 or self.size % (parts * self.unit) == 0


class ModelShape(NamedTuple):
    """Everything the layout rules ask about a model in one weight format."""

    q_heads: tuple[int, ...]
    state_heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    vision_heads: int
    experts: tuple[int, ...]
    num_layers: int
    widths: tuple[Width, ...]
    features: frozenset[str]
    has_mtp: bool
    replicated_kv: bool
    """A latent cache: every rank of a tensor-parallel group keeps all of it."""


@kept
def model_shape(architecture: Architecture, quantization: Quantization) -> ModelShape:
    """The shape of a model, once per architecture and format."""
    mixers = tuple(m for layer in architecture.layer_kinds for m in layer.mixers)
    softmax = [m for m in mixers if isinstance(m, Attention | LatentAttention)]
    blocks = [layer.feed_forward for layer in architecture.layer_kinds]
    return ModelShape(
        q_heads=_distinct(m.num_q_heads for m in softmax),
        state_heads=_distinct(m.num_heads for m in mixers if isinstance(m, Recurrent)),
        kv_heads=_distinct(m.num_kv_heads for m in softmax if isinstance(m, Attention) and not m.shares_kv),
        vision_heads=architecture.vision_tower.num_heads if architecture.vision_tower else 0,
        experts=_distinct(b.num_experts for b in blocks if isinstance(b, MoE)),
        num_layers=architecture.num_layers,
        widths=_widths(architecture, quantization),
        features=features_of(architecture),
        has_mtp=bool(architecture.mtp),
        replicated_kv=any(isinstance(m, LatentAttention) for m in mixers),
    )


@kept
def features_of(architecture: Architecture) -> frozenset[str]:
    """What an engine must have to run this model."""
    found: set[str] = set()
    for layer in architecture.layer_kinds:
        found.update(*(_mixer_features(m) for m in layer.mixers))
        if isinstance(layer.feed_forward, MoE):
            found.add("moe")
    if architecture.vision_tower or architecture.vision:
        found.add("vision")
    if architecture.kind != "decoder":
        found.add(architecture.kind)
    return frozenset(found)


def _mixer_features(mixer: Attention | LatentAttention | Recurrent) -> set[str]:
    if isinstance(mixer, Recurrent):
        return {"recurrent"}
    found = {"sliding-window"} if mixer.window else set()
    if isinstance(mixer, LatentAttention):
        found.add("mla")
        found |= {"sparse-attention"} if mixer.top_k or mixer.index_heads else set()
        found |= {"compressed-attention"} if mixer.compression > 1 else set()
    return found


def _distinct(numbers: object) -> tuple[int, ...]:
    return tuple(sorted({int(n) for n in numbers if n}))  # type: ignore[attr-defined]


def _widths(architecture: Architecture, quantization: Quantization) -> tuple[Width, ...]:
    found: dict[Width, None] = {}
    for layer in architecture.layer_kinds:
        for tensor in layer.tensors:
            scheme = scheme_of(tensor, quantization)
            found.update(dict.fromkeys(_tensor_widths(tensor, scheme, layer)))
    return tuple(found)


def _tensor_widths(tensor: Tensor, scheme: Quantization | None, layer: Layer) -> list[Width]:
    rows, columns = _units(scheme)
    blocks = scheme is not None and scheme.block is not None
    if tensor.shard == "column" and len(tensor.shape) == 2:
        return [Width(tensor.module, tensor.shape[-2], rows, "tensor", blocks=blocks)]
    if tensor.shard == "row" and len(tensor.shape) == 2:
        return [Width(tensor.module, tensor.shape[-1], columns, "tensor", blocks=blocks)]
    if tensor.shard == "kv" and len(tensor.shape) == 2 and tensor.heads:
        return [Width(tensor.module, tensor.shape[-2], rows, "heads", tensor.heads, blocks)]
    if tensor.shard == "experts" and scheme is not None and isinstance(layer.feed_forward, MoE | Dense):
        size = layer.feed_forward.intermediate_size
        return [Width(tensor.module, size, max(rows, columns), "experts", blocks=blocks)]
    return []


def _units(scheme: Quantization | None) -> tuple[int, int]:
    """Units of a shard's rows (output) and columns (input)."""
    if scheme is None or scheme.scheme in PADDED_SCHEMES:
        return 1, 1
    if scheme.block:
        return scheme.block
    return (PACK if scheme.bits == 4 else 1), scheme.group or 1
