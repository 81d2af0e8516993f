"""Results as JSON. Keys are the dataclass fields, ``schema`` first; what is not finite is null."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from planner.documents.deployment import Table


@cache
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    names = [f.name for f in fields(cls)]
    return tuple(sorted(names, key=lambda name: (name != "schema", name != "id")))


def to_plain(value: object) -> Any:
    """Dataclasses, mappings and sequences as dicts, lists and scalars that JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_items(value, _field_names(type(value))))
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _items(value: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Fields and their values; a table of a deployment has only those that are not None."""
    sparse = isinstance(value, Table)
    for name in names:
        item = getattr(value, name)
        if item is not None or not sparse:
            yield name, to_plain(item)


def to_json(document: object, *, indent: int | None = 2) -> str:
    """One JSON document, UTF-8, ending without a newline."""
    return json.dumps(to_plain(document), indent=indent, ensure_ascii=False, allow_nan=False)
