"""Which kind each layer is of, read off the many ways configs write a pattern.

Every layer gets a *token* for its mixer (a word of ``MIXERS``) and one for its feed-forward; tokens of configs are
translated by the ``[layer_tokens]`` table of ``families.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planner.errors import BadInput, UnknownArchitecture
from planner.models.config_keys import MAX_LAYERS, Keys, shown, whole_number
from planner.models.layers.block import LayerSpec, Value
from planner.models.layers.feed_pattern import feed_forwards
from planner.models.layers.nas import nas_specs

Tokens = tuple[str, ...]
WINDOWED = ("sliding", "chunked")
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


def mixer_tokens(keys: Keys, count: int, translate: Mapping[str, str]) -> Tokens:
    """The first pattern that the config holds, translated; without any, softmax attention throughout."""
    for reader in READERS:
        raw = reader(keys, count)
        if raw is not None:
            return tuple(_translated(token, translate) for token in raw)
    return ("full",) * count


def _translated(token: str, translate: Mapping[str, str]) -> str:
    if token not in translate:
        raise UnknownArchitecture(f"unknown kind of layer {shown(token)}", {"known": sorted(translate)})
    return translate[token]


def _listed(keys: Keys, count: int) -> Tokens | None:
    """``layer_types`` and its like: one word per layer; entries past the last layer belong to prediction layers."""
    words = keys.texts("layer_types")
    if words is None:
        return None
    if len(words) < count:
        raise BadInput(keys.at("layer_types"), f"{len(words)} entries for {count} layers")
    return words[:count]


def _counted(keys: Keys, count: int) -> Tokens | None:
    """How many layers of each kind there are, where their order is not told: as if each kind came in one run."""
    table = keys.table("_layer_types_counts")
    if table is None or len(table) > 16:
        return None
    runs = [(w, whole_number(n, keys.at("_layer_types_counts"), 0, MAX_LAYERS)) for w, n in table.items()]
    words = tuple(str(word)[:60] for word, number in runs for _ in range(number))
    return words if len(words) == count else None


def _letters(keys: Keys, count: int) -> Tokens | None:
    """``hybrid_override_pattern``: one letter per layer (M Mamba-2, * attention, - MLP, E experts)."""
    pattern = keys.text("hybrid_override_pattern").replace("|", "")
    if not pattern:
        return None
    if len(pattern) != count:
        raise BadInput(keys.at("hybrid_override_pattern"), f"{len(pattern)} letters for {count} layers")
    return tuple(pattern)


def _numbered(keys: Keys, count: int) -> Tokens | None:
    """Lists of numbers, one per layer, with the meaning of each number in the family's data."""
    numbers = keys.counts("layer_numbers")
    meaning = keys.words("layer_number_tokens", "")
    if numbers is None or not meaning:
        return None
    if len(numbers) < count or any(n >= len(meaning) for n in numbers[:count]):
        raise BadInput(keys.at("layer_numbers"), f"expected {count} numbers below {len(meaning)}")
    return tuple(meaning[n] for n in numbers[:count])


def _compressed(keys: Keys, count: int) -> Tokens | None:
    """``compress_ratios``: tokens per entry of each layer, 0 for a window alone."""
    ratios = keys.counts("compress_ratios")
    if ratios is None:
        return None
    if len(ratios) < count:
        raise BadInput(keys.at("compress_ratios"), f"{len(ratios)} entries for {count} layers")
    return tuple(f"compressed:{ratio}" if ratio else "compressed" for ratio in ratios[:count])


def _indexed(keys: Keys, count: int) -> Tokens | None:
    """Lists of the layers with full attention, counted from 1 or from 0; the rest is linear."""
    layers = keys.members("full_attn_layers")
    if not layers:
        return None
    first = 0 if 0 in layers or 0 in keys.members("kda_layers") else 1
    return tuple("full_attention" if i + first in layers else "linear_attention" for i in range(count))


def _crossed(keys: Keys, count: int) -> Tokens | None:
    """``cross_attention_layers``: layers that attend to an image, the rest to the text."""
    layers = keys.members("cross_attention_layers")
    return tuple("cross_attention" if i in layers else "full_attention" for i in range(count)) if layers else None


def _every(keys: Keys, count: int) -> Tokens | None:
    """Every n-th layer has full attention, the rest is linear; or attention sits in a period at an offset (Jamba)."""
    interval = keys.optional("full_attention_interval")
    if interval:
        tail = keys.count("full_attention_tail", count - count % interval, minimum=0)
        return tuple(
            "full_attention" if (i + 1) % interval == 0 or i >= tail else "linear_attention" for i in range(count)
        )
    listed = keys.members("attn_layer_indices")
    if listed:
        return tuple("full_attention" if i in listed else "mamba" for i in range(count))
    period = keys.optional("attn_layer_period")
    if period:
        offset = keys.count("attn_layer_offset", 0, minimum=0)
        return tuple("full_attention" if i % period == offset else "mamba" for i in range(count))
    return None


def _windows(keys: Keys, count: int) -> Tokens | None:
    """Windows by a period, from a layer on, everywhere, or not at all."""
    if keys.has("no_rope_layers") or keys.has("no_rope_layer_interval"):
        chunked = _chunked(keys, count)
        if chunked is not None:
            return chunked
    if keys.optional("sliding_window") is None or not keys.flag("use_sliding_window", True):
        return None
    period = keys.optional("sliding_window_pattern")
    if period:
        last = count - 1 if keys.flag("last_layer_full") else count
        return tuple("sliding_attention" if (i + 1) % period and i != last else "full_attention" for i in range(count))
    first = keys.count("max_window_layers", 0, minimum=0)
    windowed = keys.flag("window_by_default", True)
    return tuple("sliding_attention" if windowed and i >= first else "full_attention" for i in range(count))


def _chunked(keys: Keys, count: int) -> Tokens | None:
    """Layers with rotary positions attend within chunks, the others to everything (Llama 4)."""
    if keys.optional("attention_chunk_size") is None:
        return None
    listed = keys.counts("no_rope_layers") or ()
    step = keys.optional("no_rope_layer_interval") or 4
    rotary = [bool(listed[i]) if len(listed) >= count else bool((i + 1) % step) for i in range(count)]
    return tuple("chunked_attention" if r else "full_attention" for r in rotary)


def _whole(keys: Keys, count: int) -> Tokens | None:
    """One mixer for all layers, as the family's data says."""
    token = keys.text("mixer")
    return (token,) * count if token else None


READERS: tuple[Callable[[Keys, int], Tokens | None], ...] = (
    _listed,
    _counted,
    _letters,
    _numbered,
    _compressed,
    _indexed,
    _crossed,
    _every,
    _windows,
    _whole,
)


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
