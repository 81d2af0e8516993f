"""The room: circuits, racks, cooling, and what the supplies must stand when all devices ramp together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.cost.energy import Power, plug_of
from planner.cost.fleet import Fleet
from planner.cost.money import rising
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Circuit:
    """A breaker: volts (line to line with three phases), amperes, phases."""

    id: str
    volts: float
    amperes: float
    phases: int

    @property
    def watts(self) -> float:
        return self.volts * self.amperes * (math.sqrt(3) if self.phases == 3 else 1.0)


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Racks, cooling, supplies and circuits."""

    circuits: tuple[Circuit, ...]
    usable_units: int
    rack_w: Estimate
    btu_per_w: float
    tons_per_w: float
    airflow_per_w: float
    ramp: Estimate
    headroom: float
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """What a fleet asks of its room. Watts at the server's plugs: the building's share is not in them."""

    plug_w: Estimate
    """At full prefill, the sustained worst case."""
    peak_w: Estimate
    """All devices ramping at once, milliseconds."""
    supply_w_per_node: Estimate
    """That the supplies of a server should be rated for."""
    circuits: Mapping[str, int]
    """Kind of circuit → how many are needed for continuous load, one feed each."""
    rack_units: int
    racks: Estimate
    cooling_w: Estimate
    btu_per_hour: float
    cooling_tons: float
    airflow_m3_per_hour: float


def load_site(table: Mapping[str, Any]) -> SiteFacts:
    """From the parsed ``site.toml``."""
    rack, cooling, ramp = table["rack"], table["cooling"], table["ramp"]
    return SiteFacts(
        circuits=tuple(Circuit(**row) for row in table["circuits"]),
        usable_units=rack["usable_units"],
        rack_w=Estimate(**rack["usable_w"], origin="assumed"),
        btu_per_w=cooling["btu_per_hour_per_w"],
        tons_per_w=cooling["tons_per_w"],
        airflow_per_w=cooling["airflow_m3_per_hour_per_w"],
        ramp=Estimate(**ramp["peak_factor"], origin="assumed"),
        headroom=ramp["supply_headroom"],
        sources={"rack": rack["source"], "cooling": cooling["source"], "ramp": ramp["source"]},
    )


def site_of(fleet: Fleet, power: Power, rack_units: int, facts: SiteFacts) -> Site:
    """Circuits, racks and cooling of a fleet whose servers are ``rack_units`` high each."""
    plug = plug_of(power)
    board = fleet.used * (fleet.tdp_w or 0.0)
    peak = rising(lambda watts, ramp: watts + board * (ramp - 1), plug, facts.ramp)
    continuous = 1 - facts.headroom
    units = rack_units * fleet.nodes
    return Site(
        plug_w=plug,
        peak_w=peak,
        supply_w_per_node=peak.scaled(1 / fleet.nodes),
        circuits={c.id: math.ceil(plug.high / (c.watts * continuous)) for c in facts.circuits},
        rack_units=units,
        racks=_racks(plug, units, facts),
        cooling_w=plug,
        btu_per_hour=plug.value * facts.btu_per_w,
        cooling_tons=plug.value * facts.tons_per_w,
        airflow_m3_per_hour=plug.value * facts.airflow_per_w,
    )


def _racks(plug: Estimate, units: int, facts: SiteFacts) -> Estimate:
    """As many as height or power asks for, whichever is more."""
    height = math.ceil(units / facts.usable_units)

    def count(watts: float, rack: float) -> float:
        return float(max(math.ceil(watts / rack), height))

    rack = facts.rack_w
    return Estimate(count(plug.low, rack.high), count(plug.value, rack.value), count(plug.high, rack.low), "assumed")
