"""Which names lead to which rows. Built once when compiling, and again for overlay rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hwdb.names import bare, compact

Index = dict[str, dict[str, list[str]]]
"""Key → ids: ``exact`` (ids, names, aliases), ``several`` (short names of many), ``driver`` strings, ``pci`` ids,
``board`` (of vGPU profiles). Id → texts: ``names`` (everything a row is called), ``patterns`` (of host processors)."""


def build_index(rows: Mapping[str, Mapping[str, Any]], several: Mapping[str, list[str]]) -> Index:
    """Keys of all rows, each in full and without vendor words; ``several`` are the declared ambiguous names."""
    index: Index = {part: {} for part in ("exact", "several", "driver", "pci", "board", "names", "patterns")}
    for row, table in rows.items():
        own = (row, table["name"], *table.get("aliases", ()))
        driven = table.get("driver_names", ())
        for name in own:
            _add(index["exact"], name_keys(name), row)
        for name in driven:
            _add(index["driver"], name_keys(name), row)
        _add(index["pci"], table.get("pci_device_ids", ()), row)
        _add(index["board"], map(compact, table.get("vgpu_boards", ())), row)
        index["names"][row] = [*own, *driven]
        if "patterns" in table:
            index["patterns"][row] = table["patterns"]
    index["several"] = {key: ids for name, ids in several.items() for key in name_keys(name)}
    return index


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
