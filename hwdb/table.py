"""The rows of one kind: plain tables, turned into typed rows on demand, found by any of their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hwdb.errors import AmbiguousRow, UnknownRow
from hwdb.index import Index, name_keys
from hwdb.names import MAX_NAME, nearest
from hwdb.schema import BUILT_IN

_COUNTED = re.compile(r"(?:\s*\d{1,6}\s*[x×*]\s*){1,2}(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Layer:
    """What the package or the user's directories say of one kind."""

    tables: dict[str, dict[str, Any]]
    index: Index
    ambiguous: dict[str, list[str]]


class Table:
    """All rows of one kind. Later layers hide earlier ones: a user's row replaces the built-in one of the same name."""

    def __init__(self, kind: str, build: Callable[..., Any], layers: Iterable[Layer], sources: list[list[Any]]) -> None:
        self.kind = kind
        self._build, self._sources = build, sources
        self._layers = tuple(reversed(tuple(layers)))
        self._rows: dict[str, Any] = {}
        self.tables: dict[str, dict[str, Any]] = {}
        for layer in reversed(self._layers):
            self.tables.update(layer.tables)

    def row(self, row_id: str) -> Any:
        """The typed row of an id that exists."""
        if row_id not in self._rows:
            table = dict(self.tables[row_id])
            origin = table.pop("origin", BUILT_IN)
            if origin == BUILT_IN:
                table["sources"] = {field: self._sources[number] for field, number in table["sources"].items()}
            self._rows[row_id] = self._build(table, origin)
        return self._rows[row_id]

    def ids(self, name: str) -> list[str]:
        """Rows that carry this name: by id, name or alias first, then declared short names, then driver strings."""
        if name in self.tables:
            return [name]
        keys = [key for key in name_keys(name) if key]
        for layer in self._layers:
            for names in (layer.index["exact"], layer.ambiguous):
                for key in keys:
                    if key in names:
                        return names[key]
        return self.driven_by(name)

    def driven_by(self, name: str) -> list[str]:
        """Rows whose driver string this is."""
        for key in name_keys(name):
            if found := self._union("driver", key):
                return found
        return []

    def on_bus(self, pci_device_id: str) -> list[str]:
        """Rows that list this PCI device id."""
        return self._union("pci", pci_device_id)

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
        return nearest(name, self._labels())

    def all(self) -> tuple[Any, ...]:
        return tuple(self.row(row_id) for row_id in sorted(self.tables))

    def _union(self, part: str, key: str) -> list[str]:
        found = dict.fromkeys(row for layer in self._layers for row in layer.index[part].get(key, ()))
        return list(found)

    def _labels(self) -> Iterator[tuple[str, str]]:
        for row_id, table in self.tables.items():
            for label in (row_id, table["name"], *table.get("aliases", ()), *table.get("driver_names", ())):
                yield row_id, label
