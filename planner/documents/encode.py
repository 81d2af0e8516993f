"""Results as JSON. Keys are the dataclass fields, ``schema`` first; what is not finite is null."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from planner.documents.table import Table


@cache
def _field_names(cls: Any) -> tuple[str, ...]:
    """Of a dataclass, in the order of the JSON. Raises TypeError for any other class."""
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__name__} has no JSON form")
    names = (f.name for f in fields(cls))
    return tuple(sorted(names, key=lambda name: (name != "schema", name != "id")))


def _opened(value: object) -> dict[str, Any]:
    """A dataclass's fields with their values as they are; a table of a deployment without those that are None."""
    kind: Any = type(value)
    plain = {name: getattr(value, name) for name in _field_names(kind)}
    if isinstance(value, Table):
        return {name: item for name, item in plain.items() if item is not None}
    return plain


def to_plain(value: object) -> Any:
    """Dataclasses, mappings and sequences as dicts, lists and scalars that JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return {name: to_plain(item) for name, item in _opened(value).items()}


def to_json(document: object, *, indent: int | None = 2) -> str:
    """One JSON document, UTF-8, ending without a newline."""
    try:
        return _dumped(document, indent, _default)
    except ValueError:  # something is not finite
        return _dumped(to_plain(document), indent, None)


def _default(value: object) -> Any:
    """What ``json`` asks for values that it does not know."""
    return _opened(value) if is_dataclass(value) else to_plain(value)


def _dumped(document: object, indent: int | None, default: Callable[[object], Any] | None) -> str:
    return json.dumps(document, indent=indent, default=default, ensure_ascii=False, allow_nan=False)
