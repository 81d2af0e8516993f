"""What read each target's output: facts from ``checks.toml``, for ``export --list`` and for people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from planner.data import read_toml

if TYPE_CHECKING:
    from planner.export.target import Target

_FILE = "export/checks.toml"
When = Literal["always", "found", "built", "hand"]
_SAID: dict[str, str] = {
    "always": "with every test run",
    "found": "where installed",
    "built": "in an environment of its own",
    "hand": "once by hand",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One reader of a target's output."""

    tool: str
    when: When
    versions: tuple[str, ...] = ()
    """Releases of the tool."""

    def __str__(self) -> str:
        releases = f" {', '.join(self.versions)}" if self.versions else ""
        return f"{self.tool}{releases} ({_SAID[self.when]})"


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, tuple[str, ...]], dict[str, Check]]:
    document = read_toml(_FILE)
    known = {
        name: Check(**{**row, "versions": tuple(row.get("versions", ()))}) for name, row in document["checks"].items()
    }
    return {name: tuple(ids) for name, ids in document["targets"].items()}, known


def checks_of(target: str) -> tuple[Check, ...]:
    """What read a target's output; empty where the target's own line says it."""
    targets, known = _tables()
    return tuple(known[name] for name in targets.get(target, ()))


def checked_by(target: Target) -> tuple[str, ...]:
    """The readers of a target as lines of text."""
    return tuple(map(str, checks_of(target.name))) or (target.checked_by,)
