"""One kind of servers in a fleet: sets, their share of the load, their price and power."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.account.books import Books
from planner.account.exchange import exchanged
from planner.buy_document import Machine, Pool
from planner.buying.carriers import Unit, speed_at
from planner.buying.errand import Errand
from planner.cost.energy import Power, plug_of, power_of
from planner.cost.fleet import Duty, Fleet, duty_of, make_fleet
from planner.cost.money import CurrencyMismatch, Money, sum_of
from planner.cost.ownership import Account
from planner.cost.prices_loader import Price
from planner.cost.rates import Rates, rates_of
from planner.cost.terms import purchase_parts
from planner.documents.deployment import Deployment
from planner.documents.files import plain_deployment
from planner.documents.result import Finding, Performance
from planner.estimate import Estimate
from planner.plan_document import deployment_of
from planner.units import GIB

SUNK = ("depreciation", "interest")
"""Of an account: what was paid when the machines were bought."""
MODULE_SIZES = tuple(size * GIB for size in (16, 32, 64, 96, 128, 256))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """So many sets of a unit, bought or there already."""

    unit: Unit
    sets: int
    owned: bool = False

    @property
    def nodes(self) -> int:
        return self.unit.nodes * self.sets

    @property
    def copies(self) -> int:
        return self.unit.copies * self.sets


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """A part at its share of the load, with everything worked out."""

    part: Part
    pool: Pool
    performance: Performance | None
    power: Power | None
    rates: Rates | None
    rent: Price | None
    findings: tuple[Finding, ...]

    @property
    def plug_w(self) -> Estimate | None:
        return plug_of(self.power) if self.power else None


def shares_of(parts: Sequence[Part], errand: Errand) -> list[float]:
    """How the load is split: by what each part carries within the promises."""
    carried = [errand.capacity.of(part.unit) * part.sets for part in parts]
    whole = sum(carried)
    return [each / whole if whole > 0 else 1 / len(parts) for each in carried]


def filled(errand: Errand, part: Part, share: float) -> Filled:
    """A part with its figures."""
    unit, sets = part.unit, part.sets
    row = unit.shape.row
    used = unit.candidate.gpus * sets
    fleet = make_fleet(row, unit.devices * sets, part.nodes, used)
    performance = speed_at(unit.candidate, errand.users * share / sets, errand.tools)
    workload = errand.question.task.workload
    rates = rates_of(performance, workload.osl, workload.prefix_hit_rate, sets)
    duty = duty_of(performance, unit.copies) if performance else Duty(0.0, None)
    power = power_of(fleet, duty, errand.power)
    books = Books(errand.library, errand.prices, errand.terms, fleet, [])
    account = books.owned(power, rates)
    pool = _pool(errand, part, share, fleet, performance, account)
    if not part.owned:
        pool = replace(pool, purchase=_purchase(books))
    return Filled(part, pool, performance, power, rates, books.rental(), tuple(books.findings))


def _purchase(books: Books) -> Money | None:
    """Devices, servers and network; known even where nobody knows what they draw."""
    device = books.device()
    if device is None:
        return None
    try:
        return sum_of(
            purchase_parts(books.fleet, device, exchanged(books.terms, device.currency, books.request.exchange))
        )
    except CurrencyMismatch as error:
        books.found("currency", str(error.problems[0].message), "give --exchange, or prices in one currency")
        return None


def _pool(
    errand: Errand, part: Part, share: float, fleet: Fleet, performance: Performance | None, account: Account | None
) -> Pool:
    speed = performance or Performance()
    return Pool(
        fleet=fleet,
        deployment=_deployment(errand, part, share),
        sets=part.sets,
        copies=part.copies,
        share=share,
        carries=errand.capacity.of(part.unit) * part.sets,
        ttft_s=speed.ttft_s,
        tpot_s=speed.tpot_s,
        output_tok_s=speed.output_tok_s.scaled(part.sets) if speed.output_tok_s else None,
        machine=machine_of(errand, part.unit),
        owned=part.owned,
        month=_month(account, owned=part.owned),
        account=account,
    )


def _month(account: Account | None, *, owned: bool) -> Money | None:
    """What a month costs; of machines that are there already only what running them does."""
    if account is None:
        return None
    if not owned:
        return account.real.month
    return sum_of({name: money for name, money in account.monthly.items() if name not in SUNK})


def _deployment(errand: Errand, part: Part, share: float) -> dict[str, Any]:
    """The document of the part: as many copies as there are in all of its sets, at its share of the load."""
    document: Deployment = deployment_of(part.unit.candidate, errand.question)
    load = document.workload
    if load is not None and load.concurrency is not None:
        document = replace(document, workload=replace(load, concurrency=load.concurrency * share))
    hardware, serving = document.hardware, document.serving
    if hardware is not None and serving is not None:
        whole = replace(hardware, nodes=part.nodes, per_node=part.unit.shape.per_node)
        copies = replace(serving, dp=(serving.dp or 1) * part.sets)
        document = replace(document, hardware=whole, serving=copies)
    return plain_deployment(document)


def machine_of(errand: Errand, unit: Unit) -> Machine:
    """RAM, modules, disk, sockets and network of one server."""
    option, shape, terms = unit.candidate.option, unit.shape, errand.terms
    ram = option.model_bytes / shape.nodes * terms.ram_share
    sockets = math.ceil(shape.per_node / terms.devices_per_socket)
    channels = sockets * terms.channels_per_socket
    module = next((size for size in MODULE_SIZES if size * channels >= ram), MODULE_SIZES[-1])
    several = shape.nodes > 1
    return Machine(
        ram_bytes=ram,
        disk_bytes=option.model_bytes * terms.disk_share,
        sockets=sockets,
        memory_channels="all of each socket filled: half of them halve the speed of loading and of caches in memory",
        network=f"{errand.fabric}, a port per device" if several else "any for its clients",
        modules=f"{channels} × {module / GIB:.0f} GiB ({sockets} × {terms.channels_per_socket} channels)",
    )
