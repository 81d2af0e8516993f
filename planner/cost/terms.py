"""What owning rests on beside the devices: years, interest, servers, hosting, people. Defaults are data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from planner.cost.fleet import Fleet
from planner.cost.knobs import day_problem, refused
from planner.cost.money import Money, sum_of
from planner.cost.prices_loader import Price
from planner.errors import BadDocument
from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Server:
    """A server around the devices."""

    form_factors: tuple[str, ...]
    fixed: Money
    per_device: Money
    rack_units: int
    per_node: tuple[int, ...]
    """Numbers of devices that are sold in one."""
    span: int
    """Servers that one copy of a model is spread over at most."""
    date: str
    source: str
    attention: float = 1.0
    """Of the persons that a server of accelerators takes."""

    def share(self, per_node: float) -> float:
        """Of one server that so many devices take: fewer than are sold in one share it with others."""
        return min(1.0, per_node / min(self.per_node))


@dataclass(frozen=True, slots=True)
class Terms:
    """The assumptions of an account; every one may be replaced."""

    years: float
    residual: Estimate
    """Share of the purchase price that is left after ``years``."""
    interest: Estimate
    """Per year, on the mean of what is tied up."""
    maintenance: Estimate
    """Per year, share of the purchase price."""
    utilisation: float
    """Share of the month's hours at full load, 0 … 1."""
    hosting: Money
    """Per kW and month, power apart."""
    salary: Money
    """Per person and month."""
    people: Estimate
    """Persons per server."""
    server_prices: tuple[Server, ...]
    network: Money
    """Per server, where several work together."""
    ram_share: float
    disk_share: float
    devices_per_socket: int
    sources: Mapping[str, str]
    profile: tuple[float, ...] = ()
    """Load of each hour of the day, 0 … 1 of the full one; empty: only the mean is known."""
    channels_per_socket: int = 8
    not_sold: frozenset[str] = frozenset()
    """Vendors and accelerators that nobody can buy."""

    @property
    def open_share(self) -> float:
        """Share of the hours in which anybody asks at all: those a fleet rented by the hour is paid for."""
        if not self.profile:
            return self.utilisation
        return sum(1 for share in self.profile if share > 0) / len(self.profile)

    def server(self, form_factor: str) -> Server:
        """The server that takes a form factor; that of unknown ones otherwise."""
        rows = [s for s in self.server_prices if form_factor in s.form_factors]
        return rows[0] if rows else next(s for s in self.server_prices if "unknown" in s.form_factors)


def load_terms(table: Mapping[str, Any]) -> Terms:
    """From the parsed ``ownership.toml``."""
    terms, hosting, people, network, machine = (
        table[name] for name in ("terms", "hosting", "people", "network", "machine")
    )
    return Terms(
        years=terms["years"],
        residual=_range(terms["residual"]),
        interest=_range(terms["interest"]),
        maintenance=_range(terms["maintenance"]),
        utilisation=terms["utilisation"],
        hosting=Money(_range(hosting["per_kw_month"]), hosting["currency"]),
        salary=Money(_range(people["salary_month"]), people["currency"]),
        people=_range(people["share_per_node"]),
        server_prices=tuple(_server(row) for row in table["servers"]),
        network=Money(_range(network["per_node_extra"]), network["currency"]),
        ram_share=machine["ram_per_device_bytes"],
        disk_share=machine["disk_weights"],
        devices_per_socket=machine["sockets_per_devices"],
        channels_per_socket=machine["channels_per_socket"],
        not_sold=frozenset((*table["not_sold"]["vendors"], *table["not_sold"]["accelerators"])),
        sources={
            "years": terms["years_source"],
            "residual": terms["residual_source"],
            "interest": terms["interest_source"],
            "maintenance": terms["maintenance_source"],
            "utilisation": terms["utilisation_source"],
            "hosting": f"{hosting['date']}: {hosting['source']}",
            "people": f"{people['date']}: {people['source']}; {people['share_source']}",
            "network": f"{network['date']}: {network['source']}",
        },
    )


def _range(row: Mapping[str, float]) -> Estimate:
    return Estimate(row["low"], row["value"], row["high"], "assumed")


def _server(row: Mapping[str, Any]) -> Server:
    return Server(
        form_factors=tuple(row["form_factors"]),
        fixed=Money(_range(row["fixed"]), row["currency"]),
        per_device=Money(_range(row["per_device"]), row["currency"]),
        rack_units=row["rack_units"],
        per_node=tuple(row["per_node"]),
        span=row["span"],
        date=row["date"],
        source=row["source"],
        attention=row["attention"],
    )


def checked(terms: Terms) -> Terms:
    """The same terms if an account can be made of them. Raises BadDocument with every problem otherwise."""
    ranges = ("residual", "interest", "maintenance", "people")
    amounts = {"hosting": terms.hosting.amount, "salary": terms.salary.amount}
    figures = {name: getattr(terms, name) for name in ranges} | amounts
    ends = [(name, getattr(figure, end)) for name, figure in figures.items() for end in ("low", "value", "high")]
    refused([("years", terms.years), ("utilisation", terms.utilisation), *ends])
    if terms.profile and (problem := day_problem(terms.profile)):
        raise BadDocument((problem,))
    return terms


def changed(terms: Terms, **values: Any) -> Terms:
    """Terms with some of them replaced (None leaves a default), checked. A profile of the day is the utilisation."""
    said = {key: value for key, value in values.items() if value is not None}
    profile = said.get("profile", ())
    if profile and day_problem(profile) is None:
        said["utilisation"] = sum(profile) / len(profile)
    return checked(replace(terms, **said))


def purchase_parts(fleet: Fleet, device: Price, terms: Terms) -> dict[str, Money]:
    """Devices, servers and network of a fleet. Raises CurrencyMismatch."""
    server = terms.server(fleet.form_factor)
    servers = fleet.nodes * server.share(fleet.devices / fleet.nodes)
    parts = {
        "devices": device.money.scaled(fleet.devices),
        "servers": server.fixed.scaled(servers) + server.per_device.scaled(fleet.devices),
    }
    if fleet.nodes > 1:
        parts["network"] = terms.network.scaled(fleet.nodes)
    sum_of(parts)
    return parts
