"""What ``explain`` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from planner.documents.result import Finding, Verdict
from planner.verify.failures import Explained


@dataclass(frozen=True, slots=True)
class Nearest:
    """The deployment that was started, changed until it is legal and fits."""

    verdict: Verdict
    changes: tuple[str, ...]
    document: dict[str, Any]
    problems: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every failure that was found in a text, and the nearest deployment where one was given."""

    failures: tuple[Explained, ...]
    deployment: Nearest | None = None
    schema: Literal["deploy-planner/explanation/1"] = "deploy-planner/explanation/1"
