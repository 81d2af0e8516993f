"""Percentiles and stability as figures with ranges, for the answer of ``estimate``."""

from __future__ import annotations

from dataclasses import dataclass

from planner.documents.deployment import ServiceLevelTable
from planner.estimate import Estimate, Origin
from planner.performance.tails import Tails

_SHOWN = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Widths:
    """Half widths of intervals, as shares."""

    token: float
    first: float
    rate: float


def latencies(tails: Tails, level: ServiceLevelTable | None, widths: Widths, origin: Origin) -> dict[str, Estimate]:
    """Fields of ``Performance``.

    Above the largest stable rate waits grow for as long as the load lasts: no percentiles there, and those of the
    service level as they are just below it.
    """
    outcome, found = tails.outcome, dict[str, Estimate]()
    answers = outcome.tpot_s > 0
    if outcome.load < 1:
        for percent in _SHOWN:
            found[f"ttft_p{percent:g}_s"] = _around(tails.ttft(percent), widths.first, origin)
            if answers:
                found[f"itl_p{percent:g}_s"] = _around(tails.itl(percent), widths.token, origin)
    if level is not None:
        first = max(tails.ttft(level.percentile), outcome.ttft_s)
        found["ttft_level_s"] = _around(first, widths.first, origin)
        if answers:
            token = max(tails.tpot(level.percentile), outcome.tpot_s)
            found["tpot_level_s"] = _around(token, widths.token, origin)
    return found


def stability(limit: float, load: float, widths: Widths, origin: Origin) -> dict[str, Estimate]:
    """The largest stable rate (``limit``, requests/s; 0 in a closed loop) and the load as a share of it."""
    if limit <= 0:
        return {}
    rate = _around(limit, widths.rate, origin)
    return {"stable_request_s": rate, "utilisation": _around(load, widths.rate, origin)}


def _around(value: float, width: float, origin: Origin) -> Estimate:
    return Estimate(value / (1 + width), value, value * (1 + width), origin)
