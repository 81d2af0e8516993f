"""The operators of an architecture under a layout: what one rank computes and reads in a step.

Shapes come from the tensors (projections), the mixers (attention over context) and the feed-forward (experts).
Tensors that read the same input are one matrix product, as engines fuse them (qkv, gate and up).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from planner.memo import Derived, kept
from planner.models.architecture import (
    Architecture,
    Attention,
    LatentAttention,
    Layer,
    Mixer,
    MoE,
    Quantization,
    Recurrent,
    Tensor,
)
from planner.models.formats import scheme_of, tensor_bytes
from planner.resolved import Serving

KV_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "fp8": 1.0, "fp8_e4m3": 1.0, "fp8_e5m2": 1.0, "int8": 1.0,
            "q8_0": 34 / 32, "nvfp4": 0.5625, "fp4": 0.5625, "q4_0": 18 / 32}  # fmt: skip
"""Bytes per cached element."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What of a deployment decides shapes."""

    tp: int
    attention_dp: int
    ep: int
    dcp: int
    kv_bytes: float
    pp: int = 1

    @property
    def ranks(self) -> int:
        """Devices over which experts are spread."""
        return self.tp * self.attention_dp

    @property
    def expert_tp(self) -> int:
        """Devices that share one expert."""
        return max(self.ranks // max(self.ep, 1), 1)


def layout_of(serving: Serving) -> Layout:
    """The layout of one replica."""
    kv = KV_BYTES.get(serving.kv_cache_dtype, 2.0)
    return Layout(serving.tp, serving.attention_dp, serving.ep, serving.dcp, kv, serving.pp)


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product (tokens × k)·(k × n) on one rank."""

    count: float
    n: float
    k: float
    weight_bytes: float
    format: str
    part: str


@dataclass(frozen=True, slots=True)
class AttentionOp:
    """Softmax attention of ``count`` layers on one rank."""

    count: float
    q_heads: float
    head_dim: float
    """Mean of key and value."""
    kv_token_bytes: float
    """K and V of one token."""
    window: int | None
    sinks: bool = False
    """The softmax has a learned term beside the keys, which not all kernels know."""


@dataclass(frozen=True, slots=True)
class LatentOp:
    """MLA of ``count`` layers: absorbed in decode, unabsorbed in prefill."""

    count: float
    q_heads: float
    latent: float
    """kv_lora_rank + rope: elements of a cached token."""
    rank: float
    head_dim: float
    v_head_dim: float
    kv_token_bytes: float
    top_k: int | None
    index_heads: float
    index_dim: float
    window: int | None
    compression: int


@dataclass(frozen=True, slots=True)
class RecurrentOp:
    """State update of ``count`` layers."""

    count: float
    state_elements: float


@dataclass(frozen=True, slots=True)
class ExpertOp:
    """Routed experts of ``count`` layers on one rank."""

    count: float
    num_experts: int
    """All of the layer."""
    local_experts: float
    experts_per_token: int
    expert_bytes: float
    """One expert's share on this rank."""
    expert_flop: float
    """Per token that it serves, on this rank."""
    format: str


@dataclass(frozen=True, slots=True)
class Operators:
    """One rank's step over all layers."""

    products: tuple[Product, ...]
    head: tuple[Product, ...]
    attention: tuple[AttentionOp, ...]
    latent: tuple[LatentOp, ...]
    recurrent: tuple[RecurrentOp, ...]
    experts: tuple[ExpertOp, ...]
    hidden: int
    vocab: int
    layers: int
    moe_layers: int
    token_bytes: float
    """Element-wise traffic of one token through all layers."""
    derived: Derived = field(default_factory=Derived, init=False, repr=False, compare=False)


_FORMATS = {
    "fp8-block": "fp8-block", "fp8-tensor": "fp8", "fp8-channel": "fp8-channel", "fp8": "fp8", "nvfp4": "nvfp4",
    "mxfp4": "mxfp4", "mxfp8": "fp8-block", "awq": "int4", "gptq": "int4", "w4a16": "int4", "bnb-nf4": "int4",
    "mlx-4bit": "int4", "mlx-8bit": "int8-weight",
    "w8a8-int8": "int8", "w8a16": "int8-weight", "bnb-int8": "int8-weight",
}  # fmt: skip


def format_of(tensor: Tensor, quantization: Quantization) -> str:
    """The law format of a tensor's product."""
    scheme = scheme_of(tensor, quantization)
    if scheme is None:
        return "fp32" if quantization.base_dtype == "fp32" else "bf16"
    if scheme.scheme.startswith("gguf"):
        return "int4" if scheme.bits < 6 else "int8-weight"
    if scheme.scheme == "mxfp4" and scheme.compute.startswith("fp"):
        return "mxfp4-fp8" if scheme.compute == "fp8" else "nvfp4" if scheme.compute == "fp4" else "mxfp4"
    return _FORMATS.get(scheme.scheme, "bf16")


@kept
def operators_of(architecture: Architecture, quantization: Quantization, layout: Layout) -> Operators:
    """All operators of one forward pass, equal ones counted together."""
    counts = [0] * len(architecture.layer_kinds)
    for index in architecture.layer_order:
        counts[index] += 1
    kinds = [(layer, count) for layer, count in zip(architecture.layer_kinds, counts, strict=True) if count]
    hidden = architecture.hidden_size
    return Operators(
        products=_merge(p for layer, count in kinds for p in _products(layer, count, quantization, layout)),
        head=_head(architecture, quantization, layout),
        attention=tuple(
            _attention(m, layer, count, layout)
            for layer, count in kinds
            for m in layer.mixers
            if isinstance(m, Attention)
        ),
        latent=tuple(
            _latent(m, count, layout) for layer, count in kinds for m in layer.mixers if isinstance(m, LatentAttention)
        ),
        recurrent=tuple(
            RecurrentOp(count, (m.state_elements + m.conv_elements) / layout.tp)
            for layer, count in kinds
            for m in layer.mixers
            if isinstance(m, Recurrent)
        ),
        experts=tuple(e for layer, count in kinds for e in _experts(layer, count, quantization, layout)),
        hidden=hidden,
        vocab=architecture.vocab_size,
        layers=architecture.num_layers,
        moe_layers=sum(count for layer, count in kinds if isinstance(layer.feed_forward, MoE)),
        token_bytes=sum(count * _token_bytes(layer, hidden, layout) for layer, count in kinds),
    )


def _shape(tensor: Tensor, layout: Layout) -> tuple[float, float]:
    """(n, k) of a two-dimensional weight on one rank."""
    out, into = float(tensor.shape[-2]), float(tensor.shape[-1])
    tp = layout.tp
    if tensor.shard in ("column", "vocab"):
        return out / tp, into
    if tensor.shard == "row":
        return out, into / tp
    if tensor.shard == "kv" and tensor.heads:
        return out * max(1, tensor.heads / tp) / tensor.heads, into
    return out, into


def _products(layer: Layer, count: int, quantization: Quantization, layout: Layout) -> Iterable[Product]:
    groups: dict[tuple[str, int, str, str], list[Tensor]] = defaultdict(list)
    for tensor in layer.tensors:
        if len(tensor.shape) == 2 and tensor.part not in ("experts", "norm") and min(tensor.shape) > 1:
            side: str = "column" if tensor.shard in ("column", "kv") else tensor.shard
            groups[tensor.part, tensor.shape[1], side, format_of(tensor, quantization)].append(tensor)
    for (part, into, side, form), tensors in groups.items():
        shapes = [_shape(t, layout) for t in tensors]
        n = sum(shape[0] for shape in shapes) if side != "row" else shapes[0][0]
        k = float(into) if side != "row" else sum(shape[1] for shape in shapes)
        weight = sum(tensor_bytes(t, quantization) * a * b / t.numel for t, (a, b) in zip(tensors, shapes, strict=True))
        yield Product(count, n, k, weight, form, part)


def _merge(products: Iterable[Product]) -> tuple[Product, ...]:
    """Equal products of different layer kinds counted together."""
    counts: dict[Product, float] = defaultdict(float)
    for p in products:
        counts[Product(0, p.n, p.k, p.weight_bytes, p.format, p.part)] += p.count
    return tuple(Product(c, p.n, p.k, p.weight_bytes, p.format, p.part) for p, c in counts.items())


def _head(architecture: Architecture, quantization: Quantization, layout: Layout) -> tuple[Product, ...]:
    if architecture.kind in ("encoder", "reranker"):
        return ()
    tensors = [t for t in architecture.head if len(t.shape) == 2] or list(architecture.embeddings[:1])
    products = []
    for tensor in tensors:
        n, k = tensor.shape[0] / layout.tp, float(tensor.shape[1])
        weight = tensor_bytes(tensor, quantization) / layout.tp
        products.append(Product(1, n, k, weight, format_of(tensor, quantization), "head"))
    return tuple(products)


_SINKS = "attn.sinks"


def _heads_per_rank(heads: int, tp: int) -> float:
    return max(1.0, heads / tp)


def _attention(mixer: Attention, layer: Layer, count: int, layout: Layout) -> AttentionOp:
    kv = _heads_per_rank(mixer.num_kv_heads, layout.tp)
    per_token = kv * (mixer.head_dim + mixer.v_head_dim) * layout.kv_bytes / layout.dcp
    return AttentionOp(
        count=count,
        q_heads=_heads_per_rank(mixer.num_q_heads, layout.tp),
        head_dim=(mixer.head_dim + mixer.v_head_dim) / 2,
        kv_token_bytes=per_token,
        window=mixer.window,
        sinks=any(tensor.module.endswith(_SINKS) for tensor in layer.tensors),
    )


def _latent(mixer: LatentAttention, count: int, layout: Layout) -> LatentOp:
    latent = mixer.kv_lora_rank + mixer.qk_rope_head_dim
    return LatentOp(
        count=count,
        q_heads=_heads_per_rank(mixer.num_q_heads, layout.tp),
        latent=latent,
        rank=mixer.kv_lora_rank,
        head_dim=mixer.qk_nope_head_dim + mixer.qk_rope_head_dim,
        v_head_dim=mixer.v_head_dim,
        kv_token_bytes=latent * layout.kv_bytes / layout.dcp,
        top_k=mixer.top_k,
        index_heads=mixer.index_heads,
        index_dim=mixer.index_head_dim,
        window=mixer.window,
        compression=max(mixer.compression, 1),
    )


def _experts(layer: Layer, count: int, quantization: Quantization, layout: Layout) -> Iterable[ExpertOp]:
    moe = layer.feed_forward
    stacks = [t for t in layer.tensors if t.part == "experts" and len(t.shape) == 3]
    if not isinstance(moe, MoE) or not stacks:
        return
    share = 1 / layout.expert_tp
    numel = sum(t.numel for t in stacks) / moe.num_experts * share
    stored = sum(tensor_bytes(t, quantization) for t in stacks) / moe.num_experts * share
    yield ExpertOp(
        count=count,
        num_experts=moe.num_experts,
        local_experts=max(moe.num_experts / max(layout.ep, 1), 1.0),
        experts_per_token=moe.experts_per_token,
        expert_bytes=stored,
        expert_flop=2.0 * numel,
        format=format_of(stacks[0], quantization),
    )


def _token_bytes(layer: Layer, hidden: int, layout: Layout) -> float:
    """Norms with residual (read and write both), rope and cache writes, gated activations: 2 bytes an element."""
    norms = 2 * 4 * hidden
    inner = sum(_inner(m, layout) for m in layer.mixers)
    feed = layer.feed_forward
    if feed is None:
        width = 0.0
    elif isinstance(feed, MoE):
        width = feed.shared_intermediate_size / layout.tp + feed.intermediate_size * feed.experts_per_token / (
            layout.ranks
        )
        norms += 4 * hidden
    else:
        width = feed.intermediate_size / layout.tp
    return 2.0 * (norms + inner + 3 * width)


def _inner(mixer: Mixer, layout: Layout) -> float:
    if isinstance(mixer, Attention):
        return 3 * (mixer.num_q_heads + mixer.num_kv_heads) * mixer.head_dim / layout.tp
    if isinstance(mixer, LatentAttention):
        return 3 * mixer.num_q_heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim) / layout.tp
    return 6 * mixer.num_heads * mixer.value_dim / layout.tp
