"""An owned fleet against an API: break-even, payback, and who is cheaper at which utilisation.

A month of the fleet costs F + v·x for x million tokens, one of the API p·x: equal at x = F / (p − v). Where the API's
price is not above what the fleet's electricity alone costs, there is no such x, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from planner.cost.api import ApiPrice, Usage, bill
from planner.cost.money import Money, rising
from planner.cost.ownership import Account, Load, Rent
from planner.cost.tariff import Tariff
from planner.documents.result import Finding
from planner.estimate import Estimate
from planner.units import MEGA

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Comparison:
    """One API beside the fleet, at the same tokens."""

    api: ApiPrice
    month: Money
    """The API's bill for the fleet's real load."""
    per_mtok: Money
    """Of all tokens in the mix of the load."""
    saving: Money
    """The API's bill less the fleet's month; negative: the API is cheaper."""
    break_even_tokens_day: Estimate | None
    """Tokens a day, in and out, from which the fleet is cheaper; None: never."""
    break_even_utilisation: Estimate | None
    """The same as share of the fleet's full load; above 1: beyond what it can do."""
    payback_months: Estimate | None
    """Until the saved bills have paid the purchase; None: never within a hundred years."""
    as_of: str
    findings: tuple[Finding, ...] = ()
    tariff: Tariff | None = None
    """Where the price depends on the hour of the day; the bill follows the load's hours."""
    basis: Literal["owned", "rented"] = "owned"
    """What the API stands beside: the fleet bought, or rented all month."""


def usage_of(load: Load, hit_rate: float, prompt_length: float) -> Usage:
    """The tokens of a month as an API counts them."""
    return Usage(load.input_tokens, load.input_tokens.scaled(hit_rate), load.output_tokens, prompt_length)


@dataclass(frozen=True, slots=True)
class Billing:
    """How an API counts a load."""

    hit_rate: float
    """Share of the input that it finds in its cache."""
    prompt_length: float
    batch: bool = False
    tariff: Tariff | None = None

    def charge(self, api: ApiPrice, load: Load) -> Money:
        """The bill of a month; its range is that of the tokens and of the hours."""
        usage = usage_of(load, self.hit_rate, self.prompt_length)
        if self.tariff is None or self.batch:
            return bill(api, usage, batch=self.batch)
        share = self.tariff.peak_share
        low, middle, high = (bill(self.tariff.at(s), usage) for s in (share.low, share.value, share.high))
        amount = Estimate(low.amount.low, middle.value, high.amount.high, middle.amount.origin, middle.amount.terms)
        return Money(amount, middle.currency)


@dataclass(frozen=True, slots=True)
class Side:
    """One way to have the fleet."""

    real: Load
    full: Load
    unused: Money
    """A month of the fleet doing nothing."""
    basis: Literal["owned", "rented"]
    purchase: Money | None = None
    capital: float = 0.0
    """Of a month: what the purchase itself costs, depreciation and interest."""


def owned_side(account: Account) -> Side:
    """Bought."""
    capital = sum(account.monthly[name].value for name in ("depreciation", "interest"))
    return Side(account.real, account.full, _without_load(account), "owned", account.purchase_total, capital)


def rented_side(rent: Rent) -> Side | None:
    """Rented and kept all month; None where no load is known."""
    if rent.full is None:
        return None
    return Side(rent.reserved, rent.full, rent.reserved.month, "rented")


def compare(api: ApiPrice, side: Side, billing: Billing) -> Comparison | Finding:
    """The API against the fleet, or why it cannot be compared. Raises CurrencyMismatch."""
    real, full = side.real, side.full
    if api.free:
        return Finding(
            "price-zero", f"{api.title} is listed at zero", "give its price in a file of your own", "warning"
        )
    if full.per_mtok is None:
        return Finding("no-load", "the fleet serves no token", "give a workload with output tokens", "warning")
    capacity = billing.charge(api, full)
    tokens = _together(full)
    unit = _unit(capacity, tokens)
    month = billing.charge(api, real)
    even = _break_even(side, unit)
    share = _share(even, tokens) if even else None
    payback = _payback(side, month)
    return Comparison(
        api=api,
        month=month,
        per_mtok=unit,
        saving=month - real.month,
        break_even_tokens_day=even.scaled(1 / DAYS_PER_MONTH) if even else None,
        break_even_utilisation=share,
        payback_months=payback,
        as_of=api.as_of,
        findings=tuple(_remarks(api, side, share, payback)),
        tariff=None if billing.batch else billing.tariff,
        basis=side.basis,
    )


def _unit(bill_: Money, tokens: Estimate) -> Money:
    """A million tokens of the mix. Bill and tokens share their error: only the hours of a tariff leave a range."""
    ends = sorted(getattr(bill_.amount, end) / getattr(tokens, end) * MEGA for end in ("low", "value", "high"))
    value = bill_.value / tokens.value * MEGA
    return Money(Estimate(min(ends[0], value), value, max(ends[2], value), "published"), bill_.currency)


def _remarks(api: ApiPrice, side: Side, share: Estimate | None, payback: Estimate | None) -> Sequence[Finding]:
    found = []
    if share is None:
        found.append(_remark("never-cheaper", f"{api.title} costs no more than the fleet's electricity alone"))
    elif share.value > 1:
        found.append(_remark("beyond-capacity", f"{api.title} is cheaper even at the fleet's full load"))
    if payback is None and side.purchase is not None:
        found.append(_remark("no-payback", f"at this load nothing is saved against {api.title}"))
    return found


def _remark(rule: str, message: str) -> Finding:
    return Finding(rule, message, "a higher utilisation, a faster or a cheaper fleet", "warning")


def _together(load: Load) -> Estimate:
    return rising(lambda given, made: given + made, load.input_tokens, load.output_tokens)


def _break_even(side: Side, unit: Money) -> Estimate | None:
    """Tokens a month at which both cost the same. The range is that of the fleet's fixed part and of its speed."""
    tokens = _together(side.full)
    variable = max(side.full.month.value - side.unused.value, 0.0) / tokens.value * MEGA
    if unit.value <= variable or unit.value <= 0:
        return None
    return rising(lambda fixed: fixed / (unit.value - variable) * MEGA, side.unused.amount)


def _without_load(account: Account) -> Money:
    """A month of the fleet doing nothing: straight line through the real and the full month."""
    real, full = account.real, account.full
    if real.utilisation >= 1:
        fixed = sum(part.value for name, part in account.monthly.items() if name != "electricity")
        share = fixed / full.month.value
        return full.month.scaled(share)
    step = (full.month.value - real.month.value) / (1 - real.utilisation)
    share = (full.month.value - step) / full.month.value
    return full.month.scaled(share)


def _share(even: Estimate, capacity: Estimate) -> Estimate:
    return Estimate(
        even.low / capacity.high, even.value / capacity.value, even.high / max(capacity.low, 1e-9), "assumed"
    )


MOST_MONTHS = 1200.0


def _payback(side: Side, api_month: Money) -> Estimate | None:
    """Purchase over what is saved each month on running costs (depreciation and interest are the purchase itself)."""
    if side.purchase is None:
        return None
    running, price = side.real.month.value - side.capital, side.purchase.amount
    saved = api_month.value - running
    if saved <= 0 or price.value / saved > MOST_MONTHS:
        return None
    quick = max(api_month.amount.high - running, saved)
    slow = max(api_month.amount.low - running, price.high / MOST_MONTHS)
    return Estimate(price.low / quick, price.value / saved, max(price.high / slow, price.value / saved), "assumed")
