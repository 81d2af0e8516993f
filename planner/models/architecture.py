"""A model as the planner sees it: tensors with their sharding rules, caches with their sizes, shapes for FLOPs.

Built by the readers of this package (config.json, safetensors, GGUF, catalogue). Whoever consumes an
``Architecture`` never looks at a config key or a model name: weights come from ``tensors``, KV memory from
``caches``, arithmetic from ``mixers`` and ``feed_forward``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Literal

from planner.memo import Derived

Part = Literal[
    "embedding", "attention", "recurrent", "indexer", "mlp", "router", "experts", "shared_experts",
    "norm", "head", "vision", "other",
]  # fmt: skip
Shard = Literal["replicated", "column", "row", "kv", "vocab", "experts"]
"""How tensor parallelism cuts a tensor: ``column`` its output rows, ``row`` its input columns, ``kv`` output rows
by KV head (never below one head a rank), ``vocab`` its padded vocabulary, ``experts`` whole experts under expert
parallelism and each expert's intermediate size otherwise."""
CacheKind = Literal["full", "sliding", "latent", "indexer", "compressed", "state"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One weight. ``shape`` is (out, in), (experts, out, in) or (n,); like tensors of all vision layers are one, with
    the number of layers first."""

    module: str
    """Module path inside its layer, as checkpoints name it (``self_attn.q_proj``); ignore lists match it."""
    shape: tuple[int, ...]
    part: Part
    shard: Shard = "replicated"
    heads: int = 0
    """For ``kv``: the number of KV heads that its output rows hold."""
    quantized: bool = False
    """A linear weight that quantised checkpoints store in the low format unless they list it as ignored."""

    @property
    def numel(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Cache:
    """What one layer keeps of each token (or of each request) while serving."""

    kind: CacheKind
    elements: int
    """Per token for K and V (or latent, or indexer keys) together, all heads; per request for ``state``."""
    heads: int = 0
    """KV heads over which tensor parallelism splits it; 0: every rank keeps all of it."""
    window: int | None = None
    """Tokens kept at most; None keeps all."""
    compression: int = 1
    """Tokens that share one stored entry."""
    element_bytes: float | None = None
    """Fixed bytes per element where the KV dtype does not decide (recurrent state in fp32, fp8 indexer keys)."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Softmax attention: MHA, GQA or MQA, full, sliding or chunked."""

    num_q_heads: int
    num_kv_heads: int
    head_dim: int
    v_head_dim: int
    window: int | None = None
    shares_kv: bool = False
    """Reads the cache of an earlier layer instead of writing its own."""


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """MLA: K and V are kept as one latent of ``kv_lora_rank + qk_rope_head_dim`` per token."""

    num_q_heads: int
    q_lora_rank: int | None
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    top_k: int | None = None
    """Tokens that a sparse-attention indexer leaves to attend to; None attends to all."""
    index_heads: int = 0
    index_head_dim: int = 0
    compression: int = 1
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Recurrent:
    """A layer with a state of fixed size: Mamba, gated delta net, lightning or other linear attention, short conv."""

    kind: str
    num_heads: int
    key_dim: int
    """Per head."""
    value_dim: int
    """Per head."""
    state_elements: int
    """Of the recurrent state per request, all heads."""
    conv_elements: int = 0
    """Of the convolution window per request."""


Mixer = Attention | LatentAttention | Recurrent


@dataclass(frozen=True, slots=True)
class Dense:
    """A plain MLP."""

    intermediate_size: int
    gated: bool = True


@dataclass(frozen=True, slots=True)
class MoE:
    """A mixture of experts."""

    num_experts: int
    experts_per_token: int
    intermediate_size: int
    num_shared_experts: int = 0
    shared_intermediate_size: int = 0
    """Of all shared experts together."""
    gated: bool = True
    latent_size: int = 0
    """Width in which the routed experts work, where it is not the model's hidden size."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of decoder layer."""

    name: str
    mixers: tuple[Mixer, ...]
    feed_forward: Dense | MoE | None
    tensors: tuple[Tensor, ...]
    caches: tuple[Cache, ...]


@dataclass(frozen=True, slots=True)
class VisionTower:
    """The encoder of images."""

    num_heads: int
    num_layers: int
    hidden_size: int
    intermediate_size: int
    tokens_per_image: int | None = None
    """After merging, as the language model sees them; None depends on the image."""
    patches_per_token: float = 1.0
    """Patches that the tower computes for each of them."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """How a checkpoint stores its linear weights."""

    scheme: str
    """none fp8-tensor fp8-channel fp8-block nvfp4 mxfp4 awq gptq w4a16 w8a8-int8 w8a16 bnb-nf4 bnb-int8 gguf:<type>"""
    bits: float = 16.0
    """Of the weight itself."""
    group: int | None = None
    """Weights that share a scale along the input; None: per tensor or per channel, as the scheme says."""
    scale_bits: float = 0.0
    zero_bits: float = 0.0
    block: tuple[int, int] | None = None
    """(out, in) block of a block-scaled scheme."""
    ignore: tuple[str, ...] = ()
    """Modules kept in the base dtype: names, prefixes, globs or ``re:`` patterns, as checkpoints write them."""
    overrides: tuple[tuple[str, Quantization], ...] = ()
    """Modules of another scheme than the rest: (pattern, scheme)."""
    compute: str = "bf16"
    """Format of the matrix products: bf16 for weight-only schemes, fp8, int8, fp4 where activations are cast."""
    kv_cache: str | None = None
    """KV scheme that the checkpoint itself names."""
    base_dtype: str = "bf16"
    """Of everything that is not quantised."""
    quantize_head: bool = False
    quantize_embedding: bool = False

    def __hash__(self) -> int:
        """Cheap, for caches: ignore lists can be long."""
        return hash((self.scheme, self.bits, self.group, self.base_dtype, self.kv_cache, len(self.ignore)))


@dataclass(frozen=True, slots=True)
class Architecture:
    """A whole model."""

    model_type: str
    kind: Literal["decoder", "encoder", "reranker", "encoder-decoder"]
    hidden_size: int
    vocab_size: int
    max_position: int | None
    layer_kinds: tuple[Layer, ...]
    layer_order: tuple[int, ...]
    """Index into ``layer_kinds`` of each layer from the first to the last."""
    embeddings: tuple[Tensor, ...]
    """The input table first; then positional, per-layer and other tables, projections and the final norm."""
    head: tuple[Tensor, ...]
    """Empty when the input table is also the output head."""
    tied_embeddings: bool
    dtype: str = "bf16"
    vision: tuple[Tensor, ...] = ()
    vision_tower: VisionTower | None = None
    rotary_share: float = 1.0
    """Of a head's elements that are rotated."""
    rotary_axes: int = 1
    """Positions of a token: 3 where images and videos have rows, columns and frames (mrope)."""
    mtp: tuple[Layer, ...] = ()
    """Multi-token-prediction layers: in the checkpoint, loaded only for speculation, not counted in totals."""
    quantization: Quantization | None = None
    """The checkpoint's own; None for plain weights."""
    doubts: tuple[str, ...] = ()
    """What could not be read with certainty."""
    derived: Derived = field(default_factory=Derived, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        """Cheap, for caches: what tells most models apart, not every tensor."""
        return hash((self.model_type, self.hidden_size, self.vocab_size, self.layer_order, self.dtype, self.kind))

    @property
    def num_layers(self) -> int:
        return len(self.layer_order)

    @property
    def has_experts(self) -> bool:
        """Whether any layer is a mixture of experts."""
        return any(isinstance(kind.feed_forward, MoE) for kind in self.layer_kinds)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer from the first to the last."""
        return tuple(self.layer_kinds[i] for i in self.layer_order)
