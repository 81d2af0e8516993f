"""From a deployment to its whole account: power, ownership, rent, APIs, years to come."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.account.assumed import assumptions_of
from planner.account.books import Books, power_facts
from planner.account.exchange import usable
from planner.account.outages import outages_of
from planner.account.request import Assumptions, CostRequest, request_of
from planner.cost.against import Comparison, owned_side, rented_side
from planner.cost.api import api_price, offers_of
from planner.cost.caps import STEPS, CapStep, capped
from planner.cost.document import CostDocument, Energy, Outage
from planner.cost.energy import Power, per_mtok, power_of
from planner.cost.fleet import Duty, Fleet, duty_of, fleet_of
from planner.cost.knobs import refused
from planner.cost.ownership import LEAST_USE, Account, Rent
from planner.cost.power_facts import PowerFacts
from planner.cost.rates import Rates, rates_of
from planner.cost.scenarios import Course, Scenario, course, edited
from planner.cost.site import site_of
from planner.cost.terms import Terms, changed
from planner.documents.deployment import Deployment, WorkloadTable
from planner.documents.files import parse_deployment, plain_deployment
from planner.documents.result import EstimateDocument, Finding
from planner.errors import BadInput
from planner.estimate import Estimate
from planner.models.intake import open_model
from planner.predict import predict_resolved
from planner.resolve import resolve
from planner.resolved import Resolved

if TYPE_CHECKING:
    from planner.library import Library

__all__ = ["Assumptions", "CostRequest", "cost_of", "cost_report", "request_of", "with_workload"]
MOST_OFFERS = 6


def cost_of(deployment: Deployment, library: Library, assumptions: Assumptions | None = None) -> CostDocument:
    """The account of a deployment, such as a proposal of a plan, under assumptions that a person may edit.

    Raises BadDocument with every assumption that cannot be used, BadInput for names that nobody knows.
    """
    return cost_report(deployment, library, request_of(assumptions or Assumptions()))


def cost_report(deployment: Deployment, library: Library, request: CostRequest) -> CostDocument:
    """The account of a deployment. Raises BadInput for names and values that cannot be used."""
    source = open_model(deployment.model, library)
    resolved = resolve(deployment, library, source)
    terms, scenarios = _checked(request, library)
    named = tuple(api_price(name, library.api_prices) for name in request.apis)
    estimate = predict_resolved(resolved, library)
    fleet = fleet_of(resolved)
    if deployment.hardware is None or deployment.hardware.accelerator is None:
        return _without(replace(estimate, verdict="unknown"), None)
    if fleet is None or resolved.finetune is not None:
        return _without(estimate, fleet)
    books = Books(library, request, terms, fleet, [])
    apis = named or offers_of(resolved.model_id, library.api_prices)[:MOST_OFFERS]
    workload, horizon = resolved.workload, request.horizon or library.cost_data.horizon_years
    rates = rates_of(estimate.performance, workload.osl, workload.prefix_hit_rate)
    if rates is None:
        books.found("no-load", "no tokens are predicted for this deployment", "give a [workload] with isl and osl")
    duty, facts = duty_of(estimate.performance, resolved.serving.dp), power_facts(request, library)
    power = power_of(fleet, duty, facts)
    owned, rented = books.owned(power, rates), books.rented(rates)
    sides = owned_side(owned) if owned else None, rented_side(rented) if rented else None
    compared, beside_rent = (books.compared(s, apis, workload.prefix_hit_rate, workload.isl) for s in sides)
    units = terms.server(fleet.form_factor).rack_units
    return CostDocument(
        verdict=estimate.verdict,
        id=deployment.id,
        fleet=fleet,
        output_tok_s=rates.output_tok_s if rates else None,
        input_tok_s=rates.input_tok_s if rates else None,
        prompt_time=rates.prompt_time if rates else None,
        power=power,
        energy=_energy(power, rates),
        clock_lock_saves=library.cost_data.clock_lock.get(fleet.memory_type or ""),
        caps=_caps(fleet, duty, rates, facts, library),
        site=site_of(fleet, power, units, library.cost_data.site) if power else None,
        owned=owned,
        rented=rented,
        sensitivity=books.ladder(owned, power, rates),
        apis=compared,
        rented_apis=beside_rent,
        scenarios=_courses(scenarios, owned, compared, horizon),
        outages=_outages(estimate, resolved, library),
        problems=(*estimate.problems, *books.findings),
        assumed={**estimate.assumed, **_assumed(request, terms, horizon)},
        assumptions=assumptions_of(books, scenarios, horizon),
        as_of=_as_of(owned, rented, compared or beside_rent, library),
    )


def _checked(request: CostRequest, library: Library) -> tuple[Terms, tuple[Scenario, ...]]:
    """Terms and scenarios of the request. Raises BadInput for anything that no account can be made of."""
    for name in ("purchase", "rental", "kwh"):
        usable(getattr(request, name), f"--{name}")
    said = {"horizon": request.horizon, "pue": request.pue, "utc_offset": request.utc_offset}
    refused([(name, value) for name, value in said.items() if value is not None])
    terms = changed(library.cost_data.terms, **request.terms)
    return terms, tuple(edited(s, **request.factors) for s in library.cost_data.scenarios)


def _without(estimate: EstimateDocument, fleet: Fleet | None) -> CostDocument:
    message = (
        "a training run has its cost in its estimate" if fleet else "a machine without accelerators has no account"
    )
    finding = Finding("no-account", message, "name [hardware] and [serving]", "warning")
    return CostDocument(
        estimate.verdict, estimate.id, fleet, problems=(*estimate.problems, finding), assumed=estimate.assumed
    )


def _outages(estimate: EstimateDocument, resolved: Resolved, library: Library) -> tuple[Outage, ...]:
    """Nothing breaks down that never started."""
    return () if estimate.verdict in ("illegal", "does-not-fit") else outages_of(resolved, library)


def _energy(power: Power | None, rates: Rates | None) -> Energy | None:
    if power is None or rates is None:
        return None
    load, share = power.load.total, rates.prompt_time
    given, made = rates.input_tok_s, rates.output_tok_s
    every = Estimate(given.low + made.low, given.value + made.value, given.high + made.high, made.origin)
    return Energy(
        per_mtok_output_only=per_mtok(load, made),
        per_mtok=per_mtok(load, every),
        per_mtok_input=per_mtok(power.prefill.total.scaled(share), given) if share > 0 else None,
        per_mtok_output=per_mtok(power.decode.total.scaled(1 - share), made) if share < 1 else None,
    )


def _caps(fleet: Fleet, duty: Duty, rates: Rates | None, facts: PowerFacts, library: Library) -> tuple[CapStep, ...]:
    output = rates.output_tok_s if rates else None
    steps = capped(fleet, STEPS, duty=duty, output_tok_s=output, curves=library.cost_data.caps, facts=facts)
    return tuple(steps)


def _courses(
    scenarios: tuple[Scenario, ...], owned: Account | None, compared: tuple[Comparison, ...], years: float
) -> tuple[Course, ...]:
    if owned is None or not compared or owned.real.utilisation < LEAST_USE:
        return ()
    return tuple(course(scenario, owned, compared[0], years) for scenario in scenarios)


def _assumed(request: CostRequest, terms: Terms, horizon: float) -> dict[str, Any]:
    names = ("years", "utilisation") if "profile" not in request.terms else ("years",)
    shown: dict[str, Any] = {name: getattr(terms, name) for name in names if request.terms.get(name) is None}
    for name in ("residual", "interest", "maintenance", "people"):
        if request.terms.get(name) is None:
            shown[name] = getattr(terms, name).value
    if request.horizon is None:
        shown["horizon"] = horizon
    return {f"cost.{name}": value for name, value in shown.items()}


def _as_of(
    owned: Account | None, rented: Rent | None, compared: tuple[Comparison, ...], library: Library
) -> dict[str, str]:
    rows = dict(owned.as_of) if owned else {}
    if rented is not None:
        rows["rent"] = rented.as_of
    rows |= {f"API {c.api.title}": c.as_of for c in compared}
    return rows | {f"power {name}": source for name, source in library.prices.power.sources.items() if " " not in name}


def with_workload(deployment: Deployment, **values: Any) -> Deployment:
    """The deployment with parts of its workload said anew. Raises BadInput for values that no workload can have."""
    said = {key: value for key, value in values.items() if value is not None}
    if not said:
        return deployment
    if deployment.finetune is not None:
        raise BadInput("workload", "a training run has none", "cost a [serving] deployment")
    for name, value in said.items():
        if not math.isfinite(value):
            raise BadInput(f"workload.{name}", f"{value:g} is no number", "give a finite one")
    table = (deployment.workload or WorkloadTable()).model_copy(update=said)
    whole = deployment.model_copy(update={"workload": table})
    return parse_deployment(plain_deployment(whole), "the load that was said")
