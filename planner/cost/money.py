"""Money: an amount with its range, in one currency. Different currencies are never added up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planner.errors import BadInput
from planner.estimate import Estimate, Origin, total, worst_origin


class CurrencyMismatch(BadInput):
    """Amounts of different currencies meet and nobody said what one is worth in the other."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__("currency", f"{left} and {right} cannot be added up", "give all prices in one currency")


@dataclass(frozen=True, slots=True)
class Money:
    """``amount`` of ``currency`` (ISO 4217)."""

    amount: Estimate
    currency: str

    @property
    def value(self) -> float:
        return self.amount.value

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(total({"left": self.amount, "right": other.amount}).with_terms({}), self.currency)

    def __sub__(self, other: Money) -> Money:
        """The difference; the range takes the worst of both."""
        self._same(other)
        return Money(minus(self.amount, other.amount), self.currency)

    def scaled(self, factor: float) -> Money:
        """Times a known number that is not negative."""
        return Money(self.amount.scaled(factor), self.currency)

    def times(self, factor: Estimate) -> Money:
        """Times an uncertain number that is not negative."""
        return Money(product(self.amount, factor), self.currency)

    def negated(self) -> Money:
        """What is saved as what is lost."""
        one = self.amount
        return Money(Estimate(-one.high, -one.value, -one.low, one.origin), self.currency)

    def per(self, count: Estimate) -> Money | None:
        """One of ``count``; None where there is none: nothing divided by nothing is not free."""
        if count.low <= 0:
            return None
        return Money(quotient(self.amount, count), self.currency)

    def with_terms(self, terms: Mapping[str, float]) -> Money:
        return Money(self.amount.with_terms(terms), self.currency)

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)


def money(low: float, value: float, high: float, currency: str, origin: Origin = "assumed") -> Money:
    """An amount with its range."""
    return Money(Estimate(low, value, high, origin), currency)


def sum_of(parts: Mapping[str, Money]) -> Money:
    """Named parts of one currency together; the terms are the parts. Raises CurrencyMismatch, ValueError for none."""
    currencies = sorted({part.currency for part in parts.values()})
    if not currencies:
        raise ValueError("a sum of no parts has no currency")
    if len(currencies) > 1:
        raise CurrencyMismatch(currencies[0], currencies[1])
    return Money(total({name: part.amount for name, part in parts.items()}), currencies[0])


def rising(function: Callable[..., float], *parts: Estimate, origin: Origin | None = None) -> Estimate:
    """A figure that rises with every part: the function of the lows, of the values, of the highs."""
    known = origin or worst_origin(*(part.origin for part in parts))
    low, value, high = (function(*(getattr(part, end) for part in parts)) for end in ("low", "value", "high"))
    return Estimate(low, value, high, known)


def product(left: Estimate, right: Estimate) -> Estimate:
    """Of two figures that are not negative: the ends multiply."""
    return Estimate(
        left.low * right.low,
        left.value * right.value,
        left.high * right.high,
        worst_origin(left.origin, right.origin),
    )


def quotient(left: Estimate, right: Estimate) -> Estimate:
    """``left / right`` for a divisor above zero in its whole range."""
    return Estimate(
        left.low / right.high,
        left.value / right.value,
        left.high / right.low,
        worst_origin(left.origin, right.origin),
    )


def minus(left: Estimate, right: Estimate) -> Estimate:
    """``left - right``; may be negative."""
    return Estimate(
        left.low - right.high,
        left.value - right.value,
        left.high - right.low,
        worst_origin(left.origin, right.origin),
    )
