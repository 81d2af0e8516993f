"""Data files (TOML) to plain tables, with every problem of theirs. Only compiling and overlays read TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hwdb.errors import DataProblem
from hwdb.validate import check_row

KINDS = ("accelerators", "hosts", "links", "fabrics", "storage")
MAX_FILE_BYTES = 1 << 20
MAX_FILES = 2000
"""Per directory tree; more is taken for a mistake, not a database."""
AMBIGUOUS = "ambiguous.toml"
"""Short names that stand for several rows; per kind, in its folder."""

Problems = list[DataProblem]


def read_tree(root: Path, problems: Problems) -> dict[str, dict[str, Any]]:
    """Kind → id → table of all files below ``root``; ``file`` of each table is where it stands."""
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for path in _files(root / kind, problems):
            if path.name != AMBIGUOUS:
                _read_rows(path, kind, kinds[kind], problems)
    return kinds


def read_ambiguous(root: Path, kind: str, problems: Problems) -> dict[str, list[str]]:
    """Short name → ids of the rows it may mean."""
    path = root / kind / AMBIGUOUS
    names = read_toml(path, problems).get("names", {}) if path.is_file() else {}
    if not isinstance(names, dict):
        problems.append(DataProblem(str(path), "names", "must be a table of short name → list of ids"))
        return {}
    for name, ids in names.items():
        if not (isinstance(ids, list) and len(ids) > 1 and all(isinstance(row, str) for row in ids)):
            problems.append(DataProblem(str(path), f"names.{name[:80]!r}", "must be a list of two or more ids"))
    return names


def read_toml(path: Path, problems: Problems) -> dict[str, Any]:
    """The file as a table; empty when it cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            problems.append(DataProblem(str(path), "", f"larger than {MAX_FILE_BYTES} bytes: not a data file"))
            return {}
        return tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError, RecursionError) as error:
        problems.append(DataProblem(str(path), "", f"cannot be read: {error}"))
        return {}


def _files(folder: Path, problems: Problems) -> Iterator[Path]:
    found = sorted(path for path in folder.rglob("*.toml") if path.is_file())
    if len(found) > MAX_FILES:
        problems.append(DataProblem(str(folder), "", f"more than {MAX_FILES} files: only the first are read"))
    yield from found[:MAX_FILES]


def _read_rows(path: Path, kind: str, rows: dict[str, Any], problems: Problems) -> None:
    """A file holds one row, or several under ``[[rows]]``."""
    document = read_toml(path, problems)
    if not document:
        return
    several = document.get("rows")
    tables = several if isinstance(several, list) else [document]
    if isinstance(several, list) and len(document) > 1:
        problems.append(DataProblem(str(path), "", "has keys beside [[rows]]: they belong into a row"))
    for number, table in enumerate(tables):
        prefix = f"rows[{number}]." if isinstance(several, list) else ""
        checked = check_row(kind, table, str(path), prefix, problems)
        if checked is None:
            continue
        if checked["id"] in rows:
            problems.append(DataProblem(str(path), f"{prefix}id", f"{checked['id']!r} is defined twice"))
        rows[checked["id"]] = {**checked, "file": str(path)}
