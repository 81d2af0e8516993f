"""A deployment under a load, step by step: what ``deploy-planner simulate`` answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.documents.deployment import Deployment, WorkloadTable
from planner.documents.result import EstimateDocument, Finding
from planner.documents.simulation import Internals, Loop, SimulatedLoad, SimulatedService, SimulationDocument
from planner.documents.trace import TraceRow
from planner.errors import UnknownFact
from planner.performance.simulation.local import local_bench_of
from planner.performance.simulation.plant import Bench, apart_bench_of, bench_of
from planner.performance.simulation.requests import Lengths, Request, endless, open_loop, recorded
from planner.performance.simulation.run import MAX_STEPS, Course, Run, never
from planner.performance.simulation.summary import Seen, service_of
from planner.predict import memory_of, predict
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.trace_load import load_of, trace_rate

if TYPE_CHECKING:
    from planner.library import Library

REQUESTS = 1000
"""Measured when nobody says otherwise: a 99th percentile rests on the ten slowest."""
MOST_REQUESTS = 100_000
_MOST_CLIENTS = 4096
"""In flight in one simulated replica; more only wait."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How to simulate. ``rate`` and ``concurrency`` replace the workload's own; a rate stretches a trace to it."""

    requests: int = REQUESTS
    seed: int = 0
    rate: float | None = None
    concurrency: float | None = None
    trace: Sequence[TraceRow] | None = None
    trace_name: str | None = None
    cancelled: Callable[[], bool] = never
    """Whether to stop: the answer is then a finding and no figures."""


def simulate(deployment: Deployment, library: Library, asked: Asked) -> SimulationDocument:
    """The load run through the deployment's scheduler. "Illegal" and "does not fit" are verdicts without a run."""
    deployment = _loaded(deployment, asked)
    predicted = predict(deployment, library)
    empty = SimulationDocument(predicted.verdict, deployment.id, problems=predicted.problems, assumed=predicted.assumed)
    if predicted.verdict not in ("fits", "tight") or predicted.memory is None:
        return empty
    resolved = resolve(deployment, library)
    try:
        bench = _bench(resolved, library)
    except UnknownFact as missing:
        finding = Finding("unknown-fact", str(missing), severity="warning")
        return replace(empty, verdict="unknown", problems=(*empty.problems, finding))
    return _Simulator(resolved, bench, asked).answer(empty, predicted)


def _bench(resolved: Resolved, library: Library) -> Bench:
    """The scheduler of the deployment's engine. Raises UnknownFact naming a missing fact."""
    if resolved.engine.local:
        return local_bench_of(resolved, library.local_curves)
    made = bench_of if resolved.serving.prefill is None else apart_bench_of
    return made(resolved, memory_of(resolved), library.curves)


def _loaded(deployment: Deployment, asked: Asked) -> Deployment:
    """The deployment with the load that is asked for."""
    workload = deployment.workload or WorkloadTable()
    if asked.trace:
        load = load_of(asked.trace)
        workload = replace(workload, isl=load.isl, osl=load.osl, concurrency=None, saturated=False)
        workload = replace(workload, request_rate=asked.rate or load.rate, isl_cv=None, osl_cv=None)
    elif asked.rate is not None:
        workload = replace(workload, request_rate=asked.rate, concurrency=None, saturated=False)
    elif asked.concurrency is not None:
        workload = replace(workload, request_rate=None, concurrency=asked.concurrency, saturated=False)
    return replace(deployment, workload=workload)


class _Simulator:
    """One load on one deployment."""

    def __init__(self, resolved: Resolved, bench: Bench, asked: Asked) -> None:
        self.resolved, self.bench, self.asked = resolved, bench, asked
        self.load = resolved.workload
        self.replicas = bench.replicas
        longest = bench.longest or float(resolved.serving.max_model_len)
        self.lengths = Lengths(self.load.isl, self.load.osl, self.load.isl_cv, self.load.osl_cv, longest)

    @property
    def loop(self) -> Loop:
        if self.asked.trace:
            return "trace"
        if self.load.saturated:
            return "offline"
        return "open" if self.load.request_rate is not None else "closed"

    def answer(self, empty: SimulationDocument, predicted: EstimateDocument) -> SimulationDocument:
        """The document."""
        rows, refused = self._rows()
        if self.loop == "trace" and not rows:
            finding = Finding("too-long", "every request of the trace is longer than max_model_len", "raise it")
            return replace(empty, problems=(*empty.problems, finding))
        runs = self._runs(rows)
        stable = self._stable() if self.loop in ("open", "trace") and not self.asked.cancelled() else None
        if self.asked.cancelled():
            finding = Finding("stopped", "the simulation was stopped before its end", severity="warning")
            return replace(empty, problems=(*empty.problems, finding))
        seen = Seen(tuple(runs), self.replicas, finite=self.loop in ("trace", "offline"))
        service = service_of(seen, self.bench, self.load, stable)
        problems = (*self._kept_problems(predicted), *self._problems(runs, refused, stable), *self._promise(service))
        return replace(
            empty,
            load=self._load(seen, rows, refused),
            service=service,
            internals=_internals(runs, self.bench),
            problems=problems,
            assumed=empty.assumed | self._assumed(),
        )

    def _rows(self) -> tuple[list[Request], int]:
        """Requests of the trace that the engine accepts, stretched to the rate asked for, and how many it refuses."""
        given = self.asked.trace or ()
        factor = trace_rate(given) / self.asked.rate if given and self.asked.rate else 1.0
        rows = [Request(r.arrival_s * factor, r.isl, r.osl) for r in given if r.isl + r.osl <= self.lengths.longest]
        return rows, len(given) - len(rows)

    def _runs(self, rows: list[Request]) -> list[Run]:
        """One run for a mean replica, or one for each of a trace's."""
        seed, count = self.asked.seed, self.asked.requests
        if rows:
            return [
                self._run(recorded(rows, self.replicas, i), Course(len(rows[i :: self.replicas]), forever=False))
                for i in range(min(self.replicas, len(rows)))
            ]
        if self.load.saturated:
            offline = Course(count, concurrency=count, forever=False, staggered=False)
            return [self._run(endless(self.lengths, seed), offline)]
        if self.load.request_rate is not None:
            arrivals = open_loop(
                self.load.request_rate / self.replicas, self.lengths, seed, arrival_cv=self.load.arrival_cv
            )
            return [self._run(arrivals, Course(count, warm=max(count // 5, 1)))]
        clients = min(max(round((self.load.concurrency or 1.0) / self.replicas), 1), _MOST_CLIENTS)
        return [self._run(endless(self.lengths, seed), self._closed(clients, count))]

    def _run(self, requests: Iterator[Request], course: Course) -> Run:
        return self.bench.run(requests, replace(course, cancelled=self.asked.cancelled))

    def _closed(self, clients: int, count: int) -> Course:
        return Course(max(count, 2 * clients), warm=3 * clients if clients > 1 else 0, concurrency=clients)

    def _stable(self) -> float:
        """Requests per second, whole deployment, of a replica that always has somebody waiting."""
        clients = min(math.ceil(1.2 * self.bench.slots) + 1, _MOST_CLIENTS)
        course = self._closed(clients, min(4 * clients, self.asked.requests))
        if self.asked.trace:
            rows = self._rows()[0]
            cycle = (rows[i % len(rows)] for i in range(MAX_STEPS))
            full = self._run(cycle, course)
        else:
            full = self._run(endless(self.lengths, self.asked.seed), course)
        return full.record.rate() * self.replicas

    def _load(self, seen: Seen, rows: list[Request], refused: int) -> SimulatedLoad:
        isl, osl = seen.lengths()
        return SimulatedLoad(
            loop=self.loop,
            requests=sum(len(each.record.ttft) for each in seen.runs),
            isl_mean=isl,
            osl_mean=osl,
            seed=self.asked.seed,
            request_rate=None if self.load.saturated else self.load.request_rate,
            concurrency=self.load.concurrency if self.loop == "closed" else None,
            trace=self.asked.trace_name if rows else None,
            refused=refused,
        )

    def _kept_problems(self, predicted: EstimateDocument) -> tuple[Finding, ...]:
        """What the estimate says, less what the simulation says itself."""
        return tuple(p for p in predicted.problems if p.rule not in ("queue-grows", "service-level"))

    def _problems(self, runs: list[Run], refused: int, stable: float | None) -> list[Finding]:
        found = []
        rate = self.load.request_rate
        if stable is not None and rate is not None and rate >= stable:
            said = f"{rate:.4g} requests/s come, {stable:.4g} are answered: the queue grows without bound"
            way = f"at most {stable:.4g} requests/s here, or {math.ceil(rate / stable / 0.8 * self.replicas)} replicas"
            found.append(Finding("queue-grows", said, way, "warning", {"workload.request_rate": 0.8 * stable}))
        if refused:
            said = f"{refused} requests are longer than max_model_len ({self.lengths.longest:,.0f}) and are left out"
            found.append(Finding("too-long", said, "raise serving.max_model_len", "warning"))
        if self.load.isl + self.load.osl > self.lengths.longest and not self.asked.trace:
            said = f"prompt and answer are longer than max_model_len ({self.lengths.longest:,.0f}) and are cut to it"
            found.append(Finding("too-long", said, "raise serving.max_model_len", "warning"))
        if self.loop == "closed" and (self.load.concurrency or 0) / self.replicas > _MOST_CLIENTS:
            said = f"{_MOST_CLIENTS:,} requests in flight a replica were simulated; more only wait longer"
            found.append(Finding("cut-off", said, "fewer --users", "warning"))
        if any(each.record.steps >= MAX_STEPS for each in runs):
            said = f"the run was cut off after {MAX_STEPS:,} steps"
            found.append(Finding("cut-off", said, "fewer requests (--requests)", "warning"))
        share = sum(each.preemptions for each in runs) / max(sum(len(each.record.ttft) for each in runs), 1)
        if share > 0.05:
            said = f"{share:.0%} as many preemptions as requests: answers are computed again for want of KV cache"
            found.append(Finding("preemptions", said, "a lower max_num_seqs, or more memory for the cache", "warning"))
        return found

    def _promise(self, service: SimulatedService | None) -> list[Finding]:
        level = self.load.service_level
        if service is None or service.kept is None or level is None or service.kept * 100 >= level.percentile:
            return []
        said = f"{service.kept:.1%} of requests keep the service level, promised are {level.percentile:g} %"
        return [Finding("service-level", said, "fewer requests at once, or more replicas", "warning")]

    def _assumed(self) -> dict[str, object]:
        """Spreads that nobody gave."""
        table = self.resolved.deployment.workload
        if self.asked.trace or table is None:
            return {}
        return {f"workload.{name}": 0.0 for name in ("isl_cv", "osl_cv") if getattr(table, name) is None}


def _internals(runs: Sequence[Run], bench: Bench) -> Internals:
    """Sums and peaks over replicas, time as the longest."""
    records = [each.record for each in runs]
    return Internals(
        simulated_s=max(record.clock_s for record in records),
        steps=sum(record.steps for record in records),
        preemptions=sum(each.preemptions for each in runs),
        recomputed_tokens=sum(each.recomputed for each in runs),
        peak_running=max(record.peak_running for record in records),
        peak_waiting=max(record.peak_waiting for record in records),
        peak_pool=max(record.peak_pool for record in records) / max(bench.plant.rules.pool, 1e-9),
    )
