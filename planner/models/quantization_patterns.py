"""Which modules a pattern of an ignore list means.

Checkpoints name modules in full, by prefix, glob or regular expression, often once for every layer. Here a pattern of
one layer becomes its *tail* (the module inside the layer) and the set of layers; layer numbers and expert numbers drop
out, because an architecture holds one object for all like layers and one tensor for all experts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from planner.models.architecture import Tensor

_LAYER = re.compile(r"^(.*?)(?:^|\.)(?:layers|h|blocks)\.(\d{1,5})(\*?)(?:\.(.*))?$")
_NUMBER = re.compile(r"\.\d{1,6}(?=\.|$|\*)")
_OTHER_TOWERS = ("visi", "visual", "audio", "tower", "mtp", "draft", "projector")
MAX_QUANTIFIERS = 6
MAX_EXPRESSION = 200
SAMPLE = "model.layers.0."
"""Where a layer's modules stand, for patterns that are written for full names."""


class Bound(NamedTuple):
    """A pattern inside numbered layers."""

    tail: str
    layers: set[int] = field(default_factory=set, compare=False)


def split_bound(names: Iterable[str], count: int) -> tuple[dict[str, set[int]], tuple[str, ...]]:
    """Patterns of single layers as tail → layers, and the rest as they are."""
    bound: dict[str, set[int]] = {}
    free: dict[str, None] = {}
    for name in names:
        tail, layers = layer_of(name, count)
        if tail is None:
            free.setdefault(_NUMBER.sub("", name) if _other_tower(name) else name)
        else:
            bound.setdefault(tail, set()).update(layers)
    return bound, tuple(free)


def layer_of(name: str, count: int) -> tuple[str | None, tuple[int, ...]]:
    """The tail and the layers of a pattern that names one layer; (None, ()) for any other."""
    found = None if name.startswith("re:") else _LAYER.match(name)
    if found is None or _other_tower(found.group(1)):
        return None, ()
    number, starred, tail = found.group(2), found.group(3), found.group(4)
    layers = (int(number),) if not starred else tuple(i for i in range(count) if str(i).startswith(number))
    return _NUMBER.sub("", tail or "*") if tail != "*" else "*", tuple(i for i in layers if i < count)


def _other_tower(prefix: str) -> bool:
    return any(word in prefix for word in _OTHER_TOWERS)


@lru_cache(maxsize=8192)
def matches(pattern: str, module: str, part: str) -> bool:
    """Whether a pattern (a tail or a free one) means the module."""
    if pattern.startswith("part:"):
        return pattern[5:] == part
    if pattern.startswith("re:"):
        return _expression(pattern[3:], module)
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(module, pattern) or fnmatchcase(SAMPLE + module, pattern)
    return _contains(SAMPLE + module, pattern)


def _contains(path: str, name: str) -> bool:
    """By whole segments: ``mlp.gate`` is in ``layers.0.mlp.gate`` and not in ``layers.0.mlp.gate_proj``."""
    return f".{name}." in f".{path}."


def _expression(expression: str, module: str) -> bool:
    """A regular expression from outside: refused where it could run long, else matched from the start."""
    compiled = _compiled(expression)
    if compiled is None:
        return False
    return bool(compiled.match(SAMPLE + module) or compiled.match(module))


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> re.Pattern[str] | None:
    """None for an expression that is long, repeats a group or has many repetitions: those can take exponential time."""
    repeats = sum(expression.count(sign) for sign in "*+{")
    if len(expression) > MAX_EXPRESSION or repeats > MAX_QUANTIFIERS or re.search(r"\)[*+{]", expression):
        return None
    try:
        return re.compile(expression)
    except (re.error, OverflowError, RecursionError):
        return None


def is_linear(tensor: Tensor) -> bool:
    """Whether a scheme could apply to the tensor at all."""
    return tensor.quantized or tensor.part == "head"
