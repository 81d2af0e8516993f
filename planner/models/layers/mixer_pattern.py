"""The mixer of each layer as a word, read off the many ways configs write a pattern.

Words of configs are translated by the ``[layer_tokens]`` table of ``families.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planner.errors import BadInput, UnknownArchitecture
from planner.models.config_keys import MAX_LAYERS, Keys, shown, whole_number

Tokens = tuple[str, ...]
WINDOWED = ("sliding", "chunked")


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
