"""Everything that a report states, gathered before a line is written: the plan and what was worked out beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.documents.deployment import Deployment
from planner.documents.result import Performance, PlanDocument, PlannedDeployment

if TYPE_CHECKING:
    from planner.cost.document import CostDocument


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that the plan rests on."""

    what: str
    value: str
    source: str
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Material:
    """The plan document, and for its first proposal the curve, the account, the sources and how to start it."""

    plan: PlanDocument
    date: str
    """ISO date."""
    version: str
    deployment: Deployment | None = None
    """Of the first proposal."""
    curve: tuple[tuple[float, Performance], ...] = ()
    """Requests in flight → speed."""
    account: CostDocument | None = None
    facts: tuple[Fact, ...] = ()
    doubts: tuple[str, ...] = ()
    target: str | None = None
    """Export target of the engine."""
    start: str = ""
    """The target's main file: what starts the engine."""
    other_files: tuple[str, ...] = ()
    """Names of the target's further files."""
    toml: str = ""
    hash: str = ""

    @property
    def chosen(self) -> PlannedDeployment | None:
        """The first proposal."""
        return self.plan.candidates[0] if self.plan.candidates else None
