"""What the ``buy`` verb is asked and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.account.request import Assumptions
from planner.cost.document import Outage
from planner.cost.fleet import Fleet
from planner.cost.money import Money
from planner.cost.ownership import Account
from planner.documents.deployment import WorkloadTable
from planner.documents.inventory import Inventory
from planner.documents.result import Finding, Rejection
from planner.estimate import Estimate

RankBy = Literal["purchase", "tco", "power", "devices"]


@dataclass(frozen=True, slots=True)
class BuyRequest:
    """A load to be served by hardware that is not there yet."""

    model: str
    workload: WorkloadTable
    max_model_len: int | None = None
    weights: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    quality_floor: str | None = None
    hardware: tuple[str, ...] = ()
    """Accelerators to choose from; empty: the whole database."""
    budget: float | None = None
    """For the purchase, in the currency of the prices."""
    max_power_w: float | None = None
    """At the plugs, under full prefill."""
    spare: bool = False
    """One server more than needed, so that the load holds when one is down."""
    max_nodes: int = 16
    fabric: str | None = None
    """Network between servers where a copy of the model needs several; None: the one of the data."""
    rank_by: RankBy = "purchase"
    limit: int = 10
    terms: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``cost.terms.Terms`` that are replaced; ``assumptions`` say the same in plain numbers."""
    assumptions: Assumptions = field(default_factory=Assumptions)
    have: Inventory | None = None
    """Machines that are there already: they carry what they can, the rest is bought."""
    mixed: bool = True
    """Fleets of two kinds of device too, each kind a pool of its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What each server must have beside its devices."""

    ram_bytes: float
    disk_bytes: float
    sockets: int
    memory_channels: str
    network: str
    modules: str = ""
    """Memory modules that fill every channel."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Equal sets of servers of one fleet: copies of the model behind one door."""

    fleet: Fleet
    deployment: Mapping[str, Any]
    """Of this pool, ready to export."""
    sets: int
    """Equal sets of servers, spares included."""
    copies: int
    share: float
    """Of the load that it is given, 0 … 1: the weight of its replicas in the gateway."""
    carries: float
    """Users within the promises."""
    ttft_s: Estimate | None
    tpot_s: Estimate | None
    output_tok_s: Estimate | None
    machine: Machine
    owned: bool = False
    """Already there: not in the purchase, and in the month only with what it costs to run."""
    purchase: Money | None = None
    month: Money | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A fleet that serves the load."""

    rank: int
    fleet: Fleet
    deployment: Mapping[str, Any]
    """Ready to export."""
    copies: int
    users: float
    """Requests of the load's length that the memory holds."""
    headroom: float
    """Users that could be added, as a share of those asked for, as far as memory goes."""
    ttft_s: Estimate | None
    tpot_s: Estimate | None
    output_tok_s: Estimate | None
    """Of all copies at the load."""
    purchase: Money | None
    month: Money | None
    """Owned, everything in."""
    rent_month: Money | None
    plug_w: Estimate | None
    rack_units: int
    idle_devices: int
    outages: tuple[Outage, ...]
    machine: Machine
    account: Account | None = None
    as_of: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    title: str = ""
    pools: tuple[Pool, ...] = ()
    """One, or one for each kind of device; ``fleet``, ``deployment``, ``machine`` and ``account`` are of the first."""
    carries: Estimate | None = None
    """Users within the promises: low where the machines are as slow as they may be."""
    headroom_load: float = 0.0
    """Users that could be added within the promises, as a share of those asked for."""
    per_mtok: Money | None = None
    """Of all tokens, at the real utilisation."""
    cap_w: float | None = None
    """Power limit of each device under which the room carries the fleet; the figures are those under it."""


@dataclass(frozen=True, slots=True)
class NextModel:
    """The next more capable model, by size alone."""

    model: str
    least_bytes: float
    devices: int
    """Of the first offer's kind, for its smallest allowed format."""
    fleet: str = ""
    """The smallest fleet of that kind that serves it at the same load; empty: none was found."""
    weights: str = ""
    purchase: Money | None = None
    month: Money | None = None


@dataclass(frozen=True, slots=True)
class BuyDocument:
    """Fleets, the best first, and why the others are none."""

    model: str
    request: Mapping[str, Any]
    offers: tuple[Offer, ...] = ()
    considered: int = 0
    """Kinds of accelerators."""
    rejected: tuple[Rejection, ...] = ()
    next_model: NextModel | None = None
    next_models: tuple[NextModel, ...] = ()
    """``next_model`` and the ones after it, by size."""
    have: Offer | None = None
    """What is there already, at this load; its rank is 0."""
    enough: bool = False
    """What is there carries the load (with one set to spare, where that was asked for)."""
    problems: tuple[Finding, ...] = ()
    assumed: Mapping[str, Any] = field(default_factory=dict)
    schema: Literal["deploy-planner/buy/1"] = "deploy-planner/buy/1"
