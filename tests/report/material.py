"""Plans that the tests write reports of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from planner.detect.spec import load_hardware
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.documents.request import PlanRequest
from planner.documents.result import PlanDocument
from planner.library import Library
from planner.plan import plan

DATE = "2026-01-31"
PROMISE = ServiceLevelTable(ttft_s=0.2, tpot_s=0.02)
WORKLOAD = WorkloadTable(isl=1000.0, osl=400.0, concurrency=8.0, service_level=PROMISE)


@cache
def library() -> Library:
    return Library()


@cache
def planned(hardware: str = "2xH100-SXM", model: str = "qwen3-32b", limit: int = 4) -> PlanDocument:
    inventory = load_hardware(hardware, library().database)
    return plan(PlanRequest(inventory=inventory, models=(model,), workload=WORKLOAD, limit=limit), library())


def with_model_name(document: PlanDocument, name: str) -> PlanDocument:
    """The same plan whose model, rules and devices carry a foreign name; the model is read from its own config."""
    first = document.candidates[0]
    source = library().catalogue.get("qwen3-32b")
    model = {"id": name, "weights": first.deployment["model"]["weights"], "config": source.config}
    candidates = tuple(
        replace(c, deployment={**c.deployment, "model": model}, reasons=(name, *c.reasons)) for c in document.candidates
    )
    rejected = tuple(replace(r, message=name, example=name, fix=name) for r in document.rejected)
    node = document.inventory["nodes"][0]
    devices = [{**device, "name": name} for device in node["devices"]]
    inventory = {**document.inventory, "nodes": [{**node, "devices": devices, "host": {"hostname": name, "cpu": name}}]}
    request = {**document.request, "models": [name]}
    return replace(
        document,
        candidates=candidates,
        rejected=rejected,
        inventory=inventory,
        request=request,
        assumed={name: name, **document.assumed},
    )
