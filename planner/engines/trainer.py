"""How a trainer behaves: data from ``trainers.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


def trainers() -> tuple[str, ...]:
    """Names of the trainers with a table of their own."""
    return tuple(name for name in read_toml(_FILE) if name != "default")


@lru_cache(maxsize=64)
def trainer_profile(name: str | None) -> TrainerProfile:
    """The facts of a trainer; the defaults for an unnamed or unknown one."""
    table = read_toml(_FILE)
    own = table.get(name or "", {})
    return TrainerProfile(name or "unnamed", bool(own), {**table["default"], **own})
