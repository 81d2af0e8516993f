"""From a deployment to its whole account: power, ownership, rent, APIs, years to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.cost.against import Comparison, compare
from planner.cost.api import ApiPrice, api_price, offers_of
from planner.cost.caps import capped
from planner.cost.document import CostDocument, Energy, Outage
from planner.cost.energy import Power, per_mtok, power_of
from planner.cost.fleet import Fleet, fleet_of, prefill_time
from planner.cost.money import CurrencyMismatch
from planner.cost.ownership import Account, Rates, account_of, rent_of, sensitivity
from planner.cost.prices_loader import Price
from planner.cost.scenarios import Course, course, edited
from planner.cost.site import site_of
from planner.cost.terms import Terms, changed
from planner.documents.deployment import Deployment, WorkloadTable
from planner.documents.result import EstimateDocument, Finding, Performance
from planner.errors import BadInput, UnknownName
from planner.estimate import Estimate, exact
from planner.models.intake import open_model
from planner.performance.promises import each_token, first_token
from planner.predict import predict_resolved
from planner.resolve import resolve
from planner.resolved import Resolved, Workload

if TYPE_CHECKING:
    from planner.library import Library

CAPS = (0.85, 0.71, 0.57, 0.43)
"""Shares of board power that the what-if looks at."""
MOST_OFFERS = 6


@dataclass(frozen=True, slots=True)
class CostRequest:
    """The question; None takes the default of the data, which the answer lists as assumed."""

    terms: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Terms`` that are replaced."""
    purchase: Price | None = None
    """Of one device."""
    rental: Price | None = None
    """Of one device for one hour."""
    kwh: Price | None = None
    region: str | None = None
    exchange: Mapping[str, float] = field(default_factory=dict)
    """Currency → what one unit of it is worth in the currency of the purchase."""
    apis: tuple[str, ...] = ()
    """Names of API prices; empty: who sells this very model."""
    batch: bool = False
    factors: Mapping[str, float | None] = field(default_factory=dict)
    """Replaces factors of every scenario: demand, api_price, efficiency, electricity."""
    horizon: float | None = None


def cost_report(deployment: Deployment, library: Library, request: CostRequest) -> CostDocument:
    """The account of a deployment. Raises BadInput for names and values that cannot be used."""
    source = open_model(deployment.model, library)
    resolved = resolve(deployment, library, source)
    terms = changed(library.cost_data.terms, **request.terms)
    scenarios = tuple(edited(s, **request.factors) for s in library.cost_data.scenarios)
    named = tuple(api_price(name, library.api_prices) for name in request.apis)
    estimate = predict_resolved(resolved, library)
    fleet = fleet_of(resolved)
    if deployment.hardware is None or deployment.hardware.accelerator is None:
        return _without(replace(estimate, verdict="unknown"), None)
    if fleet is None or resolved.finetune is not None:
        return _without(estimate, fleet)
    apis = named or offers_of(resolved.model_id, library.api_prices)[:MOST_OFFERS]
    books = _Books(library, request, terms, fleet, [])
    rates = _rates(estimate.performance, resolved.workload)
    if rates is None:
        books.found("no-load", "no tokens are predicted for this deployment", "give a [workload] with isl and osl")
    power = power_of(fleet, prefill_time(estimate.performance) if estimate.performance else 0.0, library.prices.power)
    if power is None:
        books.found("power-unknown", f"the board power of {fleet.accelerator} is not known", "add tdp_w to its row")
    owned, rented = books.owned(power, rates), books.rented(rates)
    compared = books.compared(owned, apis, resolved.workload.prefix_hit_rate, resolved.workload.isl)
    horizon = request.horizon or library.cost_data.horizon_years
    courses = _courses(scenarios, owned, compared, horizon)
    return CostDocument(
        verdict=estimate.verdict,
        id=deployment.id,
        fleet=fleet,
        output_tok_s=rates.output_tok_s if rates else None,
        input_tok_s=rates.input_tok_s if rates else None,
        prompt_time=rates.prompt_time if rates else None,
        power=power,
        energy=_energy(power, rates),
        clock_lock_saves=_clock_lock(library, fleet),
        caps=_caps(fleet, rates, library),
        site=site_of(fleet, power, terms.server(fleet.form_factor).rack_units, library.cost_data.site)
        if power
        else None,
        owned=owned,
        rented=rented,
        sensitivity=books.ladder(power, rates) if owned else (),
        apis=compared,
        scenarios=courses,
        outages=_outages(resolved, library),
        problems=(*estimate.problems, *books.findings),
        assumed={**estimate.assumed, **_assumed(request, terms, horizon)},
        as_of=_as_of(owned, rented, compared, library),
    )


def _without(estimate: EstimateDocument, fleet: Fleet | None) -> CostDocument:
    message = (
        "a training run has its cost in its estimate" if fleet else "a machine without accelerators has no account"
    )
    finding = Finding("no-account", message, "name [hardware] and [serving]", "warning")
    return CostDocument(
        estimate.verdict, estimate.id, fleet, problems=(*estimate.problems, finding), assumed=estimate.assumed
    )


def _rates(performance: Performance | None, workload: Workload) -> Rates | None:
    """Tokens per second at the stated load, kept up all the time; models that write nothing only read."""
    if performance is None or performance.output_tok_s is None or performance.output_tok_s.low <= 0:
        return None
    output, every = performance.output_tok_s, performance.total_tok_s or performance.output_tok_s
    if workload.osl <= 0:
        return Rates(every, exact(0.0), 1.0, workload.prefix_hit_rate)
    prompt = Estimate(
        max(every.low - output.low, 0.0),
        max(every.value - output.value, 0.0),
        max(every.high - output.high, 0.0),
        every.origin,
    )
    return Rates(prompt, output, prefill_time(performance), workload.prefix_hit_rate)


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


def _caps(fleet: Fleet, rates: Rates | None, library: Library) -> tuple[Any, ...]:
    return tuple(
        capped(
            fleet,
            CAPS,
            prompt_time=rates.prompt_time if rates else 0.0,
            output_tok_s=rates.output_tok_s if rates else None,
            curves=library.cost_data.caps,
            facts=library.prices.power,
        )
    )


def _clock_lock(library: Library, fleet: Fleet) -> Estimate | None:
    return library.cost_data.clock_lock.get(fleet.memory_type or "")


def _outages(resolved: Resolved, library: Library) -> tuple[Outage, ...]:
    """What the deployment still does with a device, or a server, missing: whole copies of the model."""
    serving, cluster = resolved.serving, resolved.cluster
    per_node = max(1, serving.dp // max(cluster.nodes, 1))
    lost = {"one device": 1, "one server": per_node if cluster.nodes > 1 else serving.dp}
    return tuple(_outage(missing, serving.dp - copies, resolved, library) for missing, copies in lost.items())


def _outage(missing: str, copies: int, resolved: Resolved, library: Library) -> Outage:
    if copies <= 0:
        return Outage(missing, 0, 0.0, None, holds=False)
    left = replace(resolved, serving=replace(resolved.serving, dp=copies))
    answer = predict_resolved(left, library)
    work = resolved.workload
    length = max(work.isl + work.osl + work.context, 1.0)
    users = answer.memory.kv_tokens.value / length * copies if answer.memory else 0.0
    speed = answer.performance
    tpot, ttft = (each_token(speed), first_token(speed)) if speed else (None, None)
    level = work.service_level
    holds = None
    if tpot and (work.concurrency or level):
        slow = level and (
            (level.tpot_s or tpot.value) < tpot.value or (ttft and (level.ttft_s or ttft.value) < ttft.value)
        )
        holds = not slow and users >= (work.concurrency or 0.0)
    return Outage(missing, copies, users, tpot or None, holds)


def _courses(
    scenarios: tuple[Any, ...], owned: Account | None, compared: tuple[Comparison, ...], years: float
) -> tuple[Course, ...]:
    if owned is None or not compared or owned.real.utilisation <= 0:
        return ()
    return tuple(course(scenario, owned, compared[0], years) for scenario in scenarios)


def _assumed(request: CostRequest, terms: Terms, horizon: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        name: getattr(terms, name) for name in ("years", "utilisation") if request.terms.get(name) is None
    }
    for name in ("residual", "interest", "maintenance", "people"):
        if request.terms.get(name) is None:
            shown[name] = getattr(terms, name).value
    if request.horizon is None:
        shown["horizon"] = horizon
    return {f"cost.{name}": value for name, value in shown.items()}


def _as_of(owned: Account | None, rented: Any, compared: tuple[Comparison, ...], library: Library) -> dict[str, str]:
    rows = dict(owned.as_of) if owned else {}
    if rented is not None:
        rows["rent"] = rented.as_of
    rows |= {f"API {c.api.title}": c.as_of for c in compared}
    return rows | {f"power {name}": source for name, source in library.prices.power.sources.items() if " " not in name}


@dataclass(slots=True)
class _Books:
    """Where prices are looked up; what is missing is written down."""

    library: Library
    request: CostRequest
    terms: Terms
    fleet: Fleet
    findings: list[Finding]

    def found(self, rule: str, message: str, fix: str) -> None:
        self.findings.append(Finding(rule, message, fix, "warning"))

    def device(self) -> Price | None:
        price = self.request.purchase or self.library.prices.purchase.get(self.fleet.accelerator)
        if price is None:
            self.found(
                "price-unknown",
                f"nobody wrote down what one {self.fleet.accelerator} costs",
                "give --purchase, or a [[purchase]] row in a price file of your own",
            )
        return price

    def kwh(self, currency: str) -> Price:
        prices = self.library.prices
        price = self.request.kwh or prices.electricity
        if self.request.region is not None:
            price = _region(self.request.region, prices.regions)
        return self._exchanged(price, currency)

    def _exchanged(self, price: Price, currency: str) -> Price:
        worth = self.request.exchange.get(price.currency)
        if price.currency == currency or worth is None:
            return price
        return Price(
            price.amount.scaled(worth),
            currency,
            price.date,
            f"{price.source}; 1 {price.currency} = {worth:g} {currency}",
        )

    def owned(self, power: Power | None, rates: Rates | None) -> Account | None:
        device = self.device()
        if device is None or power is None:
            return None
        try:
            return account_of(self.fleet, device, power, self.kwh(device.currency), self._terms(device), rates)
        except CurrencyMismatch as error:
            self.found("currency", str(error.problems[0].message), "give --exchange, or prices in one currency")
            return None

    def _terms(self, device: Price) -> Terms:
        """Server, hosting and people in the currency of the devices, where an exchange rate was given."""
        return exchanged(self.terms, device.currency, self.request.exchange)

    def rented(self, rates: Rates | None) -> Any:
        price = self.request.rental or self.library.prices.rental.get(self.fleet.accelerator)
        if price is None:
            self.found("rent-unknown", f"no offer for renting {self.fleet.accelerator} is known", "give --rent")
            return None
        return rent_of(self.fleet, price, self.terms, rates)

    def compared(
        self, owned: Account | None, apis: tuple[ApiPrice, ...], hit_rate: float, prompt_length: float
    ) -> tuple[Comparison, ...]:
        if owned is None:
            return ()
        if not apis:
            self.found("api-unknown", "no API that sells this model is in the lists", "name one with --api")
        kept: list[Comparison] = []
        for api in apis:
            try:
                answer = compare(api, owned, hit_rate, prompt_length, batch=self.request.batch)
            except CurrencyMismatch as error:
                self.found("currency", f"{api.title}: {error.problems[0].message}", "compare in one currency")
                continue
            if isinstance(answer, Finding):
                self.findings.append(answer)
            else:
                kept.append(answer)
        return tuple(kept)

    def ladder(self, power: Power | None, rates: Rates | None) -> Any:
        device = self.request.purchase or self.library.prices.purchase.get(self.fleet.accelerator)
        if device is None or power is None or rates is None:
            return ()
        return sensitivity(self.fleet, device, power, self.kwh(device.currency), self._terms(device), rates)


def exchanged(terms: Terms, currency: str, worth: Mapping[str, float]) -> Terms:
    """Terms with every amount in ``currency`` as far as exchange rates are given."""

    def turned(money: Any) -> Any:
        rate = worth.get(money.currency)
        return money if money.currency == currency or rate is None else replace(money.scaled(rate), currency=currency)

    servers = tuple(replace(s, fixed=turned(s.fixed), per_device=turned(s.per_device)) for s in terms.server_prices)
    return replace(
        terms,
        hosting=turned(terms.hosting),
        salary=turned(terms.salary),
        network=turned(terms.network),
        server_prices=servers,
    )


def _region(name: str, regions: Mapping[str, Price]) -> Price:
    wanted = name.strip().lower()
    found = [price for title, price in regions.items() if title.lower().startswith(wanted)]
    if not found:
        raise UnknownName("electricity region", name[:80], tuple((title, 1.0) for title in sorted(regions)[:3]))
    return found[0]


def with_workload(deployment: Deployment, **values: Any) -> Deployment:
    """The deployment with parts of its workload said anew."""
    said = {key: value for key, value in values.items() if value is not None}
    if not said:
        return deployment
    if deployment.finetune is not None:
        raise BadInput("workload", "a training run has none", "cost a [serving] deployment")
    table = (deployment.workload or WorkloadTable()).model_copy(update=said)
    return deployment.model_copy(update={"workload": table})
