"""A plan's load run through its scheduler: what is asked, and the answer as rows. No toolkit in here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.units import MILLI, SECONDS_PER_MINUTE, human_seconds
from tui import text
from tui.explain import Explanation
from tui.rows import Column, Row
from tui.trace import Trace

if TYPE_CHECKING:
    from planner.documents.simulation import Distribution, SimulatedService, SimulationDocument
    from planner.estimate import Estimate
    from planner.library import Library
    from tui.draft import Draft

POINTS = {"mean": "mean", "p50": "half within", "p90": "90 % within", "p95": "95 % within", "p99": "99 % within"}
COLUMNS = (
    Column("name", "  Seen by users", 15, elastic=True),
    *(Column(point, *(("Mean", 11) if point == "mean" else (point, 7)), right=True) for point in POINTS),
    Column("promise", "Promise", 9, right=True),
)
TIMES = {
    "ttft_s": (
        "First token",
        "From a request's arrival to its first token: waiting in the queue and reading the prompt.",
    ),
    "itl_s": (
        "Between tokens",
        "Every gap between two tokens of an answer, over all gaps: the stutter that people see.",
    ),
    "tpot_s": ("Per token", "The mean gap of a request, over all requests."),
    "e2e_s": ("Whole answer", "From a request's arrival to its last token."),
}
RATES = {
    "request_s": ("Answered", "/s", "Requests answered per second, whole deployment."),
    "output_tok_s": ("All users", "tok/s", "Answer tokens per second of all users together."),
    "stable_request_s": ("Stable up to", "/s", "The largest rate at which the queue does not grow without bound."),
    "utilisation": ("Utilisation", "%", "The rate of this load as a share of the largest stable one."),
}
KEPT = ("Promises kept", "Share of requests that kept both promises, first token and per token.")


@dataclass(frozen=True, slots=True)
class Load:
    """What is run: a trace, at another rate where that was asked for, or the plan's own load."""

    trace: Trace | None = None
    rate: float | None = None
    """Requests per second; None: the trace's own."""

    @property
    def words(self) -> str:
        if self.trace is None:
            return "the load of the workload step"
        stretched = f", stretched to {self.rate * SECONDS_PER_MINUTE:,.0f} a minute" if self.rate else ""
        return f"{self.trace.name}: {self.trace.load.requests:,} requests as they came{stretched}"


def ran_words(load: Load, document: SimulationDocument) -> str:
    """What was run, as it came to be."""
    ran = document.load
    if ran is None:
        return load.words
    kinds = {
        "closed": f"{ran.concurrency or 0:,.0f} requests in flight at all times",
        "open": f"{ran.request_rate or 0:.3g} requests a second at random",
        "offline": "all requests at once",
    }
    left_out = f", {ran.refused:,} longer ones left out" if ran.refused else ""
    return f"{kinds[ran.loop]}: {ran.requests:,} requests" if ran.loop in kinds else f"{load.words}{left_out}"


def load_of_draft(draft: Draft) -> Load:
    """What a draft asks for."""
    trace = draft.trace
    if trace is None:
        return Load()
    same = draft.rate is None or draft.rate == trace.numbers["rate"]
    return Load(trace, None if same else (draft.rate or 1) / SECONDS_PER_MINUTE)


def simulated(
    deployment: dict[str, Any], load: Load, library: Library, stopped: Callable[[], bool]
) -> SimulationDocument:
    """The load run through the deployment's scheduler. Raises PlannerError where the trace cannot be read any more."""
    from planner.documents.files import parse_deployment
    from planner.documents.trace import read_trace
    from planner.simulate import Asked, simulate
    from tui.paths import expanded

    trace = load.trace
    rows = read_trace(expanded(trace.path), trace.unit, stopped) if trace else None
    asked = Asked(rate=load.rate, trace=rows, trace_name=trace.name if trace else None, cancelled=stopped)
    return simulate(parse_deployment(deployment, "plan"), library, asked)


def times_of(service: SimulatedService) -> Iterator[tuple[str, Distribution]]:
    """The distributions that are known, by their field."""
    for key in TIMES:
        found: Distribution | None = getattr(service, key)
        if found is not None:
            yield key, found


def rates_of(service: SimulatedService) -> Iterator[tuple[str, Estimate]]:
    for key in RATES:
        found: Estimate | None = getattr(service, key)
        if found is not None:
            yield key, found


def simulated_rows(document: SimulationDocument, draft: Draft) -> Iterator[Row]:
    """Times with their percentiles, rates, the share that kept its promises."""
    service = document.service
    if service is not None:
        for key, times in times_of(service):
            label, about = TIMES[key]
            cells = {point: human_seconds(getattr(times, point).value) for point in POINTS}
            cells |= {"name": label, "promise": _promise(key, times, draft)}
            yield Row(key, cells, f"{label} — {about}")
        for key, rate in rates_of(service):
            label, unit, about = RATES[key]
            yield Row(key, {"name": label, "mean": text.shown(rate.value, unit)}, f"{label} — {about}")
        if service.kept is not None:
            yield Row("kept", {"name": KEPT[0], "mean": f"{service.kept:.1%}"}, f"{KEPT[0]} — {KEPT[1]}")


def said_lines(load: Load, document: SimulationDocument) -> Iterator[str]:
    """What was run, or that nothing was; then what the run found, with the way out."""
    yield ran_words(load, document) if document.service is not None else "✗ Nothing was run."
    for finding in document.problems:
        yield f"! {finding.message}" + (f" → {finding.fix}" if finding.fix else "")


def _promise(key: str, times: Distribution, draft: Draft) -> str:
    """``✓≤2.0 s`` for the 95th percentile; empty without a promise."""
    bound_ms = {"ttft_s": draft.ttft_ms, "tpot_s": draft.tpot_ms}.get(key)
    if not bound_ms:
        return ""
    bound = bound_ms * MILLI
    return f"{'✓' if times.p95.value <= bound else '✗'}≤{text.shown(bound, 's')}"


def explained(document: SimulationDocument, row: str, column: str) -> Explanation | None:
    """A number of the answer in full."""
    service = document.service
    if service is None:
        return None
    if row in TIMES and column in POINTS:
        label, about = TIMES[row]
        estimate: Estimate = getattr(getattr(service, row), column)
        return Explanation(f"{label} · {POINTS[column]}", about, _in_full(estimate, "s"), (_SEEDED,))
    if row in RATES and getattr(service, row) is not None:
        label, unit, about = RATES[row]
        return Explanation(label, about, _in_full(getattr(service, row), unit), (_SEEDED,))
    return None


_SEEDED = "Simulated step by step with the estimate's own step times; the same seed gives the same answer."


def _in_full(estimate: Estimate, unit: str) -> tuple[tuple[str, str], ...]:
    return (
        ("value", text.shown(estimate.value, unit)),
        ("range", text.span(estimate, unit) or "exact"),
        ("origin", estimate.origin),
    )


def sentences(document: SimulationDocument) -> Iterator[str]:
    """The same as lines to listen to."""
    service = document.service
    if service is not None:
        for key, times in times_of(service):
            parts = (f"{said} {human_seconds(getattr(times, point).value)}" for point, said in POINTS.items())
            yield f"{TIMES[key][0]}: {', '.join(parts)}."
        for key, rate in rates_of(service):
            label, unit, _ = RATES[key]
            yield f"{label}: {text.shown(rate.value, unit)}."
        if service.kept is not None:
            yield f"{KEPT[0]}: {service.kept:.1%} of requests."
    for finding in document.problems:
        yield f"{finding.severity.capitalize()}: {finding.message}." + (
            f" Way out: {finding.fix}." if finding.fix else ""
        )
