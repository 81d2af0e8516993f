"""Tokens per second of a fleet at its full load, from a predicted speed."""

from __future__ import annotations

from dataclasses import dataclass

from planner.cost.fleet import duty_of
from planner.documents.result import Performance
from planner.estimate import Estimate, exact


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens per second of a fleet at its full load."""

    input_tok_s: Estimate
    output_tok_s: Estimate
    prompt_time: float
    """Share of the devices' time in prefill."""
    hit_rate: float = 0.0
    """Share of the input that was in the cache already."""


def rates_of(performance: Performance | None, osl: float, hit_rate: float, sets: int = 1) -> Rates | None:
    """Of ``sets`` equal deployments, kept up all the time; models that write nothing only read. None without tokens."""
    if performance is None or performance.output_tok_s is None or performance.output_tok_s.low <= 0:
        return None
    output, every = performance.output_tok_s, performance.total_tok_s or performance.output_tok_s
    if osl <= 0:
        return Rates(every.scaled(sets), exact(0.0), 1.0, hit_rate)
    prompt = Estimate(
        max(every.low - output.low, 0.0),
        max(every.value - output.value, 0.0),
        max(every.high - output.high, 0.0),
        every.origin,
    )
    return Rates(prompt.scaled(sets), output.scaled(sets), duty_of(performance).prompt_time, hit_rate)


def together(rates: list[Rates]) -> Rates | None:
    """Several pools as one; time in prefill weighs by the tokens a pool handles."""
    if not rates:
        return None
    tokens = [r.input_tok_s.value + r.output_tok_s.value for r in rates]
    mean = sum(r.prompt_time * n for r, n in zip(rates, tokens, strict=True)) / max(sum(tokens), 1e-9)
    return Rates(
        _added([r.input_tok_s for r in rates]), _added([r.output_tok_s for r in rates]), mean, rates[0].hit_rate
    )


def _added(figures: list[Estimate]) -> Estimate:
    """Ends add up: all pools share the error of one speed model."""
    low, value, high = (sum(getattr(figure, end) for figure in figures) for end in ("low", "value", "high"))
    return Estimate(low, value, high, figures[0].origin)
