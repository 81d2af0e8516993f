"""A simulation's records as figures with ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.documents.deployment import ServiceLevelTable
from planner.documents.simulation import Distribution, SimulatedService
from planner.estimate import Estimate
from planner.performance.simulation.plant import Bench
from planner.performance.simulation.record import Spread, joined_gaps, spread_of
from planner.performance.simulation.run import Run
from planner.resolved import Workload

PERCENTILES = (50.0, 90.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Runs of one replica, or of each."""

    runs: tuple[Run, ...]
    replicas: int
    finite: bool
    """The load ends: rates are over the whole run, idle ends included."""

    def lengths(self) -> tuple[float, float]:
        """Mean prompt and answer of what ended."""
        ended = [row for each in self.runs for row in each.record.ended[each.record.warm() :]]
        count = max(len(ended), 1)
        return sum(row[1] for row in ended) / count, sum(row[2] for row in ended) / count

    def rate(self) -> float:
        """Requests per second of the whole deployment."""
        if not self.finite:
            return self.runs[0].record.rate() * self.replicas
        span = max(each.record.clock_s for each in self.runs)
        scale = self.replicas if len(self.runs) == 1 else 1
        return scale * sum(len(each.record.ended) for each in self.runs) / span if span > 0 else 0.0


def service_of(seen: Seen, bench: Bench, load: Workload, stable: float | None) -> SimulatedService | None:
    """What users saw; None where nobody was answered before the run was cut off.

    ``stable`` is the largest rate that does not overload it, requests per second.
    """
    records = [each.record for each in seen.runs]
    first, token = bench.widths.first, bench.widths.token
    ttft = _distribution(_joined(records, "ttft"), first, bench)
    e2e = _distribution(_joined(records, "e2e"), token, bench)
    if ttft is None or e2e is None:
        return None
    gaps = joined_gaps(records, PERCENTILES)
    rate, (isl, osl) = seen.rate(), seen.lengths()
    spans = sum(record.clock_s for record in records)

    def figure(value: float) -> Estimate:
        return _around(value, bench.widths.rate, bench)

    return SimulatedService(
        ttft_s=ttft,
        e2e_s=e2e,
        itl_s=_shown(gaps, token, bench) if gaps else None,
        tpot_s=_distribution(_joined(records, "tpot"), token, bench),
        output_tok_s=figure(rate * osl),
        total_tok_s=figure(rate * (isl + osl)),
        request_s=figure(rate),
        stable_request_s=figure(stable) if stable else None,
        utilisation=figure(load.request_rate / stable) if stable and load.request_rate else None,
        busy=sum(record.busy_s for record in records) / spans if spans > 0 else 0.0,
        kept=_kept(seen, load.service_level),
    )


def _joined(records: Sequence[object], name: str) -> list[float]:
    return [value for record in records for value in getattr(record, name)]


def _distribution(values: list[float], width: float, bench: Bench) -> Distribution | None:
    found = spread_of(values, PERCENTILES)
    return _shown(found, width, bench) if found else None


def _shown(found: Spread, width: float, bench: Bench) -> Distribution:
    mean, *rest = (_around(value, width, bench) for value in (found.mean, *map(found.at, PERCENTILES)))
    return Distribution(mean, *rest)


def _around(value: float, width: float, bench: Bench) -> Estimate:
    return Estimate(value / (1 + width), value, value * (1 + width), bench.origin)


def _kept(seen: Seen, level: ServiceLevelTable | None) -> float | None:
    """Share of requests within every promise (goodput)."""
    if level is None or (level.ttft_s is None and level.tpot_s is None):
        return None
    kept = count = 0
    for each in seen.runs:
        for first, token in each.record.pairs:
            late = level.ttft_s is not None and first > level.ttft_s
            slow = level.tpot_s is not None and token > level.tpot_s
            kept, count = kept + (not late and not slow), count + 1
    return kept / count if count else None
