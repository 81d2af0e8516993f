"""A closed form and a simulation of the same load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planner.memory.serving import serving_memory
from planner.performance.batching import Batching
from planner.performance.demand import Outcome
from planner.performance.queueing import OpenLoop
from planner.performance.simulation.plant import Bench, bench_of
from planner.performance.simulation.record import Spread, joined_gaps, spread_of
from planner.performance.simulation.requests import Lengths, endless, open_loop
from planner.performance.simulation.run import Course, Run, run
from planner.performance.tails import Tails
from planner.resolved import Resolved
from tests.performance.builders import LLAMA_8B, deployment, library

PERCENTILES = (50.0, 95.0, 99.0)


def bench(config: dict[str, Any] = LLAMA_8B, **tables: Any) -> tuple[Resolved, Bench]:
    """One replica, H100 and vLLM unless said otherwise."""
    tables["serving"] = {"max_model_len": 32768} | tables.get("serving", {})
    resolved = deployment(config, **tables)
    return resolved, bench_of(resolved, serving_memory(resolved), library().curves)


@dataclass(frozen=True)
class Both:
    """Closed form and simulation."""

    outcome: Outcome
    tails: Tails
    run: Run

    @property
    def batching(self) -> Batching:
        return self.tails.batching

    @property
    def ttft(self) -> Spread:
        return self._spread(self.run.record.ttft)

    @property
    def tpot(self) -> Spread:
        return self._spread(self.run.record.tpot)

    @property
    def itl(self) -> Spread:
        found = joined_gaps([self.run.record], PERCENTILES)
        assert found is not None
        return found

    def _spread(self, values: list[float]) -> Spread:
        found = spread_of(values, PERCENTILES)
        assert found is not None
        return found


def open_both(load: float, requests: int = 2000, seed: int = 1, **tables: Any) -> Both:
    """At a share of the largest stable rate."""
    resolved, ready = bench(**tables)
    work = resolved.workload
    line = OpenLoop(ready.batching, work.isl_cv)
    rate = load * line.capacity
    lengths = Lengths(work.isl, work.osl, work.isl_cv, work.osl_cv)
    outcome = line.at(rate)
    found = run(ready.plant, ready.times, open_loop(rate, lengths, seed), Course(requests, warm=requests // 5))
    return Both(outcome, Tails(outcome, ready.batching, work.isl_cv, line.pace), found)


def closed_both(concurrency: int, requests: int = 2000, seed: int = 1, **tables: Any) -> Both:
    """With so many in flight."""
    resolved, ready = bench(**tables)
    work = resolved.workload
    outcome = ready.batching.closed(float(concurrency))
    lengths = Lengths(work.isl, work.osl, work.isl_cv, work.osl_cv)
    course = Course(requests, warm=3 * concurrency, concurrency=concurrency)
    return Both(
        outcome,
        Tails(outcome, ready.batching, work.isl_cv),
        run(ready.plant, ready.times, endless(lengths, seed), course),
    )
