"""Which row a device of a real machine is: by driver string, memory size and PCI id together, never by guess."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hwdb.names import MAX_NAME, compact
from hwdb.partition import mig_slice
from hwdb.schema import Accelerator
from hwdb.table import Table
from hwdb.units import GIB

State = Literal["exact", "ambiguous", "unknown"]
_MIG = re.compile(r"(.+?)\s+MIG\s+(?:\d{1,2}c\.)?(\d{1,2}g\.\d{1,4}gb(?:\+[a-z.]{1,12}){0,2})", re.IGNORECASE)
_VGPU = re.compile(r"(?:GRID\s+|NVIDIA\s+)?([A-Z][\w-]*?)-(?:\d-)?(\d{1,3})([QABC])(?:ME)?", re.IGNORECASE)
_DEVICE = re.compile(r"(?:0x)?(?:[0-9a-f]{4}:)?([0-9a-f]{4})(?:10de|1002|8086)?", re.IGNORECASE)
_AROUND = (0.90, 1.08)
"""Reported ÷ known memory of one card: ECC on or off moves it by 6 %, firmware reserves up to 4 %."""
_AROUND_UNIFIED = (0.70, 1.02)


@dataclass(frozen=True, slots=True)
class Match:
    """Outcome of matching one device."""

    state: State
    accelerator: Accelerator | None = None
    """Only when ``state`` is exact; a slice comes with its share of memory, bandwidth and peaks."""
    nearest: tuple[tuple[str, float], ...] = ()
    """Ids and distances (0 same, 1 nothing in common): the candidates, or on a miss the nearest names."""
    reasons: tuple[str, ...] = ()
    """What was compared and what it said."""
    partition: Literal["mig", "vgpu"] | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a machine says of one device."""

    name: str
    memory_bytes: int | None
    pci: str | None
    partition: Literal["mig", "vgpu"] | None = None
    profile: str | None = None


def match(table: Table, *, driver_name: str | None, memory_bytes: int | None, pci_device_id: str | None) -> Match:
    """The row of a device as its driver reports it. Any argument may be missing ("not reported"), also as 0."""
    seen = _read(driver_name, memory_bytes, pci_device_id)
    named = _board(table, seen) if seen.partition == "vgpu" else _named(table, seen.name)
    if seen.partition == "vgpu" and not named:
        seen = _Seen((driver_name or "").strip(), seen.memory_bytes, seen.pci)
        named = _named(table, seen.name)
    wired = table.under("pci", seen.pci) if seen.pci else []
    candidates, agreed, reasons = _combine(seen, named, wired)
    if not candidates:
        return Match(
            "unknown", None, table.nearest(seen.name), (*reasons, "no row matches"), seen.partition, seen.profile
        )
    rows = [table.row(row) for row in candidates]
    if seen.partition is not None:
        return _partitioned(seen, rows, reasons, agreed)
    return _sized(seen, rows, reasons, agreed)


def _read(driver_name: str | None, memory_bytes: int | None, pci_device_id: str | None) -> _Seen:
    name = (driver_name or "").strip()[:MAX_NAME]
    memory = memory_bytes if memory_bytes and memory_bytes > 0 else None
    found = _DEVICE.fullmatch((pci_device_id or "").strip())
    pci = found[1].lower() if found else None
    if mig := _MIG.fullmatch(name):
        return _Seen(mig[1], memory, pci, "mig", mig[2].lower())
    if vgpu := _VGPU.fullmatch(name):
        return _Seen(vgpu[1], memory, pci, "vgpu", f"{vgpu[2]}{vgpu[3].upper()}")
    return _Seen(name, memory, pci)


def _named(table: Table, name: str) -> list[str]:
    return (table.driven_by(name) or table.ids(name)) if name else []


def _board(table: Table, seen: _Seen) -> list[str]:
    return table.under("board", compact(seen.name))


def _combine(seen: _Seen, named: list[str], wired: list[str]) -> tuple[list[str], bool, tuple[str, ...]]:
    """Candidates, whether name and bus agree about them, and why."""
    both = [row for row in named if row in wired]
    if both:
        return both, True, (f"driver string {seen.name!r} and PCI id {seen.pci}",)
    if named and wired:
        why = f"driver string {seen.name!r} says {_list(named)}, PCI id {seen.pci} says {_list(wired)}"
        return [*named, *wired], False, (why,)
    if named:
        listed = f"PCI id {seen.pci} is not listed" if seen.pci else "PCI id not reported"
        return named, True, (f"driver string {seen.name!r}; {listed}",)
    if wired:
        said = f"driver string {seen.name!r} is not known" if seen.name else "driver string not reported"
        return wired, True, (f"PCI id {seen.pci}; {said}",)
    return [], True, (f"driver string {seen.name!r} and PCI id {seen.pci or 'not reported'} are not known",)


def _sized(seen: _Seen, rows: list[Accelerator], reasons: tuple[str, ...], agreed: bool) -> Match:
    if seen.memory_bytes is None:
        fitting, reasons = rows, (*reasons, "memory not reported")
    else:
        fitting = [row for row in rows if _fits(row, seen.memory_bytes, alone=len(rows) == 1)]
        reasons = (
            *reasons,
            f"memory {seen.memory_bytes / GIB:.1f} GiB fits {_list([r.id for r in fitting]) or 'none'}",
        )
    if not fitting:
        away = sorted((_memory_distance(row, seen.memory_bytes or 0), row.id) for row in rows)
        return Match("unknown", None, tuple((row, round(far, 3)) for far, row in away), reasons)
    if not agreed:
        return Match("ambiguous", None, tuple((row.id, 0.0) for row in rows), reasons)
    if len(fitting) > 1:
        return Match("ambiguous", None, tuple((row.id, 0.0) for row in fitting), reasons)
    return Match("exact", fitting[0], ((fitting[0].id, 0.0),), reasons)


def _partitioned(seen: _Seen, rows: list[Accelerator], reasons: tuple[str, ...], agreed: bool) -> Match:
    """A slice or a virtual GPU: its memory is a part of the device's, so name and PCI id must do."""
    profile = seen.profile or ""
    if seen.partition == "mig":
        rows = [row for row in rows if profile in row.mig_profiles]
        reasons = (*reasons, f"MIG profile {profile} is listed for {_list([row.id for row in rows]) or 'none of them'}")
    else:
        reasons = (*reasons, f"vGPU profile {profile}")
    if len(rows) != 1 or not agreed:
        state: State = "ambiguous" if rows else "unknown"
        return Match(state, None, tuple((row.id, 0.0) for row in rows), reasons, seen.partition, profile)
    whole = rows[0]
    if seen.partition == "mig":
        part = mig_slice(whole, profile, seen.memory_bytes)
    else:
        memory = seen.memory_bytes or int(profile[:-1]) * GIB
        part = replace(whole, memory_bytes=memory, memory_is_reported=seen.memory_bytes is not None)
    return Match("exact", part, ((whole.id, 0.0),), reasons, seen.partition, profile)


def _fits(row: Accelerator, memory_bytes: int, *, alone: bool) -> bool:
    known = _known_memory(row)
    if known is None or (alone and row.unified_memory):
        return True
    low, high = _AROUND_UNIFIED if row.unified_memory else _AROUND
    return low <= memory_bytes / known <= high


def _known_memory(row: Accelerator) -> int | None:
    if row.unified_memory:
        return row.marketed_memory_bytes
    return row.driver_memory_bytes or row.usable_memory_bytes or row.marketed_memory_bytes or row.memory_bytes


def _memory_distance(row: Accelerator, memory_bytes: int) -> float:
    """0 for the same size, towards 1 the more the sizes differ."""
    known = _known_memory(row) or 0
    larger = max(known, memory_bytes)
    return abs(known - memory_bytes) / larger if larger else 1.0


def _list(rows: Iterable[str]) -> str:
    return ", ".join(rows)
