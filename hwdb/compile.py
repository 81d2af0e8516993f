"""``python -m hwdb.compile``: checks the TOML files and writes them as one JSON file that loads fast.

TOML is the source; a test compares both. Source texts stand once, rows point at them by number.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hwdb.errors import DataProblem, InvalidData
from hwdb.index import build_index, index_ambiguous, shared_names
from hwdb.reader import KINDS, read_ambiguous, read_tree

ROOT = Path(__file__).parent
COMPILED = ROOT / "compiled.json"


def compile_tree(root: Path) -> dict[str, Any]:
    """Everything below ``root`` as one document; raises with all problems."""
    problems: list[DataProblem] = []
    kinds = read_tree(root, problems)
    texts: dict[tuple[Any, ...], int] = {}
    document: dict[str, Any] = {"sources": []}
    for kind in KINDS:
        rows = dict(sorted(kinds[kind].items()))
        document[kind] = {row: _with_numbers(table, texts) for row, table in rows.items()}
        index = document[f"{kind}_index"] = build_index(rows)
        for key, shared in shared_names(index):
            problems.append(DataProblem(kind, "aliases", f"{key!r} names several rows: {', '.join(shared)}"))
        document[f"{kind}_ambiguous"] = index_ambiguous(read_ambiguous(root, kind, problems))
    document["sources"] = [list(source) for source in texts]
    if problems:
        raise InvalidData(tuple(problems))
    return document


def dump(document: dict[str, Any]) -> str:
    """One row a line, so that a change reads well."""
    parts = []
    for key, value in document.items():
        if isinstance(value, dict):
            lines = (f"{json.dumps(name)}:{_dense(row)}" for name, row in value.items())
            parts.append(f'"{key}":{{\n' + ",\n".join(lines) + "\n}")
        else:
            parts.append(f'"{key}":[\n' + ",\n".join(map(_dense, value)) + "\n]")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> int:
    try:
        text = dump(compile_tree(ROOT))
    except InvalidData as invalid:
        sys.stderr.write(f"{invalid}\n")
        return 1
    COMPILED.write_text(text, encoding="utf-8")
    return 0


def _with_numbers(table: dict[str, Any], texts: dict[tuple[Any, ...], int]) -> dict[str, Any]:
    numbers = {field: texts.setdefault(tuple(given), len(texts)) for field, given in table["sources"].items()}
    return {key: value for key, value in table.items() if key != "file"} | {"sources": numbers}


def _dense(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
