"""The tree of errors. Expected outcomes (does not fit, illegal) are results, never exceptions.

PlannerError
├── BadInput          what a person gave cannot be used (exit 2)
│   ├── BadDocument   a document breaks its schema; carries every problem
│   └── UnknownName   no such accelerator, model, engine; carries the nearest names
├── UnknownFact       a fact that nobody here knows (becomes verdict "unknown")
└── UnknownArchitecture   a model whose config keys are not understood
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command."""

    OK = 0
    INTERNAL = 1
    BAD_INPUT = 2
    NOTHING_FITS = 3
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where, what, and what to do next."""

    where: str
    """File or document and dotted key, e.g. ``deploy.toml: serving.tp``."""
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" — {self.fix}" if self.fix else "")


class PlannerError(Exception):
    """Root of everything the planner raises on purpose."""


class BadInput(PlannerError):
    """What a person gave cannot be used."""

    def __init__(self, where: str, message: str, fix: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(where, message, fix),)
        super().__init__(str(self.problems[0]))


class BadDocument(BadInput):
    """A document breaks its schema; every problem is listed."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        PlannerError.__init__(self, "\n".join(map(str, problems)))
        self.problems = problems


LISTED_BY = {
    "model": "deploy-planner models",
    "accelerator": "deploy-planner hardware --kind accelerator",
    "fabric": "deploy-planner hardware --kind fabric",
    "link": "deploy-planner hardware --kind link",
    "host": "deploy-planner hardware --kind host",
}
"""Kind of name → the command that lists them all."""


class UnknownName(BadInput):
    """A name that no database row carries; ``nearest`` are (name, distance 0..1) pairs, nearest first."""

    def __init__(self, kind: str, name: str, nearest: tuple[tuple[str, float], ...] = ()) -> None:
        self.kind, self.name, self.nearest = kind, name, nearest
        close = ", ".join(f"{n} ({d:.0%} away)" for n, d in nearest[:3])
        listed = f"{LISTED_BY[kind]} lists all" if kind in LISTED_BY else ""
        ways = "; ".join(way for way in (f"nearest: {close}" if close else "", listed) if way)
        super().__init__(kind, f"unknown {kind} {name!r}", ways)


class UnknownFact(PlannerError):
    """A fact needed for a figure that is not in any data file."""


class UnknownArchitecture(PlannerError):
    """Config keys that are not understood; carries what is known all the same."""

    def __init__(self, message: str, known: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.known = known or {}
