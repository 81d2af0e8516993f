"""Rewrites ``compiled.json`` from the TOML tables below ``planner/``: ``python -m planner.compile_data``.

The catalogue has a compiled file of its own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hwdb.compiled import dump
from planner.data import COMPILED, SECTION, checksum

ROOT = Path(__file__).parent
RARE = ("models/catalogue/", "cost/prices/api")
"""Tables with a compiled file of their own, and large ones that few commands read."""


def compiled_text() -> str:
    """The file as committed: one table a line, so that a change shows as its own line."""
    return dump({}, {SECTION: {name: _entry(path) for name, path in _tables()}})


def _tables() -> list[tuple[str, Path]]:
    files = sorted(ROOT.rglob("*.toml"))
    named = [(path.relative_to(ROOT).as_posix(), path) for path in files]
    return [(name, path) for name, path in named if not name.startswith(RARE)]


def _entry(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    return {"checksum": checksum(text), "data": tomllib.loads(text)}


def main() -> None:
    """Write the file."""
    (ROOT / COMPILED).write_text(compiled_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
