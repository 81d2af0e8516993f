"""Where prices are looked up; what is missing is written down as a problem with a next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.account.exchange import exchanged, region_price, turned_price
from planner.account.request import CostRequest
from planner.cost.against import Billing, Comparison, Side, compare
from planner.cost.api import ApiPrice
from planner.cost.energy import Power
from planner.cost.fleet import Fleet
from planner.cost.money import CurrencyMismatch
from planner.cost.ownership import Account, Load, Rent, account_of, rent_of, sensitivity
from planner.cost.power_facts import PowerFacts
from planner.cost.prices_loader import Price
from planner.cost.rates import Rates
from planner.cost.short import power_problem
from planner.cost.tariff import tariff_of
from planner.cost.terms import Terms
from planner.documents.result import Finding
from planner.estimate import exact

if TYPE_CHECKING:
    from planner.library import Library

_AMOUNTS = (
    "input", "output", "cached", "cache_write", "batch_input", "batch_output", "long_input", "long_output",
)  # fmt: skip


def power_facts(request: CostRequest, library: Library) -> PowerFacts:
    """The power facts, with the building that the request speaks of."""
    facts = library.prices.power
    return facts if request.pue is None else replace(facts, pue=exact(request.pue, "assumed"))


@dataclass(slots=True)
class Books:
    """One fleet's prices."""

    library: Library
    request: CostRequest
    terms: Terms
    fleet: Fleet
    findings: list[Finding]

    def found(self, rule: str, message: str, fix: str) -> None:
        """Written once, however often it is met."""
        finding = Finding(rule, message, fix, "warning")
        if finding not in self.findings:
            self.findings.append(finding)

    def device(self) -> Price | None:
        """One device, bought."""
        price = self.request.purchase or self.library.prices.purchase.get(self.fleet.accelerator)
        if price is None:
            self.found(
                "price-unknown",
                f"nobody wrote down what one {self.fleet.accelerator} costs",
                "give --purchase, or a [[purchase]] row in a price file of your own",
            )
        return price

    def rental(self) -> Price | None:
        """One device for an hour."""
        return self.request.rental or self.library.prices.rental.get(self.fleet.accelerator)

    def kwh(self, currency: str) -> Price:
        """Electricity, in a currency as far as rates are given."""
        prices = self.library.prices
        price = self.request.kwh or prices.electricity
        if self.request.region is not None:
            price = region_price(self.request.region, prices.regions)
        return turned_price(price, currency, self.request.exchange)

    def owned(self, power: Power | None, rates: Rates | None) -> Account | None:
        """The account of owning; None, and a problem, where a price or a currency is missing."""
        device = self.device()
        if power is None:
            self.findings.append(power_problem(self.fleet.accelerator))
        if device is None or power is None:
            return None
        terms = exchanged(self.terms, device.currency, self.request.exchange)
        try:
            return account_of(self.fleet, device, power, self.kwh(device.currency), terms, rates)
        except CurrencyMismatch as error:
            self.found("currency", str(error.problems[0].message), "give --exchange, or prices in one currency")
            return None

    def rented(self, rates: Rates | None) -> Rent | None:
        """The same fleet rented."""
        price = self.rental()
        if price is None:
            self.found(
                "rent-unknown",
                f"no offer for renting {self.fleet.accelerator} is known",
                "give --rent, or a [[rental]] row in a price file of your own",
            )
            return None
        return rent_of(self.fleet, price, self.terms, rates)

    def compared(
        self, side: Side | None, apis: Sequence[ApiPrice], hit_rate: float, prompt_length: float
    ) -> tuple[Comparison, ...]:
        """Each API beside the fleet, had in one way."""
        if side is None:
            return ()
        if not apis:
            self.found("api-unknown", "no API that sells this model is in the lists", "name one with --api")
        answers = (self._against(api, side, hit_rate, prompt_length) for api in apis)
        return tuple(answer for answer in answers if answer is not None)

    def _against(self, api: ApiPrice, side: Side, hit_rate: float, prompt_length: float) -> Comparison | None:
        here = side.real.month.currency
        listed = [*self.library.cost_data.history, *(row for row in self.library.api_prices if row.own)]
        tariff = tariff_of(api, listed, self.terms.profile, self.request.utc_offset)
        if tariff is not None:
            tariff = replace(tariff, off_peak=self._turned(tariff.off_peak, here), peak=self._turned(tariff.peak, here))
        billing = Billing(hit_rate, prompt_length, self.request.batch, tariff)
        try:
            answer = compare(self._turned(api, here), side, billing)
        except CurrencyMismatch as error:
            self.found("currency", f"{api.title}: {error.problems[0].message}", "give --exchange")
            return None
        if isinstance(answer, Finding):
            self.found(answer.rule, answer.message, answer.fix)
            return None
        return answer

    def _turned(self, api: ApiPrice, currency: str) -> ApiPrice:
        """An API's prices in a currency, where a rate is given."""
        rate = self.request.exchange.get(api.currency)
        if api.currency == currency or rate is None:
            return api
        amounts = {name: value * rate for name in _AMOUNTS if (value := getattr(api, name)) is not None}
        note = f"{api.source}; 1 {api.currency} = {rate:g} {currency}"
        return replace(api, **amounts, currency=currency, source=note)

    def ladder(self, owned: Account | None, power: Power | None, rates: Rates | None) -> tuple[Load, ...]:
        """The month at several utilisations; nothing where it cannot be accounted."""
        device = self.request.purchase or self.library.prices.purchase.get(self.fleet.accelerator)
        if owned is None or device is None or power is None or rates is None:
            return ()
        terms = exchanged(self.terms, device.currency, self.request.exchange)
        return sensitivity(self.fleet, device, power, self.kwh(device.currency), terms, rates)
