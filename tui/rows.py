"""Rows and columns of a listing as values. No toolkit in here: words are made into rows everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``need`` 0 is always shown; of the others the highest go first when the width is short."""

    key: str
    label: str
    width: int
    need: int = 0
    right: bool = False
    """Figures stand at the right."""
    elastic: bool = False
    """Takes the width that is left; ``width`` is then the least."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: text by column, a line about it."""

    key: str
    cells: Mapping[str, str]
    about: str = ""
    dim: bool = False
