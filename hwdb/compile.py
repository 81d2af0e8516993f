"""``python -m hwdb.compile``: checks the TOML files and writes them as one file that loads fast.

TOML is the source; a test compares both. Source texts stand once, rows point at them by number.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hwdb.compiled import COMPILED, dump
from hwdb.errors import DataProblem, InvalidData
from hwdb.index import build_index, shared_names
from hwdb.reader import KINDS, read_ambiguous, read_tree

ROOT = Path(__file__).parent


def compile_tree(root: Path) -> str:
    """Everything below ``root`` as the text of a compiled file; raises with all problems."""
    problems: list[DataProblem] = []
    kinds = read_tree(root, problems)
    texts: dict[tuple[Any, ...], int] = {}
    values: dict[str, Any] = {"sources": []}
    rows: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        tables = dict(sorted(kinds[kind].items()))
        rows[kind] = {row: _with_numbers(table, texts) for row, table in tables.items()}
        index = values[f"{kind}_index"] = build_index(tables, read_ambiguous(root, kind, problems))
        for key, shared in shared_names(index):
            problems.append(DataProblem(kind, "aliases", f"{key!r} names several rows: {', '.join(shared)}"))
    values["sources"] = [list(source) for source in texts]
    if problems:
        raise InvalidData(tuple(problems))
    return dump(values, rows)


def main() -> int:
    try:
        text = compile_tree(ROOT)
    except InvalidData as invalid:
        sys.stderr.write(f"{invalid}\n")
        return 1
    COMPILED.write_text(text, encoding="utf-8")
    return 0


def _with_numbers(table: dict[str, Any], texts: dict[tuple[Any, ...], int]) -> dict[str, Any]:
    numbers = {field: texts.setdefault(tuple(given), len(texts)) for field, given in table["sources"].items()}
    return {key: value for key, value in table.items() if key != "file"} | {"sources": numbers}


if __name__ == "__main__":
    sys.exit(main())
