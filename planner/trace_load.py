"""A trace as a load: its rate, its mean lengths, how much they vary. Arithmetic over rows that were read before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from planner.documents.deployment import WorkloadTable
from planner.documents.trace import TraceRow
from planner.units import KIB

MOST_VARIATION = 20.0
"""Coefficients of variation above it are cut to it, as a workload table takes no larger one."""


@dataclass(frozen=True, slots=True)
class TraceLoad:
    """What the requests of a trace are like, taken together."""

    requests: int
    span_s: float
    """From the first request to the last."""
    rate: float
    """Requests per second, on the mean."""
    isl: float
    osl: float
    """Mean tokens of prompts and answers."""
    isl_cv: float
    osl_cv: float
    arrival_cv: float
    """Standard deviation over mean, of lengths and of the gaps between arrivals (1: as at random)."""
    longest: int
    """Tokens of the longest request, prompt and answer together."""

    @property
    def max_model_len(self) -> int:
        """The longest request that must be possible, in whole KiB of tokens as people set it."""
        return math.ceil(self.longest / KIB) * KIB

    def over(self, table: WorkloadTable) -> WorkloadTable:
        """A workload with this load in the place of its own; promises, prefix, images stay."""
        return replace(
            table,
            concurrency=None,
            saturated=False,
            isl=self.isl,
            osl=self.osl,
            request_rate=self.rate,
            isl_cv=self.isl_cv,
            osl_cv=self.osl_cv,
            arrival_cv=self.arrival_cv,
        )


def load_of(rows: Sequence[TraceRow]) -> TraceLoad:
    """The load of a trace with at least one request, in the order of time."""
    gaps = [after.arrival_s - before.arrival_s for before, after in pairwise(rows)]
    span = rows[-1].arrival_s - rows[0].arrival_s
    isl, osl = [row.isl for row in rows], [row.osl for row in rows]
    return TraceLoad(
        requests=len(rows),
        span_s=span,
        rate=trace_rate(rows),
        isl=math.fsum(isl) / len(rows),
        osl=math.fsum(osl) / len(rows),
        isl_cv=_variation(isl),
        osl_cv=_variation(osl),
        arrival_cv=_variation(gaps) if span > 0 else 1.0,
        longest=math.ceil(max(row.isl + row.osl for row in rows)),
    )


def trace_rate(rows: Sequence[TraceRow]) -> float:
    """Requests per second of a trace."""
    span = rows[-1].arrival_s - rows[0].arrival_s
    return (len(rows) - 1) / span if span > 0 else float(len(rows))


def _variation(values: Sequence[float]) -> float:
    """Standard deviation over mean; 0 for values that are all alike."""
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return min(spread / mean, MOST_VARIATION) if mean > 0 else 0.0
