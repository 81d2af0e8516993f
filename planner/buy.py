"""What to buy: the smallest legal fleets over the hardware database that serve a model to a number of users.

Every kind of accelerator is tried in the servers it is sold in: sieved by bytes, then worked out with the planner's own
search on the smallest servers that hold the model, then multiplied until the load is carried. Two kinds together are
tried where both carry it; machines that are there already carry what they can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hwdb.schema import Accelerator
from planner.buy_document import BuyDocument, BuyRequest, Offer
from planner.buying.carriers import Carrier, carriers
from planner.buying.errand import FABRIC, Errand, errand_of, options_on, rows_of
from planner.buying.following import next_models
from planner.buying.mixes import mixes_of
from planner.buying.offers import offer_of, ranked
from planner.buying.owned import owned_parts
from planner.buying.pools import Part
from planner.buying.room import within
from planner.buying.shapes import Shape, least_bytes, shapes_of
from planner.documents.encode import to_plain
from planner.documents.result import Finding
from planner.documents.table import without_null
from planner.library import Library
from planner.search.ledger import Ledger

Cancelled = Callable[[], bool]
MOST_SHAPES = 3


@dataclass(slots=True)
class _Basket:
    """What was found so far."""

    offers: list[Offer] = field(default_factory=list)
    carriers: list[Carrier] = field(default_factory=list)
    refused: Ledger = field(default_factory=Ledger)


def buy(request: BuyRequest, library: Library, *, cancelled: Cancelled | None = None) -> BuyDocument:
    """Ranked fleets for a load. A cancelled answer holds what was found so far. Raises BadInput for what is unknown."""
    errand = errand_of(request, library)
    rows = rows_of(request, library)
    owned, notes = owned_parts(errand, request.have) if request.have else ((), ())
    have = offer_of(errand, owned) if owned else None
    enough = have is not None and _carried(errand, owned, spare=request.spare) >= errand.users
    basket = _Basket()
    for row in () if enough else rows:
        if cancelled is not None and cancelled():
            break
        _try(errand, row, owned, basket)
    if request.mixed and not enough and not owned and not (cancelled and cancelled()):
        _keep(errand, basket, "mixed", iter(mixes_of(errand, basket.carriers, basket.offers)))
    chosen = ranked(errand, basket.offers)
    first = chosen[0] if chosen else have
    larger = next_models(errand, first, _alone) if first else ()
    return BuyDocument(
        model=errand.source.id,
        request=_asked(errand),
        offers=chosen,
        considered=0 if enough else len(rows),
        rejected=basket.refused.rejections(),
        next_model=larger[0] if larger else None,
        next_models=larger,
        have=have,
        enough=enough,
        problems=(*notes, *_problems(errand, chosen, have, enough=enough)),
        assumed=_assumed(errand),
    )


def _try(errand: Errand, row: Accelerator, owned: Sequence[Part], basket: _Basket) -> None:
    """One kind of accelerator: its fleets into the basket, or the reason why there are none."""
    basket.refused.consider()
    need = least_bytes(
        errand.source, errand.question.task.quality_floor, errand.request.weights, errand.question.task.policy
    )
    shapes = shapes_of(row, need, errand.terms)
    if isinstance(shapes, Finding):
        basket.refused.reject(shapes, row.name)
        return
    found = _carriers(errand, shapes, owned)
    basket.carriers += [carrier for carrier in found if isinstance(carrier, Carrier)]
    _keep(errand, basket, row.name, _offers(errand, found, owned))


def _keep(errand: Errand, basket: _Basket, name: str, offers: Iterator[Offer | Finding]) -> None:
    """Offers within the limits; the others are counted with their reason."""
    for offer in offers:
        answer = within(errand, offer) if isinstance(offer, Offer) else offer
        if isinstance(answer, Finding):
            basket.refused.reject(answer, name, closeness=-sum(answer.change.values()))
        else:
            basket.offers.append(answer)


def _carriers(errand: Errand, shapes: list[Shape], owned: Sequence[Part]) -> list[Carrier | Finding]:
    """Configurations on the smallest servers; larger ones where no smaller holds the model in its own format."""
    task, nodes = errand.question.task, errand.request.max_nodes - sum(part.nodes for part in owned)
    left = errand.users - _carried(errand, owned, spare=errand.request.spare)
    workload = replace(task.workload, concurrency=max(left, 1.0))
    found: list[Carrier | Finding] = []
    for shape in shapes[:MOST_SHAPES]:
        if any(isinstance(c, Carrier) and c.native and c.devices <= shape.devices for c in found):
            break
        options = options_on(errand, shape)
        found += carriers(options, shape, task._replace(workload=workload), errand.tools, errand.ledger, nodes)
    return found


def _offers(
    errand: Errand, found: Sequence[Carrier | Finding], owned: Sequence[Part] = ()
) -> Iterator[Offer | Finding]:
    """The smallest fleet in the model's own format, and in a smaller one if that saves devices."""
    native = _smallest(c for c in found if isinstance(c, Carrier) and c.native)
    other = _smallest(c for c in found if isinstance(c, Carrier) and not c.native)
    if native is None and other is None:
        refused = [f for f in found if isinstance(f, Finding)]
        yield refused[0] if refused else Finding("no-engine", "no engine for this load runs the model on it")
    if native is not None:
        yield offer_of(errand, _parts(errand, native, owned))
    if other is not None and (native is None or other.devices < native.devices):
        yield offer_of(errand, _parts(errand, other, owned))


def _parts(errand: Errand, carrier: Carrier, owned: Sequence[Part]) -> tuple[Part, ...]:
    """The bought sets first; with one to spare where that was asked for, whichever of all sets it is."""
    spare = errand.request.spare
    sets = carrier.sets + (1 if spare and not owned else 0)
    while spare and owned and errand.capacity.of(carrier.unit) > 0:
        parts = (Part(carrier.unit, sets), *owned)
        if _carried(errand, parts, spare=True) >= errand.users:
            break
        sets += 1
    return (Part(carrier.unit, sets), *owned)


def _carried(errand: Errand, parts: Sequence[Part], *, spare: bool) -> float:
    """Users within the promises; with ``spare`` while the largest set is down."""
    sets = [errand.capacity.of(part.unit) for part in parts]
    whole = sum(each * part.sets for each, part in zip(sets, parts, strict=True))
    return whole - max(sets, default=0.0) if spare else whole


def _alone(errand: Errand, row: Accelerator) -> list[Offer]:
    """The fleets of one kind, whatever they cost."""
    basket = _Basket()
    _try(errand, row, (), basket)
    return basket.offers


def _smallest(found: Iterator[Carrier]) -> Carrier | None:
    """The fewest devices, then the fewest servers, then the most tokens."""

    def key(carrier: Carrier) -> tuple[int, int, float]:
        rate = carrier.performance.output_tok_s
        return carrier.devices, carrier.nodes, -(rate.value * carrier.sets if rate else 0.0)

    return min(found, key=key, default=None)


def _problems(errand: Errand, chosen: tuple[Offer, ...], have: Offer | None, *, enough: bool) -> Iterator[Finding]:
    if enough and have is not None:
        return
    if not chosen:
        yield Finding("nothing-fits", "no fleet serves this load", "see what was ruled out, and --max-nodes")
    unknown = sum(1 for offer in chosen if offer.purchase is None)
    if unknown:
        message = f"{unknown} of the fleets have no known price and stand behind the others"
        yield Finding("price-unknown", message, "put offers into a price file of your own", "warning")


def _asked(errand: Errand) -> dict[str, Any]:
    request, question = errand.request, errand.question
    return {
        "model": request.model,
        "workload": without_null(to_plain(question.workload)),
        "quality_floor": question.task.quality_floor,
        "budget": request.budget,
        "max_power_w": request.max_power_w,
        "spare": request.spare,
        "rank_by": request.rank_by,
        "max_nodes": request.max_nodes,
        "mixed": request.mixed,
    }


def _assumed(errand: Errand) -> dict[str, Any]:
    task = errand.question.task
    shown = dict(errand.question.assumed)
    level = task.workload.service_level
    if level is None or level.tpot_s is None:
        shown["tpot_s"] = f"at most {task.policy.slowest_tpot_s} s"
    if level is None or level.ttft_s is None:
        shown["ttft_s"] = f"at most {task.policy.slowest_ttft_s} s"
    if errand.request.fabric is None:
        shown["fabric"] = FABRIC
    return shown | {f"cost.{name}": getattr(errand.terms, name) for name in ("years", "utilisation")}
