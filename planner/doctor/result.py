"""What a preflight answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem", "not-applicable", "not-readable"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the machine."""

    id: str
    state: State
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of a machine for a deployment (or for none in particular)."""

    checks: tuple[Check, ...]
    deployment: str | None = None
    schema: Literal["deploy-planner/preflight/1"] = "deploy-planner/preflight/1"

    @property
    def good(self) -> bool:
        return not any(check.state == "problem" for check in self.checks)
