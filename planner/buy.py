"""What to buy: the smallest legal fleets over the hardware database that serve a model to a number of users.

Every kind of accelerator is tried in the servers it is sold in: sieved by bytes, then worked out with the planner's own
search on the smallest servers that hold the model, then multiplied until the load is carried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hwdb.errors import LookupProblem
from planner.buy_document import BuyDocument, BuyRequest, Machine, NextModel, Offer
from planner.buy_fleet import Carrier, carriers, outages
from planner.buy_shapes import Shape, group_of, kinds, least_bytes, shapes_of
from planner.cost.energy import plug_of, power_of
from planner.cost.fleet import Fleet, duty_of, make_fleet
from planner.cost.money import CurrencyMismatch, Money
from planner.cost.ownership import Account, account_of, rent_of
from planner.cost.rates import Rates
from planner.cost.terms import Terms, changed
from planner.documents.deployment import Deployment, without_null
from planner.documents.encode import to_plain
from planner.documents.files import plain_deployment
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import Finding, Performance, ServingMemory
from planner.errors import BadInput, UnknownName
from planner.estimate import Estimate
from planner.legality import check
from planner.library import Library
from planner.models.intake import open_model
from planner.models.source import ModelSource
from planner.plan_document import deployment_of
from planner.plan_options import Round, options, rounds
from planner.plan_question import Question, load_policy, question_of
from planner.predict import LOCAL_FAMILIES, memory_of, performance_of
from planner.resolved import Resolved
from planner.search.candidate import Option, Tools
from planner.search.ledger import Ledger
from planner.units import HOURS_PER_MONTH

Cancelled = Callable[[], bool]
FABRIC = "infiniband-ndr"
MOST_FORMATS = 3
MOST_SHAPES = 3


@dataclass(slots=True)
class Errand:
    """One answer being made."""

    request: BuyRequest
    library: Library
    source: ModelSource
    question: Question
    terms: Terms
    tools: Tools
    ledger: Ledger = field(default_factory=Ledger)


def buy(request: BuyRequest, library: Library, *, cancelled: Cancelled | None = None) -> BuyDocument:
    """Ranked fleets for a load. A cancelled answer holds what was found so far. Raises BadInput for what is unknown."""
    errand = _errand(request, library)
    rows = _rows(request, library)
    need = least_bytes(errand.source, errand.question.task.quality_floor, request.weights, errand.question.task.policy)
    found: list[Offer] = []
    refused = Ledger()
    for row in rows:
        if cancelled is not None and cancelled():
            break
        refused.consider()
        shapes = shapes_of(row, need, errand.terms)
        for offer in (shapes,) if isinstance(shapes, Finding) else _offers(errand, shapes):
            if isinstance(offer, Finding):
                refused.reject(offer, row.name, closeness=-sum(offer.change.values()))
            else:
                found.append(offer)
    ordered = sorted(found, key=lambda offer: _key(offer, request))
    chosen = tuple(replace(offer, rank=rank) for rank, offer in enumerate(ordered[: request.limit], 1))
    return BuyDocument(
        model=errand.source.id,
        request=_asked(request, errand.question),
        offers=chosen,
        considered=len(rows),
        rejected=refused.rejections(),
        next_model=_next_model(errand, chosen[0]) if chosen else None,
        problems=tuple(_problems(chosen, request)),
        assumed=_assumed(errand),
    )


def _errand(request: BuyRequest, library: Library) -> Errand:
    terms = changed(library.cost_data.terms, **request.terms)
    if request.workload.concurrency is None:
        raise BadInput("users", "is missing", "say for how many users to buy: --users 100")
    source = open_model(request.model, library)
    asked = PlanRequest(
        inventory=Inventory(nodes=(), origin="simulated"),
        models=(request.model,),
        workload=request.workload,
        goal="throughput",
        max_model_len=request.max_model_len,
        weights=request.weights,
        engines=request.engines,
        quality_floor=request.quality_floor,
    )
    question = question_of(asked, (), load_policy())

    def speed(resolved: Resolved, memory: ServingMemory) -> Performance | None:
        return performance_of(resolved, memory, library)[0]

    tools = Tools(lambda resolved: check(resolved, library.support), memory_of, speed)
    return Errand(request, library, source, question, terms, tools)


def _rows(request: BuyRequest, library: Library) -> list[Any]:
    if not request.hardware:
        return kinds(library.database.accelerators())
    found = []
    for name in request.hardware:
        try:
            found.append(library.database.accelerator(name))
        except LookupProblem as miss:
            raise UnknownName("accelerator", name[:80], miss.nearest) from None
    return found


def _offers(errand: Errand, shapes: list[Shape]) -> Iterator[Offer | Finding]:
    """The smallest fleet of one kind of accelerator in the model's own format, and in a smaller one if that saves."""
    found: list[Carrier | Finding] = []
    for shape in shapes[:MOST_SHAPES]:
        if any(isinstance(c, Carrier) and c.candidate.option.native and c.devices <= shape.devices for c in found):
            break
        choices, task = _options(errand, shape), errand.question.task
        found += carriers(choices, shape, task, errand.tools, errand.ledger, errand.request.max_nodes)
    native = _smallest(c for c in found if isinstance(c, Carrier) and c.candidate.option.native)
    other = _smallest(c for c in found if isinstance(c, Carrier) and not c.candidate.option.native)
    if native is None and other is None:
        refused = [f for f in found if isinstance(f, Finding)]
        yield refused[0] if refused else Finding("no-engine", "no engine for this load runs the model on it")
    if native is not None:
        yield _within(errand, _priced(errand, native))
    if other is not None and (native is None or other.devices < native.devices):
        yield _within(errand, _priced(errand, other))


def _smallest(found: Iterator[Carrier]) -> Carrier | None:
    """The fewest devices, then the fewest servers, then the most tokens."""

    def key(carrier: Carrier) -> tuple[int, int, float]:
        rate = carrier.performance.output_tok_s
        return carrier.devices, carrier.nodes, -(rate.value * carrier.sets if rate else 0.0)

    return min(found, key=key, default=None)


def _options(errand: Errand, shape: Shape) -> Iterator[Option]:
    """The best formats on the usual engine for the chip; engines that place layers themselves only where named."""
    group = group_of(shape, errand.request.fabric or FABRIC)
    engines = _engines(errand, group)
    if engines is None:
        return
    try:
        found = options(errand.source, group, engines, errand.question, errand.library, errand.ledger)
    except KeyError:
        return
    room = shape.devices * (group.total_bytes or 0.0)
    yield from [option for option in found if option.model_bytes < room][:MOST_FORMATS]


def _engines(errand: Errand, group: Any) -> Round | None:
    usual = rounds(group, errand.question, errand.library)[0]
    if errand.request.engines:
        return usual
    serving = [pair for pair in usual.engines if pair[0] not in LOCAL_FAMILIES]
    return Round(tuple(serving[:1])) if serving else None


def _priced(errand: Errand, found: Carrier) -> Offer:
    request, prices, task = errand.request, errand.library.prices, errand.question.task
    spare = 1 if request.spare else 0
    nodes = found.nodes + spare * found.shape.nodes
    used = found.candidate.gpus * (found.sets + spare)
    fleet = make_fleet(found.shape.row, nodes * found.shape.per_node, nodes, used)
    power = power_of(fleet, duty_of(found.performance, found.candidate.layout.dp), prices.power)
    device, rent = prices.purchase.get(fleet.accelerator), prices.rental.get(fleet.accelerator)
    account = _account(errand, fleet, found.performance, found.sets)
    wanted = task.workload.concurrency or 1.0
    users = found.users + spare * found.candidate.users
    return Offer(
        rank=0,
        fleet=fleet,
        deployment=_deployment(errand, found, nodes),
        copies=found.copies + spare * found.candidate.layout.dp,
        users=users,
        headroom=users / wanted - 1,
        ttft_s=found.performance.ttft_s,
        tpot_s=found.performance.tpot_s,
        output_tok_s=_times(found.performance.output_tok_s, found.sets),
        purchase=account.purchase_total if account else None,
        month=account.real.month if account else None,
        rent_month=rent_of(fleet, rent, errand.terms, None).per_hour.scaled(HOURS_PER_MONTH) if rent else None,
        plug_w=plug_of(power) if power else None,
        rack_units=errand.terms.server(fleet.form_factor).rack_units * nodes,
        idle_devices=fleet.devices - fleet.used,
        outages=outages(found, task, errand.tools, spare),
        machine=_machine(errand, found),
        account=account,
        as_of=_as_of(account, rent),
        remarks=() if device else (f"nobody wrote down what one {fleet.accelerator} costs",),
    )


def _times(rate: Estimate | None, sets: int) -> Estimate | None:
    return rate.scaled(sets) if rate else None


def _as_of(account: Account | None, rent: Any) -> dict[str, str]:
    rows = {name: account.as_of[name] for name in ("devices", "servers", "electricity")} if account else {}
    return rows | ({"rent": rent.as_of} if rent else {})


def _account(errand: Errand, fleet: Fleet, performance: Performance, sets: int) -> Account | None:
    prices = errand.library.prices
    device = prices.purchase.get(fleet.accelerator)
    power = power_of(fleet, duty_of(performance), prices.power)
    if device is None or power is None:
        return None
    try:
        return account_of(fleet, device, power, prices.electricity, errand.terms, _rates(performance, sets))
    except CurrencyMismatch:
        return None


def _rates(performance: Performance, sets: int) -> Rates | None:
    made, every = performance.output_tok_s, performance.total_tok_s
    if made is None or every is None or made.low <= 0:
        return None
    given = Estimate(every.low - made.low, every.value - made.value, every.high - made.high, every.origin)
    return Rates(given.scaled(sets), made.scaled(sets), duty_of(performance).prompt_time)


def _deployment(errand: Errand, found: Carrier, nodes: int) -> dict[str, Any]:
    """The document of the whole fleet: as many copies as there are sets of servers."""
    document: Deployment = deployment_of(found.candidate, errand.question)
    hardware, serving = document.hardware, document.serving
    if hardware is not None and serving is not None:
        whole = hardware.model_copy(update={"nodes": nodes, "per_node": found.shape.per_node})
        copies = serving.model_copy(update={"dp": (serving.dp or 1) * (nodes // found.shape.nodes)})
        document = document.model_copy(update={"hardware": whole, "serving": copies})
    return plain_deployment(document)


def _machine(errand: Errand, found: Carrier) -> Machine:
    """RAM, disk, sockets and network of one server."""
    option, shape, terms = found.candidate.option, found.shape, errand.terms
    here = option.model_bytes / shape.nodes
    sockets = math.ceil(shape.per_node / terms.devices_per_socket)
    network = errand.request.fabric or FABRIC if shape.nodes > 1 else "any for its clients"
    return Machine(
        ram_bytes=here * terms.ram_share,
        disk_bytes=option.model_bytes * terms.disk_share,
        sockets=sockets,
        memory_channels="all of each socket filled: half of them halve the speed of loading and of caches in memory",
        network=f"{network}, a port per device" if shape.nodes > 1 else network,
    )


def _within(errand: Errand, offer: Offer) -> Offer | Finding:
    """The offer if budget, room and currency allow it."""
    request = errand.request
    if request.max_power_w is not None:
        if offer.plug_w is None:
            return Finding("power-unknown", f"the board power of {offer.fleet.accelerator} is not known")
        if offer.plug_w.value > request.max_power_w:
            message = (
                f"{offer.fleet.title} draws {offer.plug_w.value:,.0f} W, the room gives {request.max_power_w:,.0f}"
            )
            change = {"max_power_w": offer.plug_w.value}
            return Finding("power", message, "a milder load, or a power cap (see the cost verb)", change=change)
    if request.budget is not None:
        if offer.purchase is None:
            return Finding("price-unknown", f"the price of {offer.fleet.accelerator} is not known", "give it in --data")
        if offer.purchase.value > request.budget:
            message = f"{offer.fleet.title} costs about {offer.purchase.value:,.0f} {offer.purchase.currency}"
            change = {"budget": offer.purchase.value}
            return Finding("budget", message, f"the budget is {request.budget:,.0f}", change=change)
    return offer


def _key(offer: Offer, request: BuyRequest) -> tuple[Any, ...]:
    """Known amounts first, then the smaller; equals by devices and name."""

    def known(money: Money | None) -> tuple[bool, float]:
        return (money is None, money.value if money else 0.0)

    power = (offer.plug_w is None, offer.plug_w.value if offer.plug_w else 0.0)
    tail = (offer.fleet.devices, offer.fleet.accelerator)
    first = {
        "purchase": known(offer.purchase),
        "tco": known(offer.month),
        "power": power,
        "devices": (False, float(offer.fleet.devices)),
    }[request.rank_by]
    return (*first, *tail)


def _problems(chosen: tuple[Offer, ...], request: BuyRequest) -> Iterator[Finding]:
    if not chosen:
        yield Finding("nothing-fits", "no fleet serves this load", "see what was ruled out, and --max-nodes")
    unknown = sum(1 for offer in chosen if offer.purchase is None)
    if unknown:
        message = f"{unknown} of the fleets have no known price and stand behind the others"
        yield Finding("price-unknown", message, "put offers into a price file of your own", "warning")


def _asked(request: BuyRequest, question: Question) -> dict[str, Any]:
    return {
        "model": request.model,
        "workload": without_null(to_plain(question.workload)),
        "quality_floor": question.task.quality_floor,
        "budget": request.budget,
        "max_power_w": request.max_power_w,
        "spare": request.spare,
        "rank_by": request.rank_by,
        "max_nodes": request.max_nodes,
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


def _next_model(errand: Errand, first: Offer) -> NextModel | None:
    """The least larger of the more capable chat models, at the smallest allowed format."""
    mine = errand.source.row
    if mine is None or mine.parameters_total is None:
        return None
    task = errand.question.task
    better = [
        row
        for row in errand.library.catalogue.models()
        if row.parameters_total
        and row.parameters_total > 1.15 * mine.parameters_total
        and row.prominence > mine.prominence
        and {"chat", "reasoning", "code"} & set(row.uses)
    ]
    if not better:
        return None
    row = min(better, key=lambda r: (r.parameters_total or 0, r.id))
    need = least_bytes(open_model(row.id, errand.library), task.quality_floor, (), task.policy)
    device = errand.library.database.accelerator(first.fleet.accelerator)
    each = 0.94 * float(device.driver_memory_bytes or device.memory_bytes or 1)
    return NextModel(row.id, need, math.ceil(need / each))
