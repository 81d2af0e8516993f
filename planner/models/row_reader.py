"""Reads one table of a TOML row strictly.

Every wrong value and every unknown key becomes a ``Problem``, and reading goes on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from planner.errors import Problem

MAX_TEXT = 2000
MAX_ITEMS = 10_000
MAX_NUMBER = 10**18


class RowReader:
    """Takes keys out of a table. What was never asked for is an unknown key."""

    def __init__(self, table: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self._table, self._where, self._problems = table, where, problems
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        """File and dotted key, as problems name it."""
        return f"{self._where}.{key}" if ": " in self._where else f"{self._where}: {key}"

    def problem(self, key: str, message: str, fix: str = "") -> None:
        self._problems.append(Problem(self.at(key), message, fix))

    def raw(self, key: str, required: bool = False) -> Any:
        """The value whatever it is; None when absent."""
        self._asked.add(key)
        if key not in self._table and required:
            self.problem(key, "is missing", f"add {key} = …")
        return self._table.get(key)

    def text(self, key: str, required: bool = False, choices: Sequence[str] = ()) -> str | None:
        """A short text, one of ``choices`` where given."""
        value = self.raw(key, required)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT or "\0" in value:
            self.problem(key, f"must be a text of 1 to {MAX_TEXT} characters")
            return None
        if choices and value not in choices:
            self.problem(key, f"{value!r} is not known", closest(value, choices) or "one of " + ", ".join(choices))
            return None
        return value

    def texts(self, key: str, choices: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of short texts."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MAX_ITEMS or not all(isinstance(v, str) for v in value):
            self.problem(key, "must be a list of texts")
            return ()
        for item in value:
            if choices and item not in choices:
                self.problem(key, f"{item!r} is not known", closest(item, choices) or "one of " + ", ".join(choices))
        return tuple(value)

    def number(self, key: str, required: bool = False) -> float | None:
        """A finite number."""
        value = self.raw(key, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
            self.problem(key, "must be a finite number")
            return None
        return float(value) if math.isfinite(value) else None

    def count(self, key: str, required: bool = False) -> int | None:
        """A whole number of at least 1."""
        value = self.raw(key, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_NUMBER:
            self.problem(key, "must be a whole number from 1 to 10^18")
            return None
        return value

    def flag(self, key: str) -> bool | None:
        value = self.raw(key)
        if value is not None and not isinstance(value, bool):
            self.problem(key, "must be true or false")
            return None
        return value

    def table(self, key: str) -> dict[str, Any]:
        """A sub-table, empty when absent."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problem(key, "must be a table")
            return {}
        return value

    def tables(self, key: str) -> tuple[RowReader, ...]:
        """Readers of a list of tables; the caller finishes each."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.problem(key, f"must be a list of tables: [[{key}]]")
            return ()
        return tuple(RowReader(v, self.at(f"{key}[{i}]"), self._problems) for i, v in enumerate(value))

    def finish(self) -> None:
        """Everything that was never asked for is refused, with the nearest known key."""
        for key in sorted(set(map(str, self._table)) - self._asked):
            self.problem(key, "is an unknown key", closest(key, sorted(self._asked)))


def closest(name: str, known: Sequence[str]) -> str:
    """ "did you mean …?", or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else ""
