"""Which names lead to which rows. Built once when compiling, and again for overlay rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hwdb.names import bare, compact

Index = dict[str, dict[str, list[str]]]
"""``exact`` (ids, names, aliases), ``driver`` and ``pci``: key → ids."""


def build_index(rows: Mapping[str, Mapping[str, Any]]) -> Index:
    """Keys of all rows, each in full and without vendor words."""
    index: Index = {"exact": {}, "driver": {}, "pci": {}}
    for row, table in rows.items():
        for name in (row, table["name"], *table.get("aliases", ())):
            _add(index["exact"], name_keys(name), row)
        for name in table.get("driver_names", ()):
            _add(index["driver"], name_keys(name), row)
        _add(index["pci"], table.get("pci_device_ids", ()), row)
    return index


def index_ambiguous(names: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Declared short names by the keys they are asked with."""
    return {key: rows for name, rows in names.items() for key in name_keys(name)}


def shared_names(index: Index) -> list[tuple[str, list[str]]]:
    """Ids, names and aliases that lead to more than one row: a mistake in the data."""
    return [(key, rows) for key, rows in index["exact"].items() if len(rows) > 1]


def name_keys(name: str) -> tuple[str, ...]:
    """The keys under which a name is found."""
    return tuple(dict.fromkeys((compact(name), bare(name))))


def _add(keys: dict[str, list[str]], names: Iterable[str], row: str) -> None:
    for name in names:
        rows = keys.setdefault(name, [])
        if row not in rows:
            rows.append(row)
