"""What ``verify`` answers: planned beside actual, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.documents.result import Finding
from planner.estimate import Estimate

State = Literal["inside", "below", "above", "not-printed", "not-planned"]
Outcome = Literal["as-planned", "differs", "unknown"]
Unit = Literal["B", "tokens", "requests", "s", "tok/s"]


@dataclass(frozen=True, slots=True)
class Part:
    """One figure, planned and actual."""

    name: str
    unit: Unit
    planned: Estimate | None
    actual: float | None
    state: State
    gates: bool = True
    """Whether a difference counts: what depends on the load, or is a difference of free memory, does not."""
    device: str | None = None
    line: int | None = None
    """Of the log, where it was printed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, planned and as the engine says it runs."""

    key: str
    planned: str | float | None
    actual: str | float | None
    same: bool
    assumed: bool = False
    """Not named by the document: the planner took the engine's default."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A likely cause of a difference, and what to do."""

    rule: str
    message: str
    fix: str = ""
    parts: tuple[str, ...] = ()
    """Names of the parts that it explains."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole answer."""

    outcome: Outcome
    engine: str | None
    version: str | None
    parts: tuple[Part, ...] = ()
    settings: tuple[Setting, ...] = ()
    reasons: tuple[Reason, ...] = ()
    failures: tuple[Finding, ...] = ()
    """Failures that the log holds, explained."""
    complete: bool = False
    """The log shows that the engine came up."""
    workers: int = 0
    starts: int = 0
    lines: int = 0
    calibration: str | None = None
    """What was kept for later plans, in words."""
    schema: Literal["deploy-planner/verification/1"] = "deploy-planner/verification/1"
