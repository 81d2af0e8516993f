"""What is said between the app and the process that plans for it: pickled values over a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """Do this. ``number`` tells one task from another."""

    number: int
    task: Any
    overlays: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The task of this number is to answer with what it has so far."""

    number: int


@dataclass(frozen=True, slots=True)
class Told:
    """How far the present task is."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The present task's result, or what it raised."""

    result: Any = None
    error: BaseException | None = None
