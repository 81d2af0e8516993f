"""Step times for a simulation: those of the roofline model, kept by rounded load."""

from __future__ import annotations

import math
from typing import Protocol

from planner.performance.step import Load, StepModel

_EXACT = 32
"""Counts up to here are taken as they are."""
_STEPS = 16
"""Values above per doubling: rounding moves a load by 2 % at most, to either side."""


class Times(Protocol):
    """Seconds of a step by what it carries, of whatever engine."""

    def decode(self, requests: float, context: float) -> float:
        """A step without prompts: ``requests`` in each attention group at a mean context."""
        ...

    def mixed(self, requests: float, context: float, prompts: tuple[float, float, float, float]) -> float:
        """A step with prompts: (tokens in a group that has any, cached before, stretch of one, groups that have)."""
        ...


class StepTimes:
    """Seconds of a step by what it carries."""

    def __init__(self, model: StepModel, groups: int = 1, *, draft: float = 0.0, drafting: float = 1.0) -> None:
        self._model, self._groups = model, max(groups, 1)
        self._draft, self._drafting = draft, drafting
        self._kept: dict[tuple[float, ...], float] = {}

    def decode(self, requests: float, context: float) -> float:
        """A step without prompts: ``requests`` in each attention group at a mean context."""
        key = (rounded(requests), rounded(context))
        found = self._kept.get(key)
        if found is None:
            found = self._model.step(Load(max(key[0], 1.0), key[1], draft=self._draft, drafting=self._drafting)).seconds
            self._kept[key] = found
        return found

    def mixed(self, requests: float, context: float, prompts: tuple[float, float, float, float]) -> float:
        """A step with prompts: (tokens in a group that has any, cached before, stretch of one, groups that have)."""
        tokens, start, stretch, having = prompts
        key = (rounded(requests), rounded(context), rounded(tokens), rounded(start), rounded(stretch), having)
        found = self._kept.get(key)
        if found is None:
            requests, context, tokens, start, stretch, _ = key
            share = having / self._groups
            load = Load(requests, context, tokens, start, min(stretch, tokens), self._draft, share, self._drafting)
            found = self._kept[key] = self._model.step(load).seconds
        return found


def rounded(value: float) -> float:
    """Whole up to 32, then sixteen values per doubling: few enough to meet again."""
    if value <= _EXACT:
        return float(round(value))
    unit = 2.0 ** (math.frexp(value)[1] - 1) / _STEPS
    return round(value / unit) * unit
