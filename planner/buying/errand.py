"""One answer being made: the question as understood, the tools, and the options of a set of servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hwdb.errors import LookupProblem
from hwdb.schema import Accelerator
from planner.account.books import power_facts
from planner.account.request import CostRequest, request_of
from planner.buy_document import BuyRequest
from planner.buying.capacity import Capacity
from planner.buying.request import checked
from planner.buying.shapes import Shape, group_of, kinds
from planner.cost.power_facts import PowerFacts
from planner.cost.terms import Terms, changed
from planner.documents.inventory import Inventory
from planner.documents.request import PlanRequest
from planner.documents.result import Performance, ServingMemory
from planner.engines.registry import engine_profile
from planner.errors import BadInput, UnknownName
from planner.legality import check
from planner.library import Library
from planner.models.intake import open_model
from planner.models.source import ModelSource
from planner.plan_options import Round, options, rounds
from planner.plan_question import Question, load_policy, question_of
from planner.predict import memory_of, performance_of
from planner.resolved import Resolved
from planner.search.candidate import Option, Tools
from planner.search.groups import Group
from planner.search.ledger import Ledger

FABRIC = "infiniband-ndr"
MOST_FORMATS = 3


@dataclass(slots=True)
class Errand:
    """What every step needs."""

    request: BuyRequest
    library: Library
    source: ModelSource
    question: Question
    terms: Terms
    prices: CostRequest
    power: PowerFacts
    tools: Tools
    capacity: Capacity
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def users(self) -> float:
        """Asked for."""
        return self.question.task.workload.concurrency or 1.0

    @property
    def fabric(self) -> str:
        return self.request.fabric or FABRIC


def errand_of(request: BuyRequest, library: Library) -> Errand:
    """The errand. Raises BadInput for what is unknown or cannot be."""
    checked(request)
    prices = request_of(request.assumptions)
    terms = changed(library.cost_data.terms, **{**prices.terms, **request.terms})
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
    power = power_facts(prices, library)
    return Errand(request, library, source, question, terms, prices, power, tools, Capacity(question.task, tools))


def rows_of(request: BuyRequest, library: Library) -> list[Accelerator]:
    """The accelerators to choose from. Raises UnknownName."""
    if len(request.hardware) != 1 and (request.assumptions.purchase or request.assumptions.rent):
        raise BadInput("--purchase", "is the price of one kind of device", "name that one kind with --hardware")
    if not request.hardware:
        return kinds(library.database.accelerators())
    found = []
    for name in request.hardware:
        try:
            found.append(library.database.accelerator(name))
        except LookupProblem as miss:
            raise UnknownName("accelerator", name[:80], miss.nearest) from None
    return found


def options_on(errand: Errand, shape: Shape, group: Group | None = None) -> Iterator[Option]:
    """The best formats on the usual engine for the chip; engines that place layers themselves only where named."""
    group = group or group_of(shape, errand.fabric)
    engines = _engines(errand, group)
    if engines is None:
        return
    try:
        found = options(errand.source, group, engines, errand.question, errand.library, errand.ledger)
    except KeyError:
        return
    room = shape.devices * (group.total_bytes or 0.0)
    yield from [option for option in found if option.model_bytes < room][:MOST_FORMATS]


def _engines(errand: Errand, group: Group) -> Round | None:
    usual = rounds(group, errand.question, errand.library)[0]
    if errand.request.engines:
        return usual
    serving = [pair for pair in usual.engines if not engine_profile(pair[0]).local]
    return Round(tuple(serving[:1])) if serving else None
