"""The user's own directories: same files, same checks as the built-in data, their origin kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hwdb.errors import DataProblem, InvalidData
from hwdb.index import build_index, shared_names
from hwdb.names import distance
from hwdb.reader import KINDS, Problems, read_ambiguous, read_tree
from hwdb.table import Layer

_TYPO = 0.35
"""A folder as near as this to a known name is taken for a misspelling of it."""


def read_overlays(roots: Iterable[Path]) -> list[dict[str, Layer]]:
    """Kind → layer for each directory; raises with every problem of all of them."""
    problems: Problems = []
    layers = [_overlay(root, problems) for root in roots]
    if problems:
        raise InvalidData(tuple(problems))
    return layers


def _overlay(root: Path, problems: Problems) -> dict[str, Layer]:
    if not root.is_dir():
        problems.append(DataProblem(str(root), "", "is not a directory"))
        return {}
    problems.extend(_misspelt(root))
    kinds = read_tree(root, problems)
    return {kind: _layer(root, kind, kinds[kind], problems) for kind in KINDS}


def _layer(root: Path, kind: str, tables: dict[str, Any], problems: Problems) -> Layer:
    index = build_index(tables, read_ambiguous(root, kind, problems))
    for table in tables.values():
        table["origin"] = table.pop("file")
    for key, rows in shared_names(index):
        problems.append(DataProblem(str(root / kind), "aliases", f"{key!r} names several rows: {', '.join(rows)}"))
    return Layer(tables, index)


def _misspelt(root: Path) -> Iterable[DataProblem]:
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        close = min(KINDS, key=lambda kind: distance(kind, folder.name))
        if folder.name not in KINDS and distance(close, folder.name) < _TYPO:
            yield DataProblem(str(folder), "", "a folder of this name is not read", close)
