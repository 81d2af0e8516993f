"""Rows of all kinds by words, for people who look around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hwdb.database import Database
from hwdb.errors import AmbiguousRow, UnknownRow
from hwdb.names import compact, words
from hwdb.schema import Accelerator, Processor, Row


class Found(NamedTuple):
    """A row and what kind it is: accelerator host link fabric storage."""

    kind: str
    row: Row


def every_row(database: Database) -> Iterator[Found]:
    """All rows, accelerators first."""
    kinds = (
        ("accelerator", database.accelerators()),
        ("host", database.hosts()),
        ("link", database.links()),
        ("fabric", database.fabrics()),
        ("storage", database.storages()),
    )
    for kind, rows in kinds:
        yield from (Found(kind, row) for row in rows)


def search(database: Database, text: str) -> list[Found]:
    """The row of this name; else the rows an ambiguous name may mean; else those that hold all its words.

    Raises ``UnknownRow`` with the nearest accelerators when nothing is found.
    """
    try:
        return [Found("accelerator", database.accelerator(text))]
    except AmbiguousRow as several:
        return [Found("accelerator", database.accelerator(row)) for row in several.candidates]
    except UnknownRow as miss:
        found = _elsewhere(database, text) or _holding(database, text)
        if not found:
            raise miss from None
        return found


def _elsewhere(database: Database, text: str) -> list[Found]:
    """A host, link, fabric or disk of exactly this name."""
    key = compact(text)
    named = [
        found
        for found in every_row(database)
        if key and key in {compact(name) for name in (found.row.id, *_names(found.row))}
    ]
    if named:
        return named
    host = database.host(text)
    return [Found("host", host)] if host else []


def _holding(database: Database, text: str) -> list[Found]:
    wanted = words(text)
    return [found for found in every_row(database) if wanted and _holds(found, wanted)]


def _holds(found: Found, wanted: list[str]) -> bool:
    row = found.row
    texts = [found.kind, row.id, *_names(row)]
    if isinstance(row, Accelerator):
        texts += [row.vendor, row.architecture or "", row.gfx_arch or "", *row.driver_names, *row.pci_device_ids]
    elif isinstance(row, Processor):
        texts += [row.vendor, *row.patterns, *row.features]
    line = " ".join(texts).lower()
    return all(word in line for word in wanted)


def _names(row: Row) -> tuple[str, ...]:
    return (row.name, *(row.aliases if not isinstance(row, Processor) else ()))
