"""Layers that an architecture search has sized one by one (``block_configs``, Llama-Nemotron)."""

from __future__ import annotations

from typing import Any

from planner.errors import BadInput
from planner.models.config_keys import Keys, shown, whole_number
from planner.models.layers.block import LayerSpec, Value

MULTIPLE = 256
"""MLP widths are rounded up to it (modeling_decilm.py of the published checkpoints)."""


def nas_specs(keys: Keys, count: int) -> tuple[LayerSpec, ...]:
    """One spec per entry: heads per group, MLP multiplier, or either block left out or replaced by one matrix."""
    entries = keys.items("block_configs") or ()
    if len(entries) != count:
        raise BadInput(keys.at("block_configs"), f"{len(entries)} entries for {count} layers")
    return tuple(_spec(keys, entry, f"block_configs[{i}]") for i, entry in enumerate(entries))


def _spec(keys: Keys, entry: Any, where: str) -> LayerSpec:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(k), dict) for k in ("attention", "ffn")):
        raise BadInput(keys.at(where), "expected tables attention and ffn")
    mixer, values = _attention(keys, entry["attention"], f"{where}.attention")
    feed, sizes = _feed(keys, entry["ffn"], f"{where}.ffn")
    return LayerSpec(mixer, None, feed, tuple(sorted({**values, **sizes}.items())))


def _attention(keys: Keys, table: dict[str, Any], where: str) -> tuple[tuple[str, ...], dict[str, Value]]:
    if table.get("no_op") is True:
        return (), {}
    if table.get("replace_with_linear") is True:
        return ("linear-mixer",), {}
    heads = keys.count("num_attention_heads")
    group = whole_number(table.get("n_heads_in_group"), keys.at(f"{where}.n_heads_in_group"), 1, heads)
    window = table.get("window_length")
    if window is not None:
        whole_number(window, keys.at(f"{where}.window_length"), 1, 1 << 40)
    return ("attention",), {"num_key_value_heads": max(heads // group, 1)}


def _feed(keys: Keys, table: dict[str, Any], where: str) -> tuple[tuple[str, ...], dict[str, Value]]:
    if table.get("no_op") is True:
        return (), {}
    if table.get("replace_with_linear") is True:
        return ("linear-feed",), {}
    width = table.get("intermediate_size")
    if width is None:
        width = _from_multiplier(keys, table.get("ffn_mult"), where)
    return ("dense",), {"intermediate_size": whole_number(width, keys.at(where), 1, 1 << 40)}


def _from_multiplier(keys: Keys, multiplier: object, where: str) -> int:
    """``2 × multiplier × hidden / 3``, rounded up."""
    if isinstance(multiplier, bool) or not isinstance(multiplier, int | float) or not 0 < multiplier < 1000:
        raise BadInput(keys.at(f"{where}.ffn_mult"), f"expected a small number, got {shown(multiplier)}")
    raw = int(2 * multiplier * keys.count("hidden_size") / 3)
    return -(-raw // MULTIPLE) * MULTIPLE
