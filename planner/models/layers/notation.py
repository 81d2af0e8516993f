"""A short notation for tensors, so that towers, projectors and one-off weights are rows of data and not code.

One entry is one line: ``module size size … flags``. A size is a sum (or difference) of products of whole numbers and
config keys (``3*hidden_size+8``, ``head_dim*num_attention_heads/2``); ``#KEY`` is the length of a list. Flags:
``col`` ``row`` ``kv`` ``vocab`` how it is cut; ``bias`` a bias of the first size; ``stack`` the first size counts like
tensors; ``quant`` a linear weight that is quantised without being cut; ``part:NAME``; ``if:KEY`` and ``unless:KEY`` by
a true, non-zero key; ``on:NAME`` only in layers with that mixer or feed-forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, cast

from planner.models.architecture import Part, Shard, Tensor
from planner.models.config_keys import MAX_SIZE, Keys, shown, whole_number
from planner.models.layers.attention import read_heads
from planner.models.layers.block import LayerSpec

SHARDS: dict[str, Shard] = {"col": "column", "row": "row", "kv": "kv", "vocab": "vocab"}


class Entry(NamedTuple):
    """One parsed line."""

    module: str
    sizes: tuple[str, ...]
    shard: Shard
    bias: bool
    stack: bool
    quantized: bool
    part: Part | None
    conditions: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def parse(line: str) -> Entry:
    """A line of the notation."""
    module, *words = line.split()
    flags = [w for w in words if w in SHARDS or w in ("bias", "stack", "quant")]
    marked = [tuple(w.split(":", 1)) for w in words if ":" in w]
    shard: Shard = next((SHARDS[f] for f in flags if f in SHARDS), "replicated")
    return Entry(
        module=module,
        sizes=tuple(w for w in words if w not in flags and ":" not in w),
        shard=shard,
        bias="bias" in flags,
        stack="stack" in flags,
        quantized=shard in ("column", "row", "kv") or "quant" in flags,
        part=cast("Part | None", next((value for key, value in marked if key == "part"), None)),
        conditions=tuple((key, value) for key, value in marked if key != "part"),
    )


def size(expression: str, keys: Keys) -> int:
    """The value of a size."""
    total = sum(_product(term, keys) for term in expression.replace("-", "+-1*").split("+"))
    return whole_number(total, keys.at(expression), 0, MAX_SIZE)


def _product(term: str, keys: Keys) -> int:
    result = 1
    for factor in term.split("*"):
        name, *divisors = factor.split("/")
        result *= _value(name, keys)
        for divisor in divisors:
            result //= max(_value(divisor, keys), 1)
    return result


def _value(name: str, keys: Keys) -> int:
    if name.lstrip("-").isdigit():
        return int(name)
    if name.startswith("#"):
        return len(keys.items(name[1:]) or ())
    return read_heads(keys).dim if name == "head_dim" else keys.count(name, minimum=0)


def holds(keys: Keys, name: str) -> bool:
    """A key counts as held when it is true, a number above zero, a table or a word other than "none"."""
    value = keys.items(name[1:]) if name.startswith("#") else keys.raw(name)
    return bool(value) and value != "none"


def tensors(lines: Iterable[str], keys: Keys, *, part: Part, spec: LayerSpec | None = None) -> Iterator[Tensor]:
    """The tensors of some lines."""
    for line in lines:
        entry = parse(line)
        if all(_met(kind, name, keys, spec) for kind, name in entry.conditions):
            yield from _tensor(entry, keys, part)


def _met(kind: str, name: str, keys: Keys, spec: LayerSpec | None) -> bool:
    if kind == "on":
        return spec is not None and name in (*spec.mixers, *spec.feed_forward)
    return holds(keys, name) == (kind == "if")


def _tensor(entry: Entry, keys: Keys, part: Part) -> Iterator[Tensor]:
    shape = tuple(size(expression, keys) for expression in entry.sizes)
    if 0 in shape:
        return
    flat = len(shape) - entry.stack == 2
    kind = entry.part or (part if part == "vision" or flat else "other")
    yield Tensor(entry.module, shape, kind, entry.shard, quantized=entry.quantized and flat)
    if entry.bias:
        shard: Shard = "replicated" if entry.shard == "row" else entry.shard
        yield Tensor(f"{entry.module}.bias", shape[: 1 + entry.stack], kind, shard)


def lines_of(keys: Keys, name: str) -> tuple[str, ...]:
    """The lines that a family's data holds under a name; never those of a config."""
    lines = keys.implied.get(name, ())
    if not isinstance(lines, list | tuple):
        raise TypeError(f"{name} must be a list of lines, got {shown(lines)}")
    return tuple(lines)
