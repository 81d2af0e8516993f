"""Plans for simulated hardware, with the real database, catalogue, engines and arithmetic."""

from __future__ import annotations

from functools import cache
from typing import Any

from planner.detect.spec import inventory_from_spec
from planner.documents.inventory import HostInfo, Inventory, Node
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument, PlannedDeployment
from planner.library import Library
from planner.plan import plan
from planner.units import GIB


@cache
def library() -> Library:
    return Library()


def hardware(spec: str) -> Inventory:
    return inventory_from_spec(spec, library().database)


def small_machine(ram_gib: float = 24) -> Inventory:
    """A machine without accelerators, as detection reports it."""
    ram = int(ram_gib * GIB)
    host = HostInfo(
        cpu="a virtual processor", cores=2, threads=2, sockets=1, ram_bytes=ram, ram_available_bytes=int(ram * 0.95)
    )
    return Inventory(nodes=(Node(host=host),))


def planned(spec: str | Inventory, *models: str, **keys: Any) -> PlanDocument:
    inventory = hardware(spec) if isinstance(spec, str) else spec
    return plan(PlanRequest(inventory=inventory, models=models, **keys), library())


def first(document: PlanDocument) -> PlannedDeployment:
    assert document.candidates, [(r.rule, r.message) for r in document.rejected]
    return document.candidates[0]


def model_of(proposal: PlannedDeployment) -> str:
    return str(proposal.deployment["model"]["id"])


def weights_of(proposal: PlannedDeployment) -> str:
    return str(proposal.deployment["model"]["weights"])


def engine_of(proposal: PlannedDeployment) -> str:
    return str(proposal.deployment["engine"]["name"])


def serving_of(proposal: PlannedDeployment) -> dict[str, Any]:
    table: dict[str, Any] = proposal.deployment["serving"]
    return table


def rules(document: PlanDocument) -> set[str]:
    return {rejection.rule for rejection in document.rejected}
