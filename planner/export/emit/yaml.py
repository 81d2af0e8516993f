"""YAML from plain values. Whatever could be read as something else than the text it is stands in double quotes.

Escapes are those of YAML 1.1 and 1.2 double-quoted scalars, so that every reader gets the same string.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x00": "\\0"}
_INDENT = "  "


def yaml_text(*documents: Any, comment: str = "") -> str:
    """One or several documents as YAML text, with a comment on top."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + "---\n".join("\n".join(_block(document, 0)) + "\n" for document in documents)


def scalar(value: Any) -> str:
    """A value on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} has no YAML form here")
    return value if _PLAIN.match(value) and value.lower() not in _WORDS else _quoted(value)


def _number(value: float) -> str:
    """Readers of YAML 1.1 take ``1e-05`` for text: the mantissa needs its point."""
    if not math.isfinite(value):
        raise ValueError("a number of a document must be finite")
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{exponent}" if e else text


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if _safe(c) else _escaped(c)) for c in text) + '"'


def _safe(character: str) -> bool:
    return character.isprintable() and character not in "\x85\xa0\u2028\u2029\ufeff"


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(value: Any, depth: int) -> list[str]:
    pad = _INDENT * depth
    if isinstance(value, Mapping) and value:
        return [line for key, item in value.items() for line in _entry(f"{pad}{scalar(str(key))}:", item, depth)]
    if _is_list(value) and value:
        return [line for item in value for line in _item(pad, item, depth)]
    return [pad + _empty_or_scalar(value)]


def _entry(head: str, item: Any, depth: int) -> list[str]:
    if isinstance(item, str) and _is_text_block(item):
        return [f"{head} |", *(f"{_INDENT * (depth + 1)}{line}".rstrip() for line in item[:-1].split("\n"))]
    if (isinstance(item, Mapping) or _is_list(item)) and item:
        return [head, *_block(item, depth + 1)]
    return [f"{head} {_empty_or_scalar(item)}"]


def _item(pad: str, item: Any, depth: int) -> list[str]:
    if (isinstance(item, Mapping) or _is_list(item)) and item:
        first, *rest = _block(item, depth + 1)
        return [f"{pad}- {first.lstrip(' ')}", *rest]
    return [f"{pad}- {_empty_or_scalar(item)}"]


def _empty_or_scalar(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if _is_list(value) else scalar(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_text_block(text: str) -> bool:
    """Several plain lines that may stand as a literal block: ends in one newline, nothing to escape or to lose."""
    lines = text[:-1].split("\n")
    if not text.endswith("\n") or not lines[0] or lines[0][0] in " #" or not lines[-1]:
        return False
    return all(line.isascii() and line.isprintable() and line == line.rstrip() for line in lines)
