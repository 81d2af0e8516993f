"""What an engine says of its own settings beside the plan's. Which ones, under which names: ``settings.toml``."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from planner.data import read_toml
from planner.resolved import Resolved
from planner.verify.actual import Actual
from planner.verify.result import Setting

_FILE = "verify/settings.toml"


class Row(NamedTuple):
    """A setting that a family of engines prints."""

    key: str
    """Of ``[serving]``."""
    printed: str = ""
    """The reading of the log; empty: the key."""
    rounds_to: int = 0
    """The engine takes the next multiple of this; 0: what it is given."""
    family: str = ""

    def same(self, want: float, got: float) -> bool:
        """Whether what was printed is what was planned."""
        if self.rounds_to:
            return 0 <= got - want < self.rounds_to
        return abs(want - got) <= 1e-4 * max(1.0, abs(want))


@cache
def _rows(family: str) -> tuple[Row, ...]:
    """Those of a family, else the general ones."""
    table: list[dict[str, Any]] = read_toml(_FILE)["rows"]
    every = tuple(Row(**row) for row in table)
    return tuple(row for row in every if row.family == family) or tuple(row for row in every if not row.family)


def compare_settings(resolved: Resolved, actual: Actual) -> tuple[Setting, ...]:
    """Only what the log names."""
    found = []
    for row in _rows(resolved.engine.family):
        got, want = actual.value(row.printed or row.key), float(getattr(resolved.serving, row.key))
        if got is not None:
            found.append(Setting(row.key, want, got, row.same(want, got), f"serving.{row.key}" in resolved.assumed))
    return (*found, *_cache_dtype(resolved.serving.kv_cache_dtype, actual.texts.get("kv_cache_dtype")))


def _cache_dtype(planned: str, printed: str | None) -> tuple[Setting, ...]:
    names: dict[str, str] = read_toml(_FILE)["kv_dtypes"]
    said = names.get(printed, printed) if printed else None
    if not said or said == "auto":
        return ()
    return (Setting("kv_cache_dtype", planned, said, names.get(planned, planned) == said),)
