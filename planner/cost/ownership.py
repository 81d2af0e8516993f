"""The monthly account of a fleet that is owned, and of the same fleet rented.

depreciation = purchase · (1 − residual) / months; interest = purchase · (1 + residual) / 2 · rate / 12 (the mean of
what is tied up in a straight line); electricity = (used hours · W busy + other hours · W idle) · price; hosting = kW
at the plug in prefill · rent of a kW; people = servers · share · attention · salary; maintenance = purchase ·
share / 12.
A month costs the same whether anybody asks or not, but for electricity: that is why utilisation decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.cost.energy import Power, plug_of
from planner.cost.fleet import Fleet
from planner.cost.money import Money, product, rising, sum_of
from planner.cost.prices_loader import Price
from planner.cost.rates import Rates
from planner.cost.terms import Terms, purchase_parts
from planner.estimate import Estimate
from planner.units import HOURS_PER_MONTH, KILO, MEGA, SECONDS_PER_HOUR

MONTHS_PER_YEAR = 12
SECONDS_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR
LEAST_USE = 1e-6
"""Utilisation below which nobody asks anything: about three seconds of a month."""


@dataclass(frozen=True, slots=True)
class Load:
    """A month at one utilisation. Money per million is None where no token of the kind is made."""

    utilisation: float
    input_tokens: Estimate
    output_tokens: Estimate
    month: Money
    per_mtok: Money | None
    """Of all tokens, in and out."""
    per_mtok_input: Money | None
    """Prompts bear their share of the devices' time."""
    per_mtok_output: Money | None
    per_mtok_output_only: Money | None
    """Everything laid on the output."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a fleet costs."""

    purchase: Mapping[str, Money]
    purchase_total: Money
    monthly: Mapping[str, Money]
    """At the real load."""
    real: Load
    full: Load
    years: float
    as_of: Mapping[str, str]
    idle: Money | None = None
    """Of a month at the real load: what the hours cost in which the fleet only waits."""


@dataclass(frozen=True, slots=True)
class Rent:
    """The same devices rented: power, hosting and hardware are in the price."""

    per_hour: Money
    """All devices."""
    reserved: Load
    """Kept all month, at the real utilisation."""
    by_the_hour: Load
    """Given back whenever nobody asks."""
    as_of: str
    idle: Money | None = None
    """Of the month kept: what is paid for hours in which nobody asks."""
    open_share: float = 1.0
    """Share of the hours that are paid by the hour."""
    full: Load | None = None
    """Kept all month, at full load."""


def account_of(fleet: Fleet, device: Price, power: Power, kwh: Price, terms: Terms, rates: Rates | None) -> Account:
    """The account of an owned fleet. Raises CurrencyMismatch where prices do not share a currency."""
    parts = purchase_parts(fleet, device, terms)
    whole = sum_of(parts)
    fixed = _fixed(whole, fleet, power, terms)
    monthly = {**fixed, "electricity": electricity(power, kwh, terms.utilisation)}
    real = load_at(terms.utilisation, sum_of(monthly), rates)
    full = load_at(1.0, sum_of({**fixed, "electricity": electricity(power, kwh, 1.0)}), rates)
    as_of = {
        **terms.sources,
        "devices": device.as_of,
        "servers": _server_source(fleet, terms),
        "electricity": kwh.as_of,
    }
    waiting = sum_of({**fixed, "electricity": electricity(power, kwh, 0.0)}).scaled(1 - terms.utilisation)
    return Account(parts, whole, monthly, real, full, terms.years, as_of, waiting)


def _server_source(fleet: Fleet, terms: Terms) -> str:
    server = terms.server(fleet.form_factor)
    return f"{server.date}: {server.source}"


def _fixed(whole: Money, fleet: Fleet, power: Power, terms: Terms) -> dict[str, Money]:
    """What is due whether the fleet works or not."""
    months = terms.years * MONTHS_PER_YEAR
    kept = Estimate(1 - terms.residual.high, 1 - terms.residual.value, 1 - terms.residual.low, "assumed")
    tied = Estimate(
        (1 + terms.residual.low) / 2, (1 + terms.residual.value) / 2, (1 + terms.residual.high) / 2, "assumed"
    )
    server = terms.server(fleet.form_factor)
    servers = fleet.nodes * server.share(fleet.devices / fleet.nodes) * server.attention
    return {
        "depreciation": whole.times(kept).scaled(1 / months),
        "interest": whole.times(product(tied, terms.interest)).scaled(1 / MONTHS_PER_YEAR),
        "maintenance": whole.times(terms.maintenance).scaled(1 / MONTHS_PER_YEAR),
        "hosting": terms.hosting.times(plug_of(power).scaled(1 / KILO)),
        "people": terms.salary.times(terms.people).scaled(servers),
    }


def electricity(power: Power, kwh: Price, utilisation: float) -> Money:
    """A month's, idle hours included."""
    busy, idle = power.load.total, power.idle.total
    mean = rising(lambda work, rest: work * utilisation + rest * (1 - utilisation), busy, idle)
    return kwh.money.times(mean.scaled(HOURS_PER_MONTH / KILO))


def load_at(utilisation: float, month: Money, rates: Rates | None) -> Load:
    """A month's money over a month's tokens."""
    nothing = Estimate(0.0, 0.0, 0.0, "formula")
    if rates is None or utilisation < LEAST_USE:
        return Load(utilisation, nothing, nothing, month, None, None, None, None)
    seconds = SECONDS_PER_MONTH * utilisation
    tokens_in, tokens_out = rates.input_tok_s.scaled(seconds), rates.output_tok_s.scaled(seconds)
    # both come from the same uncertain speed: their ends add up, not in quadrature
    together = rising(lambda given, made: given + made, tokens_in, tokens_out)
    return Load(
        utilisation=utilisation,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        month=month,
        per_mtok=per_million(month, together),
        per_mtok_input=per_million(month.scaled(rates.prompt_time), tokens_in),
        per_mtok_output=per_million(month.scaled(1 - rates.prompt_time), tokens_out),
        per_mtok_output_only=per_million(month, tokens_out),
    )


def per_million(month: Money, tokens: Estimate) -> Money | None:
    """Money of a million; None where there is no token."""
    return month.per(tokens.scaled(1 / MEGA))


def rent_of(fleet: Fleet, hourly: Price, terms: Terms, rates: Rates | None) -> Rent:
    """All devices rented on demand: kept all month, or given back in the hours in which nobody asks."""
    hour = hourly.money.scaled(fleet.devices)
    month = hour.scaled(HOURS_PER_MONTH)
    return Rent(
        per_hour=hour,
        reserved=load_at(terms.utilisation, month, rates),
        by_the_hour=load_at(terms.utilisation, month.scaled(terms.open_share), rates),
        as_of=hourly.as_of,
        idle=month.scaled(1 - terms.utilisation),
        open_share=terms.open_share,
        full=load_at(1.0, month, rates),
    )


def sensitivity(fleet: Fleet, device: Price, power: Power, kwh: Price, terms: Terms, rates: Rates) -> tuple[Load, ...]:
    """The month at a ladder of utilisations, to be held against an API's price."""
    fixed = sum_of(_fixed(sum_of(purchase_parts(fleet, device, terms)), fleet, power, terms))
    return tuple(load_at(u, fixed + electricity(power, kwh, u), rates) for u in LADDER)


LADDER = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
