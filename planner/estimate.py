"""A figure with its range, its origin and its terms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Origin = Literal["measured", "published", "formula", "assumed"]
_WEAKEST: tuple[Origin, ...] = ("assumed", "formula", "published", "measured")


@dataclass(frozen=True, slots=True, init=False)
class Estimate:
    """``low ≤ value ≤ high``; about nine of ten measurements are expected inside.

    ``terms`` are the named parts or inputs the value was made of, in base units.
    """

    low: float
    value: float
    high: float
    origin: Origin = "formula"
    terms: Mapping[str, float] = field(default_factory=dict)

    def __init__(
        self,
        low: float,
        value: float,
        high: float,
        origin: Origin = "formula",
        terms: Mapping[str, float] | None = None,
    ) -> None:
        """Sixty a prediction: written through the slots, which a frozen class's own ``__init__`` looks up each time."""
        _set_low(self, low)
        _set_value(self, value)
        _set_high(self, high)
        _set_origin(self, origin)
        _set_terms(self, {} if terms is None else terms)

    def scaled(self, factor: float) -> Estimate:
        """The same figure times a known positive factor; terms are dropped."""
        return Estimate(self.low * factor, self.value * factor, self.high * factor, self.origin)

    def inverse(self, numerator: float = 1.0) -> Estimate:
        """``numerator / self``: a rate from a time. Infinite where the time is zero is refused as 0."""
        low, value, high = (numerator / x if x > 0 else 0.0 for x in (self.high, self.value, self.low))
        return Estimate(low, value, max(high, value), self.origin)

    def with_terms(self, terms: Mapping[str, float]) -> Estimate:
        return Estimate(self.low, self.value, self.high, self.origin, dict(terms))

    def as_dict(self) -> dict[str, object]:
        """The JSON form; numbers stay finite."""
        return {
            "low": self.low,
            "value": self.value,
            "high": self.high,
            "origin": self.origin,
            "terms": dict(self.terms),
        }


_SLOTS: Any = Estimate
_set_low, _set_value, _set_high = _SLOTS.low.__set__, _SLOTS.value.__set__, _SLOTS.high.__set__
_set_origin, _set_terms = _SLOTS.origin.__set__, _SLOTS.terms.__set__


def exact(value: float, origin: Origin = "formula", **terms: float) -> Estimate:
    """A figure without uncertainty of its own."""
    return Estimate(value, value, value, origin, terms)


def spread(value: float, below: float, above: float, origin: Origin = "formula", **terms: float) -> Estimate:
    """A figure known to ``-below … +above`` as shares of its value (0.1 = 10 %)."""
    return Estimate(value * (1 - below), value, value * (1 + above), origin, terms)


def worst_origin(*origins: Origin) -> Origin:
    """The weakest of several origins: what a figure made from them may claim."""
    for origin in _WEAKEST:
        if origin in origins:
            return origin
    return "formula"


def total(parts: Mapping[str, Estimate]) -> Estimate:
    """Sum of named parts; independent ranges add in quadrature, the terms are the parts' values."""
    value = below = above = 0.0
    terms: dict[str, float] = {}
    origin: Origin | None = None
    for name, part in parts.items():
        each = terms[name] = part.value
        down, up = each - part.low, part.high - each
        value += each
        below += down * down
        above += up * up
        if part.origin != origin:
            origin = worst_origin(origin or part.origin, part.origin)
    return Estimate(value - math.sqrt(below), value, value + math.sqrt(above), origin or "formula", terms)
