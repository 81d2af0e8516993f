"""Watts by phase and part, and the energy of a million tokens.

devices = used · board power · (share of prefill · its time + share of decode · the rest) + idle ones · idle share;
host = nodes · base + devices · each; fans = a share of both; network only where several nodes work together; supply =
what the power supplies lose; at the meter all of it times PUE. Wh per million tokens = W / (tokens/s) · 1e6 / 3600.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from planner.cost.fleet import Duty, Fleet
from planner.cost.money import product, rising
from planner.cost.power_facts import PowerFacts
from planner.estimate import Estimate, total, worst_origin
from planner.units import MEGA, SECONDS_PER_HOUR


class Draw(NamedTuple):
    """Watts of a fleet, by part; ``total`` is at the meter."""

    devices: Estimate
    host: Estimate
    fans: Estimate
    network: Estimate
    supply: Estimate
    """Lost in the servers' power supplies."""
    facility: Estimate
    """Cooling and losses of the building: what PUE adds."""
    total: Estimate


class Power(NamedTuple):
    """A fleet's draw while idle, in each phase, and at its load."""

    idle: Draw
    prefill: Draw
    decode: Draw
    load: Draw


def power_of(fleet: Fleet, duty: Duty, facts: PowerFacts) -> Power | None:
    """The draw of a fleet at its duty. None where board power is unknown."""
    if not fleet.tdp_w:
        return None
    idle, prefill, decode = shares(fleet, duty.batch, facts)
    return Power(
        idle=draw(fleet, idle, facts, busy=False),
        prefill=draw(fleet, prefill, facts),
        decode=draw(fleet, decode, facts),
        load=draw(fleet, mixed(prefill, decode, duty.prompt_time), facts),
    )


def plug_of(power: Power) -> Estimate:
    """Watts at the servers' plugs in prefill, the sustained worst: what a room and a contract must hold."""
    return at_plugs(power.prefill)


def at_plugs(worst: Draw) -> Estimate:
    """A draw without the building."""
    parts = (worst.devices, worst.host, worst.fans, worst.network, worst.supply)
    return rising(lambda *values: sum(values), *parts)


def shares(fleet: Fleet, batch: float | None, facts: PowerFacts) -> tuple[Estimate, Estimate, Estimate]:
    """Idle, prefill and decode as shares of board power; decode draws more the more requests a step holds."""
    return facts.idle, facts.prefill, facts.decode_share(fleet.memory_type, batch)


def mixed(prefill: Estimate, decode: Estimate, prompt_time: float) -> Estimate:
    """Both phases weighted by the time they take."""
    return total({"prefill": prefill.scaled(prompt_time), "decode": decode.scaled(1 - prompt_time)})


def draw(fleet: Fleet, share: Estimate, facts: PowerFacts, *, busy: bool = True) -> Draw:
    """The whole fleet with its busy devices at a share of board power."""
    board = fleet.tdp_w or 0.0
    resting = (fleet.devices - fleet.used) * board * facts.idle.value
    devices = _plus(share.scaled(fleet.used * board), resting)
    host, network = _around(fleet, facts, busy)
    fans = total({"devices": devices, "host": host}).scaled(facts.fans_share)
    parts = {"devices": devices, "host": host, "fans": fans, "network": network}
    parts["supply"] = total(parts).scaled(1 / facts.supply_efficiency - 1)
    inside = total(parts)
    parts["facility"] = product(inside, _plus(facts.pue, -1.0))
    metered = product(inside, facts.pue).with_terms({name: part.value for name, part in parts.items()})
    return Draw(**parts, total=metered)


@lru_cache(maxsize=1024)
def _around(fleet: Fleet, facts: PowerFacts, busy: bool) -> tuple[Estimate, Estimate]:
    """Hosts and network, which follow the load little."""
    base = fleet.nodes * facts.host_base_w + fleet.devices * facts.host_per_device_w
    if fleet.integrated:
        base = fleet.devices * facts.integrated_host_w
    level = base if busy else base * _IDLE_HOST
    ports = facts.network_per_device_w * fleet.devices if fleet.nodes > 1 else 0.0
    return (
        Estimate(level * 0.6, level, level * 1.6, "assumed"),
        Estimate(ports * 0.5, ports, ports * 2.0, "assumed"),
    )


_IDLE_HOST = 0.6
"""Of the host's draw in service, while nobody asks anything (assumed)."""


def _plus(estimate: Estimate, constant: float) -> Estimate:
    return Estimate(estimate.low + constant, estimate.value + constant, estimate.high + constant, estimate.origin)


def per_mtok(amount_per_hour: Estimate, tokens_s: Estimate | None) -> Estimate | None:
    """An hourly amount (money, or Wh: watts) for a million tokens; None without tokens."""
    if tokens_s is None or tokens_s.low <= 0:
        return None
    factor = MEGA / SECONDS_PER_HOUR
    return Estimate(
        amount_per_hour.low / tokens_s.high * factor,
        amount_per_hour.value / tokens_s.value * factor,
        amount_per_hour.high / tokens_s.low * factor,
        worst_origin(amount_per_hour.origin, tokens_s.origin),
    )
