"""Which layers hold a mixture of experts, a plain MLP, both or none, read off the many ways configs say so."""

from __future__ import annotations

from planner.errors import BadInput
from planner.models.config_keys import Keys

Feed = tuple[str, ...]
SPARSE_WORDS = ("sparse", "moe", "hash_moe", "E")


def feed_forwards(keys: Keys, count: int, tokens: tuple[str, ...]) -> tuple[Feed, ...]:
    """The builders of every layer's feed-forward."""
    if keys.flag("one_block_per_layer"):
        return tuple(_alone(token) for token in tokens)
    if not keys.flag("has_feed_forward", True):
        return ((),) * count
    fixed = keys.words("feed_forward_blocks", "")
    if fixed:
        return (fixed,) * count
    sparse = _sparse_layers(keys, count) if keys.optional("num_experts") else (False,) * count
    both = ("dense", "moe") if keys.flag("moe_beside_dense") else ("moe",)
    return tuple(both if s else ("dense",) for s in sparse)


def _alone(token: str) -> Feed:
    """Layers of one block each (Nemotron-H): a mixer without feed-forward, or a feed-forward without mixer."""
    return {"feed:dense": ("dense",), "feed:moe": ("moe",)}.get(token, ())


def _sparse_layers(keys: Keys, count: int) -> tuple[bool, ...]:
    words = keys.texts("mlp_layer_types")
    if words is not None and len(words) >= count:
        return tuple(word in SPARSE_WORDS for word in words[:count])
    frequency = keys.raw("moe_layer_freq")
    if isinstance(frequency, list):
        return _flags(keys, "moe_layer_freq", count)
    named = _named(keys, count)
    return named if named is not None else tuple(_by_rule(keys, i, count) for i in range(count))


def _flags(keys: Keys, name: str, count: int) -> tuple[bool, ...]:
    flags = keys.counts(name) or ()
    if len(flags) < count:
        raise BadInput(keys.at(name), f"{len(flags)} entries for {count} layers")
    return tuple(bool(flag) for flag in flags[:count])


def _named(keys: Keys, count: int) -> tuple[bool, ...] | None:
    """Lists of the sparse layers themselves: ``moe_layers``, or ``moe_layers_enum`` as a text."""
    listed = keys.counts("moe_layers")
    text = keys.raw("moe_layers_enum")
    if isinstance(text, str):
        if len(text) > 1 << 16 or not all(part.strip().isdigit() and len(part) < 8 for part in text.split(",")):
            raise BadInput(keys.at("moe_layers_enum"), "expected layer numbers parted by commas")
        listed = tuple(int(part) for part in text.split(","))
    chosen = frozenset(listed or ())
    return tuple(i in chosen for i in range(count)) if chosen else None


def _by_rule(keys: Keys, index: int, count: int) -> bool:
    """A first sparse layer, a last one, and a step between."""
    first = keys.count("first_k_dense_replace", 0, minimum=0)
    last = keys.optional("moe_layer_end_index", minimum=0)
    if index < first or (last is not None and index > last) or index in keys.members("mlp_only_layers"):
        return False
    period = keys.optional("expert_layer_period")
    if period:
        return index % period == keys.count("expert_layer_offset", 0, minimum=0)
    step = keys.optional("moe_layer_freq") or 1
    return (index + 1) % step == 0 if keys.flag("moe_step_counts_from_one", True) else index % step == 0
