"""Errors of the hardware database.

HardwareDataError
├── LookupProblem     a name leads to no row, or not to one
│   ├── UnknownRow
│   └── AmbiguousRow
└── InvalidData       data files break the schema; carries every problem
"""

from __future__ import annotations

from dataclasses import dataclass


class HardwareDataError(Exception):
    """Root."""


class LookupProblem(HardwareDataError):
    """A name that leads to no row, or to several; ``nearest`` are (id, distance 0..1), nearest first."""

    def __init__(self, kind: str, name: str, nearest: tuple[tuple[str, float], ...], message: str) -> None:
        super().__init__(message)
        self.kind, self.name, self.nearest = kind, name, nearest


class UnknownRow(LookupProblem):
    """No row carries this name."""

    def __init__(self, kind: str, name: str, nearest: tuple[tuple[str, float], ...] = ()) -> None:
        close = ", ".join(f"{row} ({distance:.0%} away)" for row, distance in nearest[:3])
        hint = f"; nearest: {close}" if close else ""
        super().__init__(kind, name, nearest, f"unknown {kind} {name[:80]!r}{hint}")


class AmbiguousRow(LookupProblem):
    """Several rows carry this name; ``candidates`` are their ids."""

    def __init__(self, kind: str, name: str, candidates: tuple[str, ...]) -> None:
        self.candidates = candidates
        nearest = tuple((row, 0.0) for row in candidates)
        super().__init__(kind, name, nearest, f"{kind} {name[:80]!r} may be {', '.join(candidates)}: say which")


@dataclass(frozen=True, slots=True)
class DataProblem:
    """One thing wrong with a data file."""

    file: str
    key: str
    """Dotted; empty for the file as a whole."""
    message: str
    nearest: str | None = None
    """The known name that is closest to the wrong one."""

    def __str__(self) -> str:
        hint = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        return f"{self.file}: {self.key + ': ' if self.key else ''}{self.message}{hint}"


class InvalidData(HardwareDataError):
    """Data files break the schema; every problem is listed."""

    def __init__(self, problems: tuple[DataProblem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
