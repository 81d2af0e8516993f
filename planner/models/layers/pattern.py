"""What each layer is made of: its mixers, its feed-forward and the values of its own.

Every layer gets a *token* for its mixer (a word of ``MIXERS``) and one for its feed-forward.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.errors import BadInput
from planner.models.config_keys import MAX_LAYERS, Keys, whole_number
from planner.models.layers.block import LayerSpec, Value
from planner.models.layers.feed_pattern import feed_forwards
from planner.models.layers.mixer_pattern import WINDOWED, mixer_tokens
from planner.models.layers.nas import nas_specs

MAX_OWN_VALUES = 64


def layer_specs(keys: Keys, translate: Mapping[str, str]) -> tuple[LayerSpec, ...]:
    """The spec of every decoder layer from the first to the last."""
    count = _count(keys)
    if keys.has("block_configs"):
        return nas_specs(keys, count)
    tokens = mixer_tokens(keys, count, {**translate, **keys.implied.get("tokens", {})})
    feeds = feed_forwards(keys, count, tokens)
    shared = keys.count("num_kv_shared_layers", 0, minimum=0)
    return tuple(_spec(keys, i, tokens[i], feeds[i], i >= count - shared > 0) for i in range(count))


def _count(keys: Keys) -> int:
    """The number of layers, or the length of the list or text that describes each."""
    for name in ("layer_types", "hybrid_override_pattern"):
        pattern = keys.raw(name)
        if keys.raw("num_hidden_layers") is None and isinstance(pattern, list | str) and pattern:
            return whole_number(len(pattern), keys.at(name), 1, MAX_LAYERS)
    return keys.count("num_hidden_layers", maximum=MAX_LAYERS)


def spec_of(keys: Keys, index: int, token: str) -> LayerSpec:
    """The spec of one layer by its token alone, where every layer is one block."""
    return _spec(keys, index, token, feed_forwards(keys, 1, (token,))[0], False)


def _spec(keys: Keys, index: int, token: str, feed: tuple[str, ...], shares_kv: bool) -> LayerSpec:
    kind, _, ratio = token.partition(":") if token.startswith("compressed") else (token.partition(":")[0], "", "")
    mixers = _mixers(keys, kind)
    values: dict[str, Value] = {
        **_listed_values(keys, index),
        **_variant(keys, kind, mixers),
        **_per_layer(keys, index),
    }
    if ratio:
        values["compression"] = int(ratio)
    if shares_kv and "attention" in mixers:
        values["shares_kv"] = True
        values.update({"intermediate_size": _double(keys)} if keys.flag("use_double_wide_mlp") else {})
    if "latent" in mixers:
        values.update(_indexer(keys, index))
    return LayerSpec(mixers, _window(keys, kind), feed, tuple(sorted(values.items())))


def _mixers(keys: Keys, kind: str) -> tuple[str, ...]:
    """Builders of a token. ``full`` and windows are the family's attention, ``linear`` its linear mixer."""
    if kind in ("none", "feed"):
        return ()
    if kind == "linear":
        return (_linear(keys),)
    if kind in ("full", *WINDOWED):
        return (keys.text("attention_mixer") or ("latent" if keys.has("kv_lora_rank") else "attention"),)
    if kind in ("block-sparse", "cross"):
        return ("attention",)
    return tuple(keys.text("state_mixer", part) if part == "mamba2" else part for part in kind.split("+"))


def _linear(keys: Keys) -> str:
    """The linear mixer by the keys at hand, where the family's data names none."""
    named = keys.text("linear_mixer")
    if named:
        return named
    for key, mixer in (
        ("linear_num_value_heads", "gated-delta"),
        ("linear_num_heads", "kda"),
        ("mamba_d_state", "mamba2"),
    ):
        if keys.has(key):
            return mixer
    return "lightning"


def _window(keys: Keys, kind: str) -> int | None:
    if kind == "chunked":
        return keys.optional("attention_chunk_size")
    return keys.optional("sliding_window") if kind in ("sliding", "compressed") else None


def _variant(keys: Keys, kind: str, mixers: tuple[str, ...]) -> dict[str, Value]:
    """Values of their own of windowed layers (``swa_*``) or of full ones (``global_*``)."""
    if "attention" not in mixers:
        return {}
    table = keys.implied.get("sliding_values" if kind in WINDOWED else "full_values") or {}
    values: dict[str, Value] = {
        name: keys.raw(source) for name, source in table.items() if keys.raw(source) is not None
    }
    if kind == "block-sparse":
        values["block_indexer"] = True
    if kind == "cross":
        values |= {"cross_attention": True, "causal": False, "qk_norm": "head"}
    return values


def _per_layer(keys: Keys, index: int) -> dict[str, Value]:
    """``per_layer_config``: a table of the values that a layer has otherwise, under its (padded) number."""
    for digits in (1, 2, 3, 4):
        table = (keys.table("per_layer_config") or {}).get(f"{index:0{digits}}")
        if isinstance(table, dict) and len(table) <= MAX_OWN_VALUES:
            return {k: v for k, v in table.items() if isinstance(k, str) and isinstance(v, int)}
    return {}


def _listed_values(keys: Keys, index: int) -> dict[str, Value]:
    """Sizes that a config lists layer by layer (``intermediate_size = [..]``)."""
    values: dict[str, Value] = {}
    for name in keys.implied.get("listed_per_layer", ()):
        value = keys.raw(name)
        if isinstance(value, list):
            if len(value) <= index:
                raise BadInput(keys.at(name), f"{len(value)} entries, but there is a layer {index}")
            values[name] = value[index]
    return values


def _double(keys: Keys) -> int:
    return 2 * keys.count("intermediate_size")


def _indexer(keys: Keys, index: int) -> dict[str, Value]:
    """Layers that take over the choice of an earlier layer's indexer hold none (``indexer_types``, GLM-5.2)."""
    types = keys.texts("indexer_types")
    if types is not None and index < len(types):
        return {"has_indexer": types[index] == "full"}
    period = keys.optional("index_topk_freq")
    if period and period > 1:
        offset = keys.count("index_skip_topk_offset", 2, minimum=0)
        return {"has_indexer": max(index - offset + 1, 0) % period == 0}
    return {}
