"""Hardware rows as text: a list of many, or all numbers of one with source, date and doubts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hwdb.schema import BUILT_IN, Accelerator, Connection, Processor, Row, Source
from planner.cli.tables import align
from planner.units import TERA, human_bytes, human_rate, human_seconds
from planner.words.hardware import shown

if TYPE_CHECKING:
    from hwdb.search import Found

_HEAD = ("id", "name", "sources", "doubts", "notes", "origin")
"""Fields with a place of their own on the page."""
_UNKNOWN = "-"


def listing(found: Iterable[Found]) -> str:
    """One line a row, a table for each kind."""
    blocks = []
    for kind, group in groupby(found, key=lambda each: each.kind):
        lines = [_line(each.row) for each in group]
        blocks.append(align([_HEADERS[kind], *lines]))
    return "\n\n".join(blocks)


def page(found: Found) -> str:
    """Everything that is known of one row."""
    row = found.row
    origin = "" if row.origin == BUILT_IN else f"   from {row.origin}"
    numbers: dict[Source, int] = {}
    lines = [_cells(row, name, value, numbers) for name, value in _values(row)]
    blocks = [f"{row.name}   {row.id}   ({found.kind}){origin}", align(lines, indent="  ")]
    if row.doubts:
        doubts = [(name, text) for name, text in sorted(row.doubts.items())]
        blocks.append("doubts\n" + align(doubts, indent="  "))
    if row.notes:
        blocks.append("notes\n" + "\n".join(f"  {note}" for note in row.notes))
    if numbers:
        blocks.append("sources\n" + "\n".join(f"  [{n}] {_source(source)}" for source, n in numbers.items()))
    return "\n\n".join(blocks)


_HEADERS: Mapping[str, tuple[str, ...]] = {
    "accelerator": ("id", "memory", "bandwidth", "bf16", "fp8", "link", "power", "doubts"),
    "host": ("id", "name", "memory", "per socket", "sockets", "features"),
    "link": ("id", "name", "one direction", "latency", "switched"),
    "fabric": ("id", "name", "one direction", "latency", "switched"),
    "storage": ("id", "name", "read"),
}


def _line(row: Row) -> tuple[str, ...]:
    if isinstance(row, Accelerator):
        return _accelerator_line(row)
    if isinstance(row, Processor):
        memory = f"{row.memory_channels or _UNKNOWN} × {row.memory_type or ''}-{row.memory_mt_s or 0:.0f}"
        channels = memory if row.memory_mt_s else row.memory_type or _UNKNOWN
        sockets = str(row.max_sockets or _UNKNOWN)
        return row.id, row.name, channels, _rate(row.bandwidth_bytes_s), sockets, " ".join(row.features)
    if isinstance(row, Connection):
        return row.id, row.name, _rate(row.bytes_s), human_seconds(row.latency_s), "yes" if row.switched else "no"
    return row.id, row.name, _rate(row.read_bytes_s)


def _accelerator_line(row: Accelerator) -> tuple[str, ...]:
    memory = human_bytes(row.memory_bytes) if row.memory_bytes else _UNKNOWN
    return (
        row.id,
        memory if row.memory_is_reported else f"~{memory}",
        _rate(row.bandwidth_bytes_s),
        *(f"{row.peak_flop_s[f] / TERA:,.4g}" if f in row.peak_flop_s else _UNKNOWN for f in ("bf16", "fp8")),
        f"{row.link} {_rate(row.link_bytes_s)}" if row.link else f"pcie{row.pcie_gen}" if row.pcie_gen else _UNKNOWN,
        f"{row.tdp_w:,.0f} W" if row.tdp_w else _UNKNOWN,
        str(len(row.doubts) or ""),
    )


def _values(row: Row) -> Iterator[tuple[str, Any]]:
    """(dotted field, value) of what is known, in the order of the schema."""
    for each in fields(row):
        value = getattr(row, each.name)
        if each.name in _HEAD or value in (None, False, (), {}):
            continue
        if isinstance(value, Mapping):
            yield from ((f"{each.name}.{key}", part) for key, part in value.items())
        else:
            yield each.name, value


def _cells(row: Row, name: str, value: Any, numbers: dict[Source, int]) -> tuple[str, ...]:
    field = name.partition(".")[0]
    text = shown(field, value.memory_bytes if field == "mig" else value)
    if field == "mig":
        text = f"{human_bytes(value.memory_bytes)}" if value.memory_bytes else _UNKNOWN
    source = row.sources.get(name) or row.sources.get(field)
    mark = "!" if name in row.doubts or field in row.doubts else ""
    if source is None:
        return name, text, mark
    return name, text, f"[{numbers.setdefault(source, len(numbers) + 1)}]{' ' + mark if mark else ''}"


def _source(source: Source) -> str:
    unchecked = "" if source.verified else " — not checked"
    return f"{source.text}, {source.date}{unchecked}" if source.date else f"{source.text}{unchecked}"


def _rate(bytes_s: float | None) -> str:
    return human_rate(bytes_s) if bytes_s else _UNKNOWN
