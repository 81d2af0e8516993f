"""What the next larger of the more capable models would need, on the kind of device that came first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from hwdb.schema import Accelerator
from planner.buy_document import BuyRequest, NextModel, Offer
from planner.buying.errand import Errand, errand_of
from planner.buying.shapes import USABLE, least_bytes
from planner.errors import PlannerError
from planner.models.catalogue_row import CatalogueModel
from planner.models.intake import open_model

MOST_MODELS = 2
_LARGER = 1.15
"""Factor of parameters from which a model counts as a size up."""
_USES = frozenset({"chat", "reasoning", "code"})
Search = Callable[[Errand, Accelerator], list[Offer]]


def next_models(errand: Errand, first: Offer, search: Search) -> tuple[NextModel, ...]:
    """The one that takes the fewest bytes, then the next; each with the smallest fleet that carries the same load."""
    device = errand.library.database.accelerator(first.fleet.accelerator)
    task = errand.question.task
    sizes = [
        (least_bytes(open_model(row.id, errand.library), task.quality_floor, (), task.policy), row)
        for row in _larger(errand)
    ]
    chosen: list[tuple[float, CatalogueModel]] = []
    for need, row in sorted(sizes, key=lambda item: (item[0], item[1].id)):
        if len(chosen) < MOST_MODELS and all(_apart(row, other) for _, other in chosen):
            chosen.append((need, row))
    return tuple(_next(errand, device, need, row.id, search) for need, row in chosen)


def _apart(one: CatalogueModel, other: CatalogueModel) -> bool:
    """Of another size: variants of one model are named once."""
    return (one.parameters_total or 0) > _LARGER * (other.parameters_total or 0)


def _larger(errand: Errand) -> list[CatalogueModel]:
    mine = errand.source.row
    if mine is None or mine.parameters_total is None:
        return []
    least, known = _LARGER * mine.parameters_total, mine.prominence
    rows = errand.library.catalogue.models()
    return [
        row
        for row in rows
        if row.parameters_total and row.parameters_total > least and row.prominence > known and _USES & set(row.uses)
    ]


def _next(errand: Errand, device: Accelerator, need: float, name: str, search: Search) -> NextModel:
    each = USABLE * float(device.driver_memory_bytes or device.memory_bytes or 1)
    plain = NextModel(name, need, math.ceil(need / each))
    asked: BuyRequest = replace(errand.request, model=name, weights=(), budget=None, max_power_w=None, have=None)
    try:
        offers = search(errand_of(asked, errand.library), device)
    except PlannerError:
        return plain
    if not offers:
        return plain
    best = min(offers, key=lambda offer: offer.fleet.devices)
    weights = str(best.deployment["model"].get("weights", ""))
    return replace(plain, fleet=best.title, weights=weights, purchase=best.purchase, month=best.month)
