"""Compiles the tables of this package into the one file that is read at run time: parsing TOML takes ten times longer.

``python -m planner.models.compile_tables`` writes it; a test compares it with the sources.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from planner.data import read_json, read_toml
from planner.models.tables import COMPILED

SOURCES = ("families", "towers", "quantization")
REFERENCE = "models/reference_defaults.json"


def compile_text() -> str:
    """The compiled tables: the sources, and what the reference's classes say of the model types they name."""
    tables: dict[str, Any] = {name: read_toml(f"models/{name}.toml") for name in SOURCES}
    reference = read_json(REFERENCE)
    named = _named(tables, reference["children"])
    tables["defaults"] = {name: row for name, row in reference["defaults"].items() if name in named and row}
    tables["children"] = {name: row for name, row in reference["children"].items() if name in named}
    return json.dumps(tables, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def _named(tables: dict[str, Any], children: dict[str, dict[str, str]]) -> set[str]:
    """Model types of the tables, wrappers around them, and the towers inside."""
    named = set(tables["families"]) | set(tables["towers"]["join"]) | set(tables["towers"]["tower"])
    named |= {name for name, inner in children.items() if named & set(inner.values())}
    return named | {child for name in named for child in children.get(name, {}).values()}


def main() -> int:
    """Write the file."""
    (Path(__file__).parents[1] / COMPILED).write_text(compile_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
