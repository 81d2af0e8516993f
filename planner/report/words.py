"""Figures and foreign text as cells of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from planner.estimate import Estimate
from planner.report.blocks import Cell
from planner.units import human_bytes, human_count, human_seconds

LONGEST = 400
"""Characters of one piece of foreign text; more is cut."""
VERDICTS = {
    "fits": "fits",
    "tight": "fits, with less than 3 % to spare",
    "does-not-fit": "does not fit",
    "illegal": "cannot be started",
    "unknown": "unknown",
}
UNKNOWN = "unknown"


def clean(text: object, longest: int = LONGEST) -> str:
    """Foreign text on one line, without control, direction or other invisible characters."""
    flat = " ".join(str(text)[: 4 * longest].split())
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def clean_lines(text: str) -> str:
    """The same for text whose lines matter."""
    return "\n".join(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line.replace("\t", "    "))
        for line in text.split("\n")
    )


def cells(*texts: object) -> tuple[Cell, ...]:
    """A row of text."""
    return tuple(Cell(clean(text)) for text in texts)


def said(value: object) -> object:
    """A setting as people write it: yes and no, whole numbers without ``.0``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return value


def number(value: float | None, show: Callable[[float], str], suffix: str = "") -> Cell:
    """A figure with its unrounded value; "unknown" where there is none."""
    return Cell(UNKNOWN) if value is None else Cell(show(value) + suffix, value)


def shower(unit: str) -> Callable[[float], str]:
    """How a value of this unit is written: B, s, W, or a count with the unit behind it."""
    if unit == "B":
        return human_bytes
    if unit == "s":
        return human_seconds
    return lambda value: f"{counted(value)} {unit}".rstrip()


def counted(value: float) -> str:
    """A count, with a decimal where it is small."""
    return f"{value:,.3g}" if 0 < abs(value) < 100 else human_count(value)


def figure_row(label: str, estimate: Estimate | None, show: Callable[[float], str]) -> tuple[Cell, ...]:
    """Label, low, value, high, origin."""
    if estimate is None:
        return (*cells(label), *(Cell(UNKNOWN),) * 3, Cell(""))
    figures = (number(value, show) for value in (estimate.low, estimate.value, estimate.high))
    return (Cell(label), *figures, Cell(estimate.origin))


FIGURE_HEAD = ("", "low", "value", "high", "origin")


def named(key: str) -> str:
    """A field's name in words."""
    return clean(key.replace("_", " "))


def some(pairs: Iterable[tuple[str, Any]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows of two cells, those without a value left out."""
    return tuple(cells(label, value) for label, value in pairs if value not in (None, "", ()))


def plural(count: int, word: str) -> str:
    """ "1 device", "8 devices"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
