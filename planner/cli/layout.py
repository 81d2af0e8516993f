"""Text as wide as the terminal: nothing is cut, what does not fit stands below."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from planner.cli.tables import align

PIPE_WIDTH = 120
"""Columns where nobody looks: a pipe, a file."""
NARROWEST = 60
_GAP = 2


def width() -> int:
    """Columns of the terminal, or of ``COLUMNS``."""
    return max(shutil.get_terminal_size((PIPE_WIDTH, 24)).columns, NARROWEST)


def columns_within(rows: Sequence[Sequence[str]], columns: int, *, keys: int = 2, indent: str = "") -> str:
    """A table with its head; columns that do not fit go into a table below, which repeats the first ``keys``."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    fixed = len(indent) + sum(widths[:keys]) + _GAP * keys
    blocks: list[list[int]] = [[]]
    used = fixed
    for index in range(keys, len(widths)):
        if blocks[-1] and used + widths[index] > columns:
            blocks.append([])
            used = fixed
        blocks[-1].append(index)
        used += widths[index] + _GAP
    first = range(keys)
    tables = ([[row[i] for i in (*first, *block)] for row in rows] for block in blocks)
    return "\n\n".join(align(table, indent=indent) for table in tables)


def pairs_within(rows: Sequence[tuple[str, str]], columns: int, *, indent: str = "  ") -> str:
    """Labels and texts; long texts go on below themselves."""
    if not rows:
        return ""
    label = min(max(len(name) for name, _ in rows), columns // 2)
    start = len(indent) + label + _GAP
    lines = []
    for name, text in rows:
        parts = textwrap.wrap(text, max(columns - start, 20), break_on_hyphens=False) or [""]
        lines.append(f"{indent}{name.ljust(label)}{' ' * _GAP}{parts[0]}".rstrip())
        lines += [" " * start + part for part in parts[1:]]
    return "\n".join(lines)


def wrapped(text: str, columns: int, *, indent: str = "") -> str:
    """A paragraph; lines after the first are indented a little more."""
    return textwrap.fill(
        text, columns, initial_indent=indent, subsequent_indent=f"{indent}    ", break_on_hyphens=False
    )
