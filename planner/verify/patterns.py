"""The table of line patterns: loaded once, compiled, searched behind a plain word so that most lines cost nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from planner.data import read_toml
from planner.units import GIB, GIGA, KIB, KILO, MEGA, MIB, TERA, TIB
from planner.verify.lines import Line

UNITS: Mapping[str, float] = {
    "B": 1.0, "KB": KILO, "MB": MEGA, "GB": GIGA, "TB": TERA, "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB,
}  # fmt: skip
_SUFFIXES = {"gib": float(GIB), "mib": float(MIB), "b": 1.0, "count": 1.0, "ratio": 1.0, "s": 1.0, "tok_s": 1.0}
_GIB_BY_TRADITION = frozenset({"vllm", "sglang"})
"""Engines whose "GB" is 2^30 bytes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a line printed."""

    field: str
    value: float | str
    """In bytes, tokens, seconds; text as printed."""
    precision: float
    """Half a unit of the last digit printed, in the same unit."""
    line: int
    worker: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of line."""

    engine: str
    marker: str
    patterns: tuple[re.Pattern[str], ...]
    start: bool
    alone: bool
    """One process prints it for all: where it begins a start-up, whoever printed before."""
    source: str


@cache
def rows() -> tuple[Row, ...]:
    """The table as compiled."""
    table: list[dict[str, Any]] = read_toml("verify/patterns.toml")["rows"]
    return tuple(
        Row(
            engine=row["engine"],
            marker=row["marker"],
            patterns=tuple(re.compile(pattern) for pattern in row["patterns"]),
            start=row.get("start", False),
            alone=row.get("alone", False),
            source=row["source"],
        )
        for row in table
    )


def readings_of(row: Row, line: Line) -> Iterator[Reading]:
    """What one row finds in one line; several messages on one line are all found."""
    for pattern in row.patterns:
        for found in pattern.finditer(line.text):
            groups = found.groupdict()
            for name, text in groups.items():
                if text is not None and "__" in name:
                    reading = _reading(row.engine, name, text.strip(), groups, line)
                    if reading is not None:
                        yield reading


def _reading(engine: str, name: str, text: str, groups: Mapping[str, str | None], line: Line) -> Reading | None:
    field, _, unit = name.partition("__")
    device = groups.get("device") or ""
    if unit == "text":
        return Reading(field, text, 0.0, line.number, line.worker, device)
    if unit == "flag":
        return Reading(field, 1.0 if text == "True" else 0.0, 0.0, line.number, line.worker, device)
    factor = _factor(engine, groups.get("unit") or "B") if unit == "u" else _SUFFIXES[unit]
    number = number_of(text)
    if number is None:
        return None
    decimals = len(text.partition(".")[2])
    precision = 0.5 * factor * 10.0**-decimals if unit not in ("count", "b") or decimals else 0.0
    return Reading(field, number * factor, precision, line.number, line.worker, device)


def _factor(engine: str, unit: str) -> float:
    if engine in _GIB_BY_TRADITION and unit in ("GB", "MB"):
        unit = unit.replace("B", "iB")
    return UNITS.get(unit, 1.0)


def number_of(text: str) -> float | None:
    """A finite number of sensible size, digits grouped by commas or not; None for anything else."""
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if -(2.0**62) < number < 2.0**62 else None
