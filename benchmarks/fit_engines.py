"""Fits the engine overheads of ``planner/performance/curves/engines.toml`` to the measured serving speeds.

    python -m benchmarks.fit_engines [GROUP ...] [--rounds 4] [--held-out] [--out FILE]

One group is an engine in a range of releases on one backend. Its overheads start from priors that are physically
likely and move only as far as the cases pull them: the loss is the mean log-cosh of log errors (robust: a case that
contradicts its neighbours counts little) plus the squared distance to the prior. Coordinate search, so that a run is
repeatable. Chip families with cases enough get a refinement whose prior is the group's own fit, and so do the runs
that name no release. ``--held-out`` leaves a third of the configurations (model × accelerator × engine) unseen.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tomli_w

from benchmarks.truth import Case, cases, deployment
from planner.documents.result import Performance, ServingMemory
from planner.engines.registry import backend_of
from planner.engines.version import in_range
from planner.errors import PlannerError
from planner.library import Library
from planner.memory.serving import serving_memory
from planner.performance import serving
from planner.performance.curves import Curves, family
from planner.performance.overheads import Overheads
from planner.resolve import resolve
from planner.resolved import Resolved

PRIOR: Mapping[str, tuple[float, float]] = {
    "step_s": (1e-3, 1.0), "request_s": (5e-6, 1.0), "layer_s": (8e-6, 0.7), "moe_layer_s": (8e-6, 0.8),
    "routing": (0.8, 0.5), "channel_fp8": (1.0, 0.6), "experts": (1.2, 0.3), "experts_compute": (1.0, 0.3),
    "nvfp4": (1.0, 0.5), "int4_experts": (1.0, 0.7), "int4_read": (1.0, 0.7),
    "moe_latency": (0.5, 0.8), "latency": (1.0, 0.4), "compute": (1.0, 0.2),
    "communication": (1.0, 0.3), "elementwise_share": (0.6, 0.4), "group_delay": (0.1, 0.7),
    "prefill_s": (5e-3, 1.0), "prefill_layer_s": (1.5e-4, 0.8), "burst": (0.1, 0.7),
    "frontend_request_s": (2e-3, 1.0), "frontend_token_s": (2e-5, 1.0), "offline_tail": (1.0, 0.7),
    "offline_s": (3.0, 0.7), "short_answers": (1.5, 0.5),
}  # fmt: skip
"""Overhead → its likely value and how far (log) it may lie from it."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "compute": (0.25, 1.25), "elementwise_share": (0.2, 3.0), "group_delay": (0.01, 1.0),
    "burst": (0.02, 0.9), "latency": (0.3, 1.8), "experts": (0.95, 2.5),
    "experts_compute": (0.4, 3.0), "communication": (0.4, 2.5), "moe_latency": (0.02, 2.0), "routing": (0.1, 1.0),
    "channel_fp8": (0.8, 20.0), "int4_experts": (0.5, 20.0), "int4_read": (0.8, 10.0),
    "nvfp4": (0.8, 3.0), "offline_tail": (0.1, 12.0), "short_answers": (0.1, 4.0),
}  # fmt: skip
WEIGHTS = {"ttft_s": 0.5, "tpot_s": 1.0, "output_tok_s": 1.0}
FAMILIES = {
    "data-centre Blackwell": ("sm100", "sm103", "sm110"),
    "workstation": ("sm120", "sm121", "sm89", "sm86"),
    "Ampere": ("sm80",),
    "Hopper": ("sm90",),
}
SPREADS = {"ttft_s": "spread_first", "tpot_s": "spread", "output_tok_s": "spread_rate"}
INSIDE = 0.88
FEWEST = 5
SOFT = 0.12
"""Log error at which the loss turns linear."""
SMALLEST = 12
"""Cases below which a family gets no refinement."""


@dataclass(frozen=True)
class Group:
    """An engine in a range of releases."""

    name: str
    engine: str
    source: str
    versions: str = ""
    backends: tuple[str, ...] = ()
    unversioned: bool = False
    """Holds cases that name no release."""
    fixed: Mapping[str, bool | float] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Overheads that its cases cannot tell."""


OFFLINE = ("frontend_request_s", "frontend_token_s", "offline_tail", "offline_s", "short_answers")
GROUPS = (
    Group("vllm", "vllm", "vLLM 0.12 and later on NVIDIA", ">=0.12", ("cuda",), True, {}, ("channel_fp8",)),
    Group("vllm-v1", "vllm", "vLLM 0.8-0.11 on NVIDIA", ">=0.8, <0.12", ("cuda",), False, {}, ("channel_fp8",)),
    Group("vllm-rocm", "vllm", "vLLM on MI300X, release not named", "none", ("rocm",), True),
    Group("vllm-rocm-old", "vllm", "vLLM 0.6 on MI300X", "<0.8", ("rocm",)),
    Group("vllm-rocm-new", "vllm", "vLLM 0.10 on MI300X", ">=0.8", ("rocm",)),
    Group("vllm-npu", "vllm", "vLLM 0.9 on Ascend 910B", "", ("npu",), True),
    Group("habana", "optimum-habana", "Gaudi 2 and 3", "", (), True),
    Group("sglang", "sglang", "SGLang 0.5 on NVIDIA", "", ("cuda",), True, {"prefill_first": True}),
    Group("sglang-rocm", "sglang", "SGLang 0.5 on MI300X and MI350X", "", ("rocm",), True),
    Group("trtllm", "trtllm", "TensorRT-LLM 1.x", ">=0.18", (), True, {"reserve": 1.0}, OFFLINE),
    Group(
        "trtllm-late", "trtllm", "TensorRT-LLM 1.1 and later behind its server", ">=1.1", (), False, {"reserve": 1.0}
    ),
    Group("trtllm-old", "trtllm", "TensorRT-LLM 0.9-0.17", "<0.18", (), False, {"reserve": 1.0}, OFFLINE),
)


@dataclass(frozen=True)
class Sample:
    """A resolved case with what it measured."""

    resolved: Resolved
    memory: ServingMemory
    weight: float
    truth: tuple[tuple[str, float], ...]
    unseen: bool = False
    """Of the third of configurations on which a fit is tried out."""

    @property
    def chip(self) -> str:
        device = self.resolved.cluster.device.accelerator
        return family(device) if device else ""


def measured(case: Case) -> tuple[tuple[str, float], ...]:
    """Figures of the estimate that a case speaks about; the queue of an offline run is no latency."""
    found = []
    for key, unit, name in (
        ("ttft_ms", 1e-3, "ttft_s"),
        ("tpot_ms", 1e-3, "tpot_s"),
        ("output_tok_s", 1.0, "output_tok_s"),
    ):
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
            found.append(Sample(resolved, memory, 1 / sizes[case.group], truth, held_out(case)))
    return found


def held_out(case: Case) -> bool:
    """A third of all combinations of model, accelerator and engine, by a hash that stays the same."""
    d = case.deployment
    name = "|".join(map(str, (d["model"]["id"], d["hardware"].get("accelerator"), (d.get("engine") or {}).get("name"))))
    return hashlib.sha256(name.encode()).digest()[0] % 3 == 0


def belongs(sample: Sample, group: Group) -> bool:
    """Whether a case is of a group."""
    engine, device = sample.resolved.engine, sample.resolved.cluster.device.accelerator
    backend = engine.backend or (backend_of(device.vendor, device.name) if device else "cpu")
    if engine.name != group.engine or (group.backends and backend not in group.backends):
        return False
    if engine.release is None:
        return group.unversioned
    return group.versions != "none" and in_range(engine.release, group.versions)


def loss(chosen: Sequence[Sample], curves: Curves, over: Overheads) -> float:
    """Weighted mean loss of all figures under some overheads."""
    serving.overheads_of = lambda *_: over  # type: ignore[assignment]
    total = weights = 0.0
    for sample in chosen:
        try:
            said = serving.serving_performance(sample.resolved, sample.memory, curves)
        except PlannerError:
            continue
        for name, truth in sample.truth:
            value = figure(said, name)
            if value:
                error = min(abs(math.log(value / truth)), 3.0)
                weight = sample.weight * WEIGHTS[name]
                total += weight * math.log(math.cosh(error / SOFT)) * SOFT
                weights += weight
    return total / max(weights, 1e-9)


def figure(said: Performance, name: str) -> float | None:
    """A figure's value."""
    estimate = getattr(said, name)
    return estimate.value if estimate else None


class Search:
    """Coordinate search of one group's overheads."""

    def __init__(
        self, chosen: Sequence[Sample], curves: Curves, prior: Mapping[str, tuple[float, float]], start: Overheads
    ) -> None:
        self.chosen, self.curves, self.prior = chosen, curves, prior
        self.count = sum(len(s.truth) * s.weight for s in chosen)
        missing = {name: value for name, (value, _) in prior.items() if getattr(start, name) <= 0}
        self.best = replace(start, **missing)
        self.value = self.objective(self.best)
        self.steps = {name: 0.5 * min(width, 1.0) for name, (_, width) in prior.items()}

    def objective(self, over: Overheads) -> float:
        """Loss plus distance to the priors, which weighs as one case each."""
        far = sum((math.log(getattr(over, n) / v) / w) ** 2 for n, (v, w) in self.prior.items())
        return loss(self.chosen, self.curves, over) + 0.5 * SOFT * far / max(self.count, 1.0)

    def run(self, rounds: int) -> Overheads:
        """The best overheads after some rounds over all coordinates."""
        for _ in range(rounds):
            for name in self.prior:
                if not (self.walk(name, 1.0) or self.walk(name, -1.0)):
                    self.steps[name] /= 2
        return self.best

    def walk(self, name: str, direction: float) -> bool:
        """Goes on in one direction while it gets better."""
        moved = False
        for _ in range(4):
            value = getattr(self.best, name) * math.exp(direction * self.steps[name])
            low, high = LIMITS.get(name, (0.0, math.inf))
            trial = replace(self.best, **{name: value})
            if not low <= value <= high or (result := self.objective(trial)) >= self.value - 1e-6:
                break
            self.best, self.value, moved = trial, result, True
        return moved


def fit(group: Group, everything: Iterable[Sample], curves: Curves, rounds: int) -> list[dict[str, object]]:
    """Rows of one group: all its cases, then refinements by chip family."""
    chosen = [sample for sample in everything if belongs(sample, group)]
    names = [name for name in PRIOR if name not in group.without]
    search = Search(chosen, curves, {n: PRIOR[n] for n in names}, Overheads(**dict(group.fixed)))  # type: ignore[arg-type]
    base = search.run(rounds)
    rows = [row(group, base, names) | dict(group.fixed) | spreads(chosen, curves, base)]
    near = {n: (getattr(base, n), PRIOR[n][1] * 0.7) for n in names}
    for label, chips in FAMILIES.items():
        part = [sample for sample in chosen if sample.chip in chips]
        if len(part) >= SMALLEST and len(part) < len(chosen):
            refined = Search(part, curves, near, base).run(max(rounds - 1, 2))
            moved = [n for n in names if abs(math.log(getattr(refined, n) / getattr(base, n))) > 0.01]
            source = f"fitted on public measurements of {group.source}: {label}"
            rows.append(row(group, refined, moved) | {"chips": list(chips), "source": source})
            rows += unversioned(group, part, curves, refined, rounds)
    return rows


def unversioned(
    group: Group, part: Sequence[Sample], curves: Curves, near: Overheads, rounds: int
) -> list[dict[str, object]]:
    """A refinement for runs that name no release, where there are others beside them."""
    names = [name for name in PRIOR if name not in group.without]
    nameless = [sample for sample in part if sample.resolved.engine.release is None]
    if not group.unversioned or not SMALLEST <= len(nameless) < len(part):
        return []
    prior = {n: (getattr(near, n), PRIOR[n][1] * 0.5) for n in names}
    refined = Search(nameless, curves, prior, near).run(max(rounds - 1, 2))
    moved = [n for n in names if abs(math.log(getattr(refined, n) / getattr(near, n))) > 0.01]
    chips = sorted({sample.chip for sample in part})
    source = f"fitted on public measurements of {group.engine} that name no release"
    return [row(group, refined, moved) | {"chips": chips, "unversioned": True, "source": source}]


def spreads(chosen: Sequence[Sample], curves: Curves, over: Overheads) -> dict[str, object]:
    """Half widths of intervals that hold ``INSIDE`` of a group's cases, by figure and for offline runs."""
    serving.overheads_of = lambda *_: over  # type: ignore[assignment]
    found: dict[str, list[float]] = {}
    for sample in chosen:
        said = serving.serving_performance(sample.resolved, sample.memory, curves)
        for name, truth in sample.truth:
            value = figure(said, name)
            if value:
                kind = "spread_offline" if sample.resolved.workload.saturated else SPREADS[name]
                found.setdefault(kind, []).append(math.exp(abs(math.log(value / truth))) - 1)
    enough = {kind: sorted(errors) for kind, errors in found.items() if len(errors) >= FEWEST}
    return {k: round(min(max(e[int(INSIDE * (len(e) - 1))], 0.08), 1.5), 2) for k, e in sorted(enough.items())}


def row(group: Group, over: Overheads, names: Iterable[str]) -> dict[str, object]:
    """One row of the data file."""
    found: dict[str, object] = {"engine": group.engine, "source": f"fitted on public measurements of {group.source}"}
    if group.versions and not group.unversioned:
        found["versions"] = group.versions
    if group.backends and group.backends != ("cuda",):
        found["backends"] = list(group.backends)
    return found | {name: float(f"{getattr(over, name):.3g}") for name in names}


def main() -> None:
    """Fits the named groups, or all, and prints or writes the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", help="names of groups; all when absent")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--held-out", action="store_true", help="fit on two thirds of the configurations")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    library = Library()
    everything = [sample for sample in samples(library) if not (chosen.held_out and sample.unseen)]
    rows: list[dict[str, object]] = []
    for group in GROUPS:
        if not chosen.groups or group.name in chosen.groups:
            rows += fit(group, everything, library.curves, chosen.rounds)
    text = tomli_w.dumps({"rows": rows})
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
