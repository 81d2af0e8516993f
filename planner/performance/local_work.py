"""What one token (or a batch, or a prompt chunk) costs on each device: bytes by ggml type, FLOP, cache bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from planner.memo import kept
from planner.memory.gguf_cache import cache_bytes_per_element
from planner.memory.gguf_place import Placement, counted
from planner.models.architecture import Architecture, Attention, LatentAttention, Layer, MoE
from planner.models.gguf_layout import GgufLayout, Types
from planner.models.gguf_mix import type_bits
from planner.resolved import Resolved


@dataclass(slots=True)
class DeviceWork:
    """Summed over the layers of one device; ``HOST`` is a device too."""

    dense: dict[str, float] = field(default_factory=dict)
    """Bytes read per step by type."""
    experts: dict[str, float] = field(default_factory=dict)
    """Bytes of all routed experts by type; a step touches a share of them."""
    layers: float = 0.0
    """A mixer or a feed-forward alone is half a layer."""
    expert_layers: int = 0
    cache_bytes: float = 0.0
    """Per context token: K and V of full layers."""
    latent_bytes: float = 0.0
    window_bytes: float = 0.0
    """K and V of sliding layers per token, times the window."""
    dense_flop: float = 0.0
    """Per token."""
    expert_flop: float = 0.0
    attention_flop: float = 0.0
    """Per prompt token and context token."""
    latent_flop: float = 0.0
    """The same of MLA."""

    def add(self, layer: LayerWork, count: int) -> None:
        """Everything but the routed experts of ``count`` layers of a kind."""
        self.dense_flop += layer.dense_flop * count
        self.attention_flop += layer.attention_flop * count
        self.latent_flop += layer.latent_flop * count
        self.cache_bytes += layer.cache_bytes * count
        self.latent_bytes += layer.latent_bytes * count
        self.window_bytes += layer.window_bytes * count


class LayerWork(NamedTuple):
    """Per token of one layer kind."""

    dense_flop: float
    expert_flop: float
    attention_flop: float
    latent_flop: float
    cache_bytes: float
    latent_bytes: float
    window_bytes: float
    blocks: float
    """1 with a mixer and a feed-forward, ½ with one of them."""


def device_work(resolved: Resolved, layout: GgufLayout, placement: Placement) -> dict[int, DeviceWork]:
    """The work of every device that has any, by index."""
    work: defaultdict[int, DeviceWork] = defaultdict(DeviceWork)
    element = cache_bytes_per_element(resolved.serving.kv_cache_dtype)
    kinds = _layer_works(resolved.architecture, element)
    order = resolved.architecture.layer_order
    for (kind, row, device, experts), count in counted(order, layout.order, placement.layers, placement.experts):
        here, there = work[device], work[experts]
        _add(here.dense, layout.rows[row].dense, count)
        _add(there.experts, layout.rows[row].experts, count)
        here.layers += kinds[kind].blocks * count
        there.expert_layers += count * bool(layout.rows[row].experts)
        there.expert_flop += kinds[kind].expert_flop * count
        here.add(kinds[kind], count)
    head = work[placement.head]
    _add(head.dense, layout.head, 1)
    head.dense_flop += 2.0 * resolved.architecture.vocab_size * resolved.architecture.hidden_size
    return dict(work)


def experts_of(architecture: Architecture) -> MoE | None:
    """The routed mixture, None for dense models."""
    found = [k.feed_forward for k in architecture.layer_kinds if isinstance(k.feed_forward, MoE)]
    return found[0] if found else None


def touched_share(moe: MoE, tokens: float) -> float:
    """Share of the experts that a batch of tokens reads, routed evenly: 1 − (1 − k/E)^tokens."""
    miss = 1.0 - min(1.0, moe.experts_per_token / max(1, moe.num_experts))
    return float(1.0 - miss ** max(1.0, tokens))


@kept
def _layer_works(architecture: Architecture, element: float) -> tuple[LayerWork, ...]:
    """Of each kind of layer; ``element`` is the bytes of a cached one."""
    return tuple(_layer_work(layer, element) for layer in architecture.layer_kinds)


def _layer_work(layer: Layer, element: float) -> LayerWork:
    dense = 2.0 * sum(t.numel for t in layer.tensors if t.part != "experts" and len(t.shape) > 1)
    experts = 0.0
    if isinstance(layer.feed_forward, MoE):
        active = layer.feed_forward.experts_per_token / max(1, layer.feed_forward.num_experts)
        experts = 2.0 * active * sum(t.numel for t in layer.tensors if t.part == "experts" and len(t.shape) > 2)
    attention = sum(_attention_flop(mixer) for mixer in layer.mixers if isinstance(mixer, Attention))
    expanded = sum(_latent_flop(mixer) for mixer in layer.mixers if isinstance(mixer, LatentAttention))
    cache = latent = window = 0.0
    for held in layer.caches:
        if held.kind == "latent":
            latent += held.elements * element
        elif held.kind == "state":
            dense += 4.0 * held.elements
        elif held.window is not None:
            window += held.elements * element * held.window
        else:
            cache += held.elements * element / held.compression
    blocks = (bool(layer.mixers) + (layer.feed_forward is not None)) / 2
    return LayerWork(dense, experts, attention, expanded, cache, latent, window, blocks)


def _attention_flop(mixer: Attention) -> float:
    """FLOP per prompt token and context token of the scores and the values; a window is covered by its own bytes."""
    return 0.0 if mixer.window else 2.0 * mixer.num_q_heads * (mixer.head_dim + mixer.v_head_dim)


def _latent_flop(mixer: LatentAttention) -> float:
    """The same with the latent expanded to full heads, as prompts are computed."""
    return 2.0 * mixer.num_q_heads * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim)


def weighted(types: Mapping[str, float], speed: Mapping[str, float]) -> float:
    """Bytes weighted by how slowly their type is read: Σ bytes ÷ relative speed."""
    default, read = speed.get("default", 1.0), 0.0
    for kind, size in types.items():
        read += size / speed.get(kind, default)
    return read


def slowdown(types: Mapping[str, float], speed: Mapping[str, float]) -> float:
    """How much longer matrix products take than in F16: mean over the weights (not bytes) of 1 ÷ relative speed."""
    bits, default = type_bits(), speed.get("default", 1.0)
    whole = slowed = 0.0
    for kind, size in types.items():
        weights = size / bits.get(kind, 8.0)
        whole += weights
        slowed += weights / speed.get(kind, default)
    return slowed / whole if whole else 1.0


def _add(into: dict[str, float], types: Types, count: int) -> None:
    for kind, size in types:
        into[kind] = into.get(kind, 0.0) + size * count
