"""Everything the app asks that takes longer than a key may wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui.desk.local import Tools
from tui.draft import Draft

if TYPE_CHECKING:
    from planner.account.request import Assumptions
    from planner.cost.document import CostDocument
    from planner.documents.result import PlannedDeployment
    from planner.documents.simulation import SimulationDocument
    from tui.answers import Answer
    from tui.export_bundle import Rendered
    from tui.fits import Fit
    from tui.load_curve import LoadPoint
    from tui.simulated import Load


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """The planner's answer to a draft. Raises PlannerError."""

    draft: Draft

    def __call__(self, tools: Tools) -> Answer:
        from tui.answers import answer_of

        return answer_of(self.draft, tools.services, tools.library, tools.tell, tools.stopped)


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Models of the catalogue that no format makes fit."""

    draft: Draft

    def __call__(self, tools: Tools) -> frozenset[str]:
        from tui.fits import too_large

        return too_large(self.draft, tools.library)


@dataclass(frozen=True, slots=True)
class FitOf:
    """How one model of the catalogue does."""

    id: str
    draft: Draft

    def __call__(self, tools: Tools) -> Fit:
        from tui.fits import fit_of

        return fit_of(self.id, self.draft, tools.library, tools.services, tools.stopped)


@dataclass(frozen=True, slots=True)
class CurveOf:
    """A plan's speed over load."""

    plan: PlannedDeployment

    def __call__(self, tools: Tools) -> tuple[LoadPoint, ...]:
        from tui.load_curve import load_curve

        return tuple(load_curve(self.plan, tools.library))


@dataclass(frozen=True, slots=True)
class FilesOf:
    """Every target's files of a plan. Raises PlannerError."""

    plan: PlannedDeployment

    def __call__(self, tools: Tools) -> Rendered:
        from tui.export_bundle import rendered

        return rendered(self.plan, tools.library)


@dataclass(frozen=True, slots=True)
class CostOf:
    """The account of a deployment. Raises PlannerError."""

    deployment: Mapping[str, Any]
    assumed: Assumptions

    def __call__(self, tools: Tools) -> CostDocument:
        from planner.documents.files import parse_deployment

        device = str(self.deployment.get("hardware", {}).get("accelerator", ""))
        known = tools.library.prices.purchase.get(device)
        here = replace(self.assumed, currency=known.currency) if known else self.assumed
        return tools.services.cost(parse_deployment(self.deployment, "plan"), tools.library, here)


@dataclass(frozen=True, slots=True)
class SimulationOf:
    """A load run through a deployment's scheduler. Raises PlannerError."""

    deployment: Mapping[str, Any]
    load: Load

    def __call__(self, tools: Tools) -> SimulationDocument:
        from tui.simulated import simulated

        return simulated(dict(self.deployment), self.load, tools.library, tools.stopped)
