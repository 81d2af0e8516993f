"""Bytes of weights on each rank: every tensor cut by its shard rule, then stored in its format.

What tensor parallelism does not cut (norms, routers, the down-projections of latent attention, KV projections with
fewer heads than ranks) is whole on every rank; vocabularies and experts are padded as the engine pads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil, lcm

from planner.memo import kept
from planner.memory.layout import Layout, stage_sizes
from planner.memory.weight_rules import WeightRules
from planner.models.architecture import (
    Architecture,
    Attention,
    LatentAttention,
    Layer,
    Mixer,
    MoE,
    Quantization,
    Tensor,
)
from planner.models.formats import tensor_bytes

_LORA_BYTES = 2.0


@kept
def stage_weights(
    architecture: Architecture, quantization: Quantization, layout: Layout, rules: WeightRules
) -> tuple[Mapping[str, float], ...]:
    """Bytes by part on one rank of each pipeline stage, first to last."""
    rank = _Rank(architecture, quantization, layout, rules)
    kinds = [rank.layer(layer) for layer in architecture.layer_kinds]
    stages: list[dict[str, float]] = []
    first = 0
    for size in stage_sizes(architecture.num_layers, layout.pp):
        order = architecture.layer_order[first : first + size]
        first += size
        parts: dict[str, float] = {}
        for kind in set(order):
            _add(parts, kinds[kind], order.count(kind))
        stages.append(parts)
    _add(stages[0], rank.tensors(t for t in architecture.embeddings if t.shape[0] < rules.host_table_rows))
    _add(stages[0], rank.tensors(architecture.vision))
    for parts in stages:
        _add(parts, {"other": rank.rope()})
    last = architecture.embeddings[:1] if architecture.tied_embeddings and layout.pp > 1 else architecture.head
    _add(stages[-1], rank.tensors(last))
    if layout.mtp:
        for layer in architecture.mtp:
            _add(stages[-1], rank.layer(layer))
    return tuple(_resident(parts, rules) for parts in stages)


def host_tables(architecture: Architecture, quantization: Quantization, rules: WeightRules) -> float:
    """Bytes of the lookup tables that an engine keeps in host memory, whole."""
    tables = (t for t in architecture.embeddings if t.shape[0] >= rules.host_table_rows)
    return sum(tensor_bytes(t, quantization) for t in tables)


def _add(target: dict[str, float], parts: Mapping[str, float], times: int = 1) -> None:
    for part, count in parts.items():
        target[part] = target.get(part, 0.0) + count * times


def _resident(parts: Mapping[str, float], rules: WeightRules) -> Mapping[str, float]:
    held = {part: count * rules.share for part, count in parts.items()}
    if "experts" in held:
        held["experts"] *= rules.expert_share
    if rules.constant_bytes:
        held["other"] = held.get("other", 0.0) + rules.constant_bytes
    return held


@dataclass(frozen=True, slots=True)
class _Rank:
    architecture: Architecture
    quantization: Quantization
    layout: Layout
    rules: WeightRules

    def layer(self, layer: Layer) -> dict[str, float]:
        """Bytes by part of one layer, with what the engine adds to it."""
        width = layer.feed_forward.intermediate_size if isinstance(layer.feed_forward, MoE) else 0
        parts = self.tensors(layer.tensors, width)
        copies = sum(self._latent_copy(m) for m in layer.mixers if isinstance(m, LatentAttention))
        if copies:
            parts["attention"] = parts.get("attention", 0.0) + copies
        if self.layout.lora_adapters and self.layout.lora_rank:
            parts["lora"] = sum(self._lora(t) for t in layer.tensors if t.quantized and len(t.shape) == 2)
        return parts

    def tensors(self, tensors: Iterable[Tensor], width: int = 0) -> dict[str, float]:
        """Bytes by part of tensors; ``width`` is the intermediate size of one expert."""
        parts: dict[str, float] = {}
        for tensor in tensors:
            held = replace(tensor, shape=self.shape(tensor, width))
            size = tensor_bytes(held, self.quantization)
            if tensor.part == "experts" and self.rules.pad_row_bytes:
                size += self._padding(held, size, width)
            parts[tensor.part] = parts.get(tensor.part, 0.0) + size
        return parts

    def rope(self) -> float:
        """Tables of sines and cosines: one for all layers whose heads are of a size."""
        share = self.architecture.rotary_share
        mixers = (m for layer in self.architecture.layer_kinds for m in layer.mixers)
        dims = {m.qk_rope_head_dim if isinstance(m, LatentAttention) else _head(m) * share for m in mixers}
        axes = self.rules.rope_axes_factor if self.architecture.rotary_axes > 1 else 1.0
        return float(self.architecture.max_position or 0) * axes * sum(dims) * self.rules.rope_bytes

    def _padding(self, tensor: Tensor, size: float, width: int) -> float:
        """Bytes that padded rows of an expert weight add (``VLLM_ROCM_MOE_PADDING``)."""
        row = tensor.shape[-1] * size / tensor.numel
        if len(tensor.shape) < 3 or size < 2 * tensor.numel or row % self.rules.pad_when_multiple:
            return 0.0
        left = self.rules.pad_leftover if tensor.shape[-1] * self.layout.expert_tp == width else 0.0
        return size * (self.rules.pad_row_bytes / row + left)

    def shape(self, tensor: Tensor, width: int = 0) -> tuple[int, ...]:
        """What one rank holds of a tensor."""
        if tensor.shard == "replicated":
            return tensor.shape
        if tensor.shard == "experts":
            return self._experts(tensor.shape, width)
        ranks = self._ranks(tensor)
        if tensor.shard == "vocab":
            return (_padded(tensor.shape[0], lcm(self.rules.vocab_padding, ranks)) // ranks, *tensor.shape[1:])
        if tensor.shard == "row" and len(tensor.shape) > 1:
            return (*tensor.shape[:-1], ceil(tensor.shape[-1] / ranks))
        first, rest = tensor.shape[0], tensor.shape[1:]
        if tensor.shard == "kv" and tensor.heads:
            return (ceil(first * max(1, ceil(tensor.heads / ranks)) / tensor.heads), *rest)
        return (ceil(first / ranks), *rest)

    def _ranks(self, tensor: Tensor) -> int:
        over_world = self.rules.dense_over_world and tensor.part in ("mlp", "embedding", "head")
        return self.layout.world if over_world else self.layout.tp

    def _experts(self, shape: tuple[int, ...], width: int) -> tuple[int, ...]:
        """Whole experts over EP; the intermediate size of each over the ranks that share it, padded."""
        count, cut = ceil(shape[0] / self.layout.ep), self.layout.expert_tp
        if len(shape) < 3:
            return (count, *(ceil(n / cut) if n in (width, 2 * width) else n for n in shape[1:]))
        out, into = shape[-2:]
        if out in (width, 2 * width):
            return (count, self._expert_width(out, cut, out // width), self._expert_hidden(into))
        return (count, self._expert_hidden(out), self._expert_width(into, cut, 1))

    def _expert_width(self, size: int, cut: int, fused: int) -> int:
        return _padded(ceil(size / fused / cut), self.rules.expert_width_multiple) * fused

    def _expert_hidden(self, size: int) -> int:
        return _padded(size, self.rules.expert_hidden_multiple)

    def _latent_copy(self, mixer: LatentAttention) -> float:
        heads = ceil(mixer.num_q_heads / self.layout.tp)
        elements = heads * (mixer.qk_nope_head_dim + mixer.v_head_dim) * mixer.kv_lora_rank
        return elements * self.rules.latent_copy_bytes

    def _lora(self, tensor: Tensor) -> float:
        """Slots for adapters: A (rank × in) and B (out × rank), each cut where the weight is (vLLM lora layers)."""
        rows, columns = self.shape(tensor)
        return (rows + columns) * self.layout.lora_rank * self.layout.lora_adapters * _LORA_BYTES


def _head(mixer: Mixer) -> int:
    return mixer.head_dim if isinstance(mixer, Attention) else 0


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
