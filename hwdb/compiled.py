"""The compiled form of the data files: valid JSON whose lines can be read one at a time.

Top level: ``sources`` (texts that rows point at by number), ``<kind>_index`` and ``<kind>`` (id → row), each value
of the top level and each row on a line of its own. Whoever wants one row parses one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

COMPILED = Path(__file__).with_name("compiled.json")


class CompiledRows(Mapping[str, dict[str, Any]]):
    """Id → table of one row, parsed when asked for."""

    def __init__(self, lines: dict[str, str]) -> None:
        self._lines = lines

    def __getitem__(self, row: str) -> dict[str, Any]:
        table: dict[str, Any] = _value(self._lines[row])
        return table

    def __contains__(self, row: object) -> bool:
        return row in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


class CompiledFile:
    """One compiled file, split into lines and not parsed yet."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, str] = {}
        self._rows: dict[str, dict[str, str]] = {}
        section: dict[str, str] | None = None
        for line in text.split("\n")[1:]:
            if line.startswith("}"):
                section = None
                continue
            key = line[1 : line.find('"', 1)]
            if line.endswith("{"):
                section = self._rows[key] = {}
            elif line:
                (self._values if section is None else section)[key] = line

    def value(self, key: str) -> Any:
        """A value of the top level."""
        return _value(self._values[key])

    def rows(self, kind: str) -> CompiledRows:
        return CompiledRows(self._rows[kind])


def dump(values: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a compiled file."""
    parts = [_line(key, value) for key, value in values.items()]
    for kind, tables in rows.items():
        lines = ",\n".join(_line(row, table) for row, table in tables.items())
        parts.append(f'"{kind}":{{\n{lines}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(key: str, value: Any) -> str:
    return f'"{key}":{json.dumps(value, ensure_ascii=False, separators=(",", ":"))}'


def _value(line: str) -> Any:
    start = line.find('"', 1) + 2
    return json.loads(line[start:-1] if line.endswith(",") else line[start:])
