"""The rows of one kind: plain tables, turned into typed rows on demand, found by any of their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwdb.errors import AmbiguousRow, UnknownRow
from hwdb.index import Index, name_keys
from hwdb.names import MAX_NAME, nearest
from hwdb.schema import BUILT_IN

_COUNTED = re.compile(r"(?:\s*\d{1,6}\s*[x×*]\s*){1,2}(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Layer:
    """What the package or one of the user's directories says of one kind."""

    tables: Mapping[str, dict[str, Any]]
    index: Index


class Table:
    """All rows of one kind. Later layers hide earlier ones: a user's row replaces the built-in one of the same name."""

    def __init__(self, kind: str, build: Callable[..., Any], layers: Sequence[Layer], sources: Sequence[Any]) -> None:
        self.kind = kind
        self._build, self._sources = build, sources
        self._layers = tuple(reversed(layers))
        self._rows: dict[str, Any] = {}

    def row(self, row_id: str) -> Any:
        """The typed row of an id that exists; the same object each time."""
        if row_id not in self._rows:
            table = dict(next(layer.tables[row_id] for layer in self._layers if row_id in layer.tables))
            origin = table.pop("origin", BUILT_IN)
            if origin == BUILT_IN:
                table["sources"] = {field: self._sources[number] for field, number in table["sources"].items()}
            self._rows[row_id] = self._build(table, origin)
        return self._rows[row_id]

    def ids(self, name: str) -> list[str]:
        """Rows that carry this name: by id, name or alias first, then declared short names, then driver strings."""
        keys = [key for key in name_keys(name) if key]
        for layer in self._layers:
            if name in layer.tables:
                return [name]
            for part in ("exact", "several"):
                for key in keys:
                    if key in layer.index[part]:
                        return layer.index[part][key]
        return self.driven_by(name)

    def driven_by(self, name: str) -> list[str]:
        """Rows whose driver string this is."""
        for key in name_keys(name):
            if found := self.under("driver", key):
                return found
        return []

    def under(self, part: str, key: str) -> list[str]:
        """Rows of all layers under a key of one part of the index."""
        return list(dict.fromkeys(row for layer in self._layers for row in layer.index[part].get(key, ())))

    def find(self, name: str) -> Any:
        """The one row of this name; a count before it ("8xH100") does not matter."""
        found = self.ids(name)
        if not found and (counted := _COUNTED.fullmatch(name[:MAX_NAME])):
            found = self.ids(counted[1])
        if not found:
            raise UnknownRow(self.kind, name, self.nearest(name))
        if len(found) > 1:
            raise AmbiguousRow(self.kind, name, tuple(found))
        return self.row(found[0])

    def nearest(self, name: str) -> tuple[tuple[str, float], ...]:
        return nearest(name, ((row, label) for row, labels in self.texts("names") for label in labels))

    def texts(self, part: str) -> Iterator[tuple[str, list[str]]]:
        """(id, texts) of one part of the index, for every row."""
        seen: set[str] = set()
        for layer in self._layers:
            yield from ((row, texts) for row, texts in layer.index[part].items() if row not in seen)
            seen.update(layer.tables)

    def all(self) -> tuple[Any, ...]:
        names: Iterable[str] = {row for layer in self._layers for row in layer.tables}
        return tuple(self.row(row_id) for row_id in sorted(names))
