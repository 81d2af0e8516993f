"""Which kind each layer is of, read off the many ways configs write a pattern."""

from __future__ import annotations

from dataclasses import replace

from planner.models.config_keys import MAX_LAYERS, Keys
from planner.models.layers.block import LayerSpec


def layer_specs(keys: Keys) -> tuple[LayerSpec, ...]:
    """The spec of every decoder layer from the first to the last."""
    count = keys.count("num_hidden_layers", maximum=MAX_LAYERS)
    return tuple(_spec(keys, index) for index in range(count))


def _spec(keys: Keys, index: int) -> LayerSpec:
    mixer = "latent" if keys.has("kv_lora_rank") else "attention"
    spec = LayerSpec(mixers=(mixer,), window=_window(keys, index))
    return replace(spec, feed_forward=("moe",) if _is_moe(keys, index) else ("dense",))


def _window(keys: Keys, index: int) -> int | None:
    window = keys.optional("sliding_window")
    if window is None or not keys.flag("use_sliding_window", True):
        return None
    types = keys.texts("layer_types")
    if types is not None:
        return window if "sliding" in types[index] else None
    period = keys.optional("sliding_window_pattern")
    return window if period is None or (index + 1) % period else None


def _is_moe(keys: Keys, index: int) -> bool:
    if not keys.optional("num_experts"):
        return False
    if index < keys.count("first_k_dense_replace", 0, minimum=0):
        return False
    if index in (keys.counts("mlp_only_layers") or ()):
        return False
    step = keys.optional("decoder_sparse_step") or 1
    return (index + 1) % step == 0
