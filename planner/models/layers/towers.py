"""Encoders of images and sound, built from the rows of ``towers.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from planner.models.architecture import Tensor, VisionTower
from planner.models.config_keys import MAX_LAYERS, Keys
from planner.models.families import child_type, reference_defaults
from planner.models.layers.notation import tensors
from planner.models.tables import table

PAIRS = ("image_size", "patch_size", "merge_kernel_size", "temporal_patch_size")
"""Keys that may hold one number per side; towers are square in all published configs."""


class Towers(NamedTuple):
    """All encoders of a model with what joins them to it."""

    tensors: tuple[Tensor, ...] = ()
    vision: VisionTower | None = None
    doubts: tuple[str, ...] = ()


UNKNOWN = "unknown"


def read_towers(config: Mapping[str, Any], text: Keys) -> Towers:
    """Encoders named by ``vision_config`` and ``audio_config``; one of an unknown kind is estimated, with a doubt."""
    outer = _host(config)
    row = _row("join", str(outer.get("model_type"))[:100])
    vision = outer.get("vision_config")
    if not isinstance(vision, dict) and row.get("always"):
        vision = {}
    if not isinstance(vision, dict):
        return Towers()
    if not row:
        return _estimated(outer, vision, text)
    keys = _keys(outer, vision, text, row, "vision_config", row["tower"])
    parts = (*_tower(keys, row["tower"], row["prefix"]), *_lines(row.get("projector", ()), keys, ""))
    return Towers((*parts, *_audio(outer, text, row)), _shape(keys, row))


def _estimated(outer: Mapping[str, Any], vision: Mapping[str, Any], text: Keys) -> Towers:
    """A tower that no row describes, as a plain transformer of its size; without its sizes it is left out."""
    row = _row("join", UNKNOWN)
    keys = _keys(outer, vision, text, row, "vision_config", UNKNOWN)
    if not all(keys.has(name) for name in ("hidden_size", "num_hidden_layers", "num_attention_heads")):
        return Towers(doubts=("the vision tower is of an unknown kind and size: its weights are not counted",))
    if not keys.has("intermediate_size"):
        keys = Keys({**keys.values, "intermediate_size": 4 * keys.count("hidden_size")}, keys.implied, keys.spellings)
    parts = (*_tower(keys, UNKNOWN, row["prefix"]), *_lines(row["projector"], keys, ""))
    return Towers(parts, _shape(keys, row), ("the vision tower is of an unknown kind: its weights are estimated",))


def _host(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table that holds the encoders' configs: the whole, or the thinker of an omni model."""
    thinker = config.get("thinker_config")
    return thinker if isinstance(thinker, dict) else config


def _audio(outer: Mapping[str, Any], text: Keys, row: Mapping[str, Any]) -> Iterator[Tensor]:
    audio = outer.get("audio_config")
    if isinstance(audio, dict) and "audio" in row:
        keys = _keys(outer, audio, text, row, "audio_config", row["audio"])
        yield from _tower(keys, row["audio"], "audio_tower")
        yield from _lines(row.get("audio_projector", ()), keys, "")


def _keys(
    outer: Mapping[str, Any], inner: Mapping[str, Any], text: Keys, row: Mapping[str, Any], part: str, tower: str
) -> Keys:
    """The encoder's own keys, then those of the whole, then defaults."""
    names = table("towers")["spellings"]
    ways = {**{k: tuple(v) for k, v in names.items()}, **_row("tower", tower).get("spellings", {})}
    canonical = {way: name for name, group in ways.items() for way in group}
    wrapper = str(outer.get("model_type"))[:100]
    stated = inner.get("model_type")
    known = [child_type(wrapper, part), stated if isinstance(stated, str) else None, tower]
    defaults: dict[str, Any] = dict(reference_defaults(wrapper))
    for name in known:
        defaults.update({canonical.get(k, k): v for k, v in reference_defaults(name or "").items()})
    defaults.update(_row("tower", tower).get("defaults", {}) | row.get("defaults", {}))
    defaults["text_hidden_size"] = text.count("hidden_size")
    shared = {k: outer[k] for k in table("towers")["outer"]["keys"] if k in outer}
    values = {**shared, **_squared(inner)}
    return Keys(values, defaults, ways, f"config.json: {part}")


def _squared(inner: Mapping[str, Any]) -> dict[str, Any]:
    """One number where a config gives one per side; channel lists become numbered keys."""
    flat: dict[str, Any] = {}
    for key, value in inner.items():
        if isinstance(value, list) and 0 < len(value) <= 4:
            flat[key] = value[0] if key in PAIRS else value
            flat.update({f"{key}_{i}": each for i, each in enumerate(value)})
        else:
            flat[key] = value
    return flat


@cache
def _row(kind: str, name: str) -> Mapping[str, Any]:
    """A row with what it inherits; empty for an unknown name."""
    row = table("towers")[kind].get(name)
    if row is None:
        return {}
    return {**_row(kind, row["like"]), **row} if "like" in row else row


def _tower(keys: Keys, name: str, prefix: str) -> Iterator[Tensor]:
    """Stem, blocks and tail. The like tensors of all blocks are one stacked tensor (layers, out, in)."""
    row = _row("tower", name)
    depth = keys.count("num_hidden_layers", maximum=MAX_LAYERS)
    yield from _lines(row.get("stem", ()), keys, prefix)
    for tensor in _lines(row.get("block", ()), keys, prefix):
        yield replace(tensor, shape=(depth, *tensor.shape))
    yield from _lines(row.get("tail", ()), keys, prefix)


def _lines(lines: tuple[str, ...], keys: Keys, prefix: str) -> Iterator[Tensor]:
    for tensor in tensors(lines, keys, part="vision"):
        yield replace(tensor, module=f"{prefix}.{tensor.module}" if prefix else tensor.module)


def _shape(keys: Keys, row: Mapping[str, Any]) -> VisionTower:
    hidden = keys.count("hidden_size")
    tokens = keys.optional(row["tokens"]) if "tokens" in row else None
    return VisionTower(
        num_heads=keys.count("num_attention_heads"),
        num_layers=keys.count("num_hidden_layers", maximum=MAX_LAYERS),
        hidden_size=hidden,
        intermediate_size=keys.optional("intermediate_size") or 4 * hidden,
        tokens_per_image=tokens,
        patches_per_token=_patches_per_token(keys, tokens),
    )


_MERGES = ("spatial_merge_size", "merge_kernel_size", "downsample_factor", "scale_factor")
"""Keys for the side of the square of patches that becomes one token."""


def _patches_per_token(keys: Keys, tokens: int | None) -> float:
    """From the image's size where its tokens are fixed, else from the merging's side; 1 where nothing is merged."""
    size, patch = keys.optional("image_size"), keys.optional("patch_size")
    if tokens and size and patch:
        return max((size // patch) ** 2 / tokens, 1.0)
    return max(float(side * side) for side in (1, *(keys.optional(name) or 1 for name in _MERGES)))
