"""How a trainer behaves and what it can do: data from ``trainers.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from planner.data import read_toml

_FILE = "engines/trainers.toml"


@dataclass(frozen=True, slots=True)
class TrainerProfile:
    """One trainer; ``facts`` are its table over the defaults."""

    name: str
    known: bool
    """False: nothing is known of it and the defaults of common trainers were taken."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    nearest: tuple[str, ...] = ()
    """For an unknown name: trainers that are written alike, nearest first."""

    def __hash__(self) -> int:
        return hash((self.name, self.known))

    def can(self, ability: str, wanted: str) -> bool:
        """Whether a list of abilities (methods, objectives, shardings, …) has an entry."""
        return wanted in self.facts[ability]


def trainers() -> tuple[str, ...]:
    """Names of the trainers with a table of their own."""
    return tuple(name for name in read_toml(_FILE) if name != "default")


@lru_cache(maxsize=256)
def trainer_profile(name: str | None) -> TrainerProfile:
    """The facts of a trainer; the defaults for an unnamed or unknown one."""
    table = read_toml(_FILE)
    own = table.get(name or "", {}) if name != "default" else {}
    nearest = () if own or name is None else tuple(get_close_matches(name[:60].lower(), trainers(), 3, 0.3))
    return TrainerProfile(name or "unnamed", bool(own), {**table["default"], **own}, nearest)
