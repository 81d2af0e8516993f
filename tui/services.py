"""What the app asks of the planner: plain calls, imported when they are first made. Tests put their own in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.account.request import Assumptions
    from planner.buy_document import BuyDocument, BuyRequest
    from planner.cost.document import CostDocument
    from planner.documents.deployment import Deployment
    from planner.documents.inventory import Inventory
    from planner.documents.request import PlanRequest
    from planner.documents.result import PlanDocument
    from planner.library import Library
    from planner.training.request import FinetuneRequest

Progress = Callable[[int, int, str], None]
Stopped = Callable[[], bool]


def _library(overlays: tuple[Path, ...]) -> Library:
    from planner.library import Library

    return Library(overlays)


def _detect(library: Library) -> Inventory:
    from planner.detect.machine import detect_machine

    return detect_machine(library.database)


def _load(spec: str, library: Library) -> Inventory:
    from planner.detect.machine import with_this_host
    from planner.detect.spec import load_hardware

    return with_this_host(load_hardware(spec, library.database), library.database)


def _plan(request: PlanRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
    from planner.plan import plan

    return plan(request, library, progress=progress, cancelled=stopped)


def _finetune(request: FinetuneRequest, library: Library, progress: Progress, stopped: Stopped) -> PlanDocument:
    from planner.training.search import plan_finetune

    return plan_finetune(request, library, progress=progress, cancelled=stopped)


def _buy(request: BuyRequest, library: Library, stopped: Stopped) -> BuyDocument:
    from planner.buy import buy

    return buy(request, library, cancelled=stopped)


def _cost(deployment: Deployment, library: Library, assumptions: Assumptions) -> CostDocument:
    from planner.cost_report import cost_of

    return cost_of(deployment, library, assumptions)


@dataclass(frozen=True, slots=True)
class Services:
    """The planner's side of the app."""

    library: Callable[[tuple[Path, ...]], Library] = _library
    detect: Callable[[Library], Inventory] = _detect
    load: Callable[[str, Library], Inventory] = _load
    plan: Callable[[PlanRequest, Library, Progress, Stopped], PlanDocument] = _plan
    finetune: Callable[[FinetuneRequest, Library, Progress, Stopped], PlanDocument] = _finetune
    buy: Callable[[BuyRequest, Library, Stopped], BuyDocument] = _buy
    cost: Callable[[Deployment, Library, Assumptions], CostDocument] = _cost
