"""Measured serving speeds as the fit of engine overheads sees them: resolved cases, what they measured, their folds."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from benchmarks.truth import Case, cases, deployment
from planner.documents.result import Performance, ServingMemory
from planner.engines.registry import backend_of
from planner.engines.version import in_range
from planner.errors import PlannerError
from planner.library import Library
from planner.memory.serving import serving_memory
from planner.performance.curves import family
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.units import MILLI

FOLDS = 5
SPANS = {
    "vllm": ("<0.8", ">=0.8, <0.12", ">=0.12, <0.17", ">=0.17"),
    "sglang": ("<0.5.6", ">=0.5.6"),
    "trtllm": ("<0.12", ">=0.12, <0.18", ">=0.18, <1.1", ">=1.1"),
}
"""Engine → spans of releases between which its runtime changed."""
FIGURES = (("ttft_ms", MILLI, "ttft_s"), ("tpot_ms", MILLI, "tpot_s"), ("output_tok_s", 1.0, "output_tok_s"))
Node = tuple[str, ...]
"""What a set of overheads belongs to: ("any",), ("engine", e, backend), ("span", e, backend, releases), ("chip", c),
("pair", e, backend, c) or ("place", e, backend, releases, c)."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A resolved case with what it measured."""

    resolved: Resolved
    memory: ServingMemory
    weight: float
    truth: tuple[tuple[str, float], ...]
    group: str

    @property
    def chip(self) -> str:
        """Family of the chip."""
        device = self.resolved.cluster.device.accelerator
        return family(device) if device else ""

    @property
    def saturated(self) -> bool:
        """An offline run."""
        return self.resolved.workload.saturated

    @property
    def nodes(self) -> tuple[Node, ...]:
        """From the general to the special."""
        engine, device = self.resolved.engine, self.resolved.cluster.device.accelerator
        backend = engine.backend or (backend_of(device.vendor, device.name) if device else "cpu")
        own = (engine.name, backend)
        span, chip = self._span, self.chip
        pair = ("pair", *own, chip)
        return ("any",), ("engine", *own), ("span", *own, span), ("chip", chip), pair, ("place", *own, span, chip)

    @property
    def _span(self) -> str:
        engine = self.resolved.engine
        if engine.release is None:
            return "unversioned"
        return next((s for s in SPANS.get(engine.name, ()) if in_range(engine.release, s)), "")

    def fold(self, by: str) -> int:
        """Which of ``FOLDS`` parts holds it, by ``"case"`` or by ``"configuration"`` (model, accelerator, engine)."""
        r = self.resolved
        device = r.cluster.device.accelerator
        name = self.group if by == "case" else f"{r.deployment.model.id}|{device and device.id}|{r.engine.name}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % FOLDS


def measured(case: Case) -> tuple[tuple[str, float], ...]:
    """Figures of the estimate that a case speaks about; the queue of an offline run is no latency."""
    found = []
    for key, unit, name in FIGURES:
        value = case.measured.get(key) or (case.measured.get(f"{key}_median") if unit < 1 else None)
        if value and not (name == "ttft_s" and not case.deployment["workload"].get("concurrency")):
            found.append((name, value * unit))
    if not any(name == "output_tok_s" for name, _ in found) and case.measured.get("total_tok_s"):
        load = case.deployment["workload"]
        share = load["osl"] / (load["isl"] + load["osl"])
        found.append(("output_tok_s", case.measured["total_tok_s"] * share))
    return tuple(found)


def samples(library: Library) -> list[Sample]:
    """All cases of serving speed that resolve."""
    known = list(cases("serving_perf"))
    sizes = Counter(case.group for case in known)
    found = []
    for case in known:
        truth = measured(case)
        try:
            resolved = resolve(deployment(case), library)
            memory = serving_memory(resolved)
        except PlannerError:
            continue
        if truth:
            found.append(Sample(resolved, memory, 1 / sizes[case.group], truth, case.group))
    return found


def figure(said: Performance, name: str) -> float | None:
    """A figure's value."""
    estimate = getattr(said, name)
    return estimate.value if estimate else None
