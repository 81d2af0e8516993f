"""The hardware database: rows by name, built when asked for; user directories lie on top of the built-in ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hwdb import rows
from hwdb.errors import AmbiguousRow, UnknownRow
from hwdb.index import Index, name_keys
from hwdb.names import nearest
from hwdb.schema import BUILT_IN, Accelerator, Connection, Processor, Storage

_COMPILED = Path(__file__).with_name("compiled.json")
_COUNTED = re.compile(r"(?:\s*\d{1,6}\s*[x×*]\s*){1,2}(.+)", re.IGNORECASE | re.DOTALL)


class Table:
    """The rows of one kind: plain tables, turned into typed rows on demand."""

    def __init__(self, kind: str, build: Callable[..., Any], compiled: dict[str, Any]) -> None:
        self.kind = kind
        self._build = build
        self._sources = compiled["sources"]
        section = kind if kind in ("storage",) else f"{kind}s"
        self.tables: dict[str, dict[str, Any]] = compiled[section]
        self.index: Index = compiled[f"{section}_index"]
        self.ambiguous: dict[str, list[str]] = compiled[f"{section}_ambiguous"]
        self._rows: dict[str, Any] = {}

    def row(self, row_id: str) -> Any:
        """The typed row of an id that exists."""
        if row_id not in self._rows:
            table = self.tables[row_id]
            origin = table.get("origin", BUILT_IN)
            if origin == BUILT_IN:
                table = {**table, "sources": {f: self._sources[n] for f, n in table["sources"].items()}}
            self._rows[row_id] = self._build(table, origin)
        return self._rows[row_id]

    def ids(self, name: str) -> list[str]:
        """Rows that carry this name: by id, name or alias first, then declared short names, then driver strings."""
        if name in self.tables:
            return [name]
        keys = name_keys(name)
        for layer in (self.index["exact"], self.ambiguous, self.index["driver"]):
            for key in keys:
                if key and key in layer:
                    return layer[key]
        return []

    def find(self, name: str) -> Any:
        """The one row of this name; a count before it ("8xH100") does not matter."""
        found = self.ids(name)
        if not found and (counted := _COUNTED.fullmatch(name[:200])):
            found = self.ids(counted[1])
        if not found:
            raise UnknownRow(self.kind, name, self.nearest(name))
        if len(found) > 1:
            raise AmbiguousRow(self.kind, name, tuple(found))
        return self.row(found[0])

    def nearest(self, name: str) -> tuple[tuple[str, float], ...]:
        return nearest(name, self.labels())

    def labels(self) -> Iterable[tuple[str, str]]:
        """(id, name) for every name of every row."""
        for row_id, table in self.tables.items():
            for label in (row_id, table["name"], *table.get("aliases", ()), *table.get("driver_names", ())):
                yield row_id, label

    def all(self) -> tuple[Any, ...]:
        return tuple(self.row(row_id) for row_id in sorted(self.tables))


class Database:
    """All hardware facts. Opening it reads nothing; the first question reads one file."""

    def __init__(self, overlays: Sequence[Path | str] = ()) -> None:
        self.overlays = tuple(Path(overlay) for overlay in overlays)

    def accelerator(self, name: str) -> Accelerator:
        """By id, alias or driver string; case, spaces and dashes do not count. Raises ``LookupProblem``."""
        row: Accelerator = self._accelerators.find(name)
        return row

    def accelerators(self) -> tuple[Accelerator, ...]:
        return self._accelerators.all()

    def link(self, name: str) -> Connection:
        """A connection between the devices of one node. Raises ``LookupProblem``."""
        row: Connection = self._links.find(name)
        return row

    def find_link(self, name: str) -> Connection | None:
        """As ``link``, but None on a miss."""
        found = self._links.ids(name)
        return self._links.row(found[0]) if len(found) == 1 else None

    def links(self) -> tuple[Connection, ...]:
        return self._links.all()

    def fabric(self, name: str) -> Connection:
        """A network between nodes. Raises ``LookupProblem``."""
        row: Connection = self._fabrics.find(name)
        return row

    def fabrics(self) -> tuple[Connection, ...]:
        return self._fabrics.all()

    def storage(self, name: str) -> Storage:
        """A kind of disk. Raises ``LookupProblem``."""
        row: Storage = self._storage.find(name)
        return row

    def host(self, name: str) -> Processor | None:
        """The processor family of a free text such as ``AMD EPYC 9355 32-Core Processor``; None when unknown."""
        found = self._hosts.ids(name)
        return self._hosts.row(found[0]) if len(found) == 1 else None

    def hosts(self) -> tuple[Processor, ...]:
        return self._hosts.all()

    @cached_property
    def _compiled(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(_COMPILED.read_bytes())
        return document

    @cached_property
    def _accelerators(self) -> Table:
        return Table("accelerator", rows.accelerator, self._compiled)

    @cached_property
    def _hosts(self) -> Table:
        return Table("host", rows.processor, self._compiled)

    @cached_property
    def _links(self) -> Table:
        return Table("link", rows.connection, self._compiled)

    @cached_property
    def _fabrics(self) -> Table:
        return Table("fabric", rows.connection, self._compiled)

    @cached_property
    def _storage(self) -> Table:
        return Table("storage", rows.storage, self._compiled)
