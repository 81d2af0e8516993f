"""Rows and columns of a listing, and which columns a width has room for. Plain text, no drawing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from tui.rows import Column, Row
from tui.text import elided

__all__ = ["Column", "Row", "Shown", "cells_of", "fitting", "heading"]

GAP = 2
NARROWEST = 8
"""Cells that an elastic column keeps whatever happens."""


Shown = tuple[tuple[Column, int], ...]
"""Columns with their widths."""


def fitting(columns: Sequence[Column], width: int) -> Shown:
    """The columns that a width has room for, each with its own; the elastic one gives way last."""
    kept = list(columns)
    while _least(kept) > width and any(column.need for column in kept):
        kept.remove(max((c for c in kept if c.need), key=lambda c: c.need))
    spare = width - _least(kept)
    return tuple((c, max(NARROWEST, c.width + spare) if c.elastic else c.width) for c in kept)


def _least(columns: Sequence[Column]) -> int:
    return sum(column.width + GAP for column in columns) - GAP


def heading(shown: Shown) -> list[str]:
    """The labels, one a column, the gap behind each included."""
    return [_placed(column.label, column, width) for column, width in shown]


def cells_of(row: Row, shown: Shown, *, lines: int | None, mark: str) -> list[list[str]]:
    """The row's lines, each a cell a column. ``lines`` None: as many as the elastic column takes, wrapped.

    ``mark`` stands before the first cell.
    """
    columns = [_lines_of(row, column, width, wrap=lines is None) for column, width in shown]
    if columns and mark:
        columns[0] = [mark + columns[0][0], *columns[0][1:]] if columns[0] else [mark]
    count = max((len(cell) for cell in columns), default=1) if lines is None else lines
    return [
        [_placed(cell[n] if n < len(cell) else "", *place) for cell, place in zip(columns, shown, strict=True)]
        for n in range(count)
    ]


def _lines_of(row: Row, column: Column, width: int, *, wrap: bool) -> list[str]:
    lines = row.cells.get(column.key, "").split("\n")
    if not (wrap and column.elastic):
        return lines
    return [part for line in lines for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    """A long line as several, the rest under its first word."""
    inset = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=inset, drop_whitespace=True) or [""]


def _placed(words: str, column: Column, width: int) -> str:
    """A cell in its width, and the gap behind it."""
    words = elided(words, width)
    words = " " * (width - cell_len(words)) + words if column.right else words
    return set_cell_size(words, width + GAP)
