"""Fits the engine overheads of ``planner/performance/curves/engines.toml`` to the measured serving speeds.

    python -m benchmarks.fit_engines [--rounds 12] [--out FILE]

The logarithm of an overhead is a sum over levels, from the general to the special: all engines, the engine on a
backend, a span of its releases, the chip family, the engine on that family, a span of releases on it. Each level has a
prior that it is zero, the narrower the more special, so that an engine or a chip with few cases stays near the others
and one without any is predicted from what the levels above know. The loss is the mean log-cosh of log errors (robust: a
case that contradicts its neighbours counts little) plus squared distances to the priors, minimised by damped
Gauss-Newton steps; overheads that only show beyond a limit are also tried farther off.

The widths of the intervals come from cases that a fit did not see: five folds over cases and five over configurations
(model × accelerator × engine), each solved on the linearised model. Needs numpy.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from benchmarks.speed_cases import FOLDS, Node, Sample, figure, samples
from planner.errors import PlannerError
from planner.library import Library
from planner.performance import serving
from planner.performance.curves import Curves
from planner.performance.overheads import Overheads, under

Array = Any

PRIOR: Mapping[str, tuple[float, float]] = {
    "step_s": (1e-3, 1.5), "request_s": (5e-6, 1.0), "layer_s": (8e-6, 0.7), "moe_layer_s": (8e-6, 0.8),
    "routing": (0.8, 0.5), "channel_fp8": (1.0, 0.6), "block_s": (4e-6, 1.0), "experts": (1.2, 0.3),
    "experts_compute": (1.0, 0.5),
    "nvfp4": (1.0, 0.5), "int4_experts": (1.0, 0.7), "int4_read": (1.0, 0.7),
    "moe_latency": (0.5, 1.2), "latency": (1.0, 0.4), "compute": (1.0, 0.35),
    "attention": (1.0, 0.4), "attention_compute": (1.0, 0.5), "sinks": (1.2, 0.7), "latent": (1.0, 0.5),
    "latent_compute": (1.0, 0.5), "latent_serial_s": (2e-8, 0.5),
    "communication": (1.0, 0.3), "elementwise_share": (0.6, 0.4), "group_delay": (0.1, 0.7),
    "prefill_s": (5e-3, 1.6), "prefill_layer_s": (1.5e-4, 1.2), "evicted": (0.5, 0.7), "burst": (0.1, 1.2),
    "late_slots": (0.0005, 2.5),
    "frontend_request_s": (2e-3, 1.5), "frontend_token_s": (2e-5, 2.0), "offline_tail": (1.0, 0.7),
    "offline_s": (3.0, 0.7), "short_answers": (1.5, 0.5),
}  # fmt: skip
"""Overhead → its likely value and how far (log) it may lie from it."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "block_s": (1e-6, 1.5e-5), "frontend_token_s": (1e-6, 1.5e-4), "frontend_request_s": (1e-4, 2e-2),
    "step_s": (1e-4, 4e-2), "layer_s": (1e-6, 5e-5), "prefill_s": (1e-4, 0.5),
    "compute": (0.08, 1.25), "elementwise_share": (0.2, 3.0), "group_delay": (0.01, 1.0),
    "evicted": (0.001, 2.5), "burst": (0.02, 0.9), "late_slots": (1e-5, 1.5), "latency": (0.3, 1.8),
    "experts": (0.95, 2.5),
    "experts_compute": (0.4, 3.0), "attention": (0.7, 8.0), "attention_compute": (0.7, 8.0), "sinks": (0.8, 8.0),
    "latent": (0.7, 8.0), "latent_compute": (0.7, 8.0), "communication": (0.4, 2.5), "moe_latency": (0.02, 2.0),
    "routing": (0.1, 1.0),
    "channel_fp8": (0.8, 20.0), "int4_experts": (0.5, 20.0), "int4_read": (0.8, 10.0),
    "nvfp4": (0.8, 3.0), "offline_tail": (0.1, 12.0), "short_answers": (0.1, 4.0),
}  # fmt: skip
LEVELS = {"any": 0.4, "engine": 0.5, "span": 0.35, "chip": 0.2, "pair": 0.25, "place": 0.3}
"""Level → its width as a share of the overhead's."""
FIXED: Mapping[Node, Mapping[str, Any]] = {
    ("engine", "sglang", "cuda"): {"prefill_first": True},
    ("engine", "trtllm", "cuda"): {"reserve": 1.0, "endless": True, "evicted": 0.0},
    ("span", "trtllm", "cuda", ">=1.1"): {"endless": False},
}
"""What is known of engines and releases. Offline runs of TensorRT-LLM were made by its own tool with thousands of
requests, those of late releases through its server with a thousand."""
ALIKE = {("trtllm", "cuda"): {"late_slots": 1.0}}
"""What is likely of one engine: TensorRT-LLM keeps a slot for padding (its runs queue by one request at any load)."""
KERNELS = ("vllm", "sglang", "trtllm")
"""Engines whose expert kernels were timed."""
WEIGHTS = {"ttft_s": 0.6, "tpot_s": 1.0, "output_tok_s": 1.0}
SPREADS = {"ttft_s": "spread_first", "tpot_s": "spread", "output_tok_s": "spread_rate"}
INSIDE, FEWEST = 0.8, 30
SOFT = 0.12
"""Log error at which the loss turns linear."""
FAR = 3.0
"""Log error from which a case says nothing."""
STEP = 0.1
HIDDEN, JUMPS = ("frontend_token_s", "frontend_request_s"), (-1.4, -0.7, -0.35, 0.0, 0.35, 0.7, 1.4, 2.1)
"""Overheads that show only beyond a limit, so that no slope leads there, and the log steps tried instead: of both, for
a limit that one of them explains may be the other's."""
NAMES = tuple(PRIOR)
START = np.log([value for value, _ in PRIOR.values()])
WIDTH = np.array([width for _, width in PRIOR.values()])
LOW, HIGH = (np.log([LIMITS.get(name, (1e-9, 1e9))[i] for name in NAMES]) for i in (0, 1))


def settled(node: Node) -> dict[str, Any]:
    """What an engine or its releases are known to do, on which nothing is fitted."""
    kernels = {"kernels": node[1]} if node[0] == "engine" and node[1] in KERNELS else {}
    return {**FIXED.get(node, {}), **kernels}


class Fit:
    """Levels of overheads over some cases."""

    def __init__(self, chosen: Sequence[Sample], curves: Curves) -> None:
        self.chosen, self.curves = chosen, curves
        self.nodes = list(dict.fromkeys(node for sample in chosen for node in sample.nodes))
        place = {node: i for i, node in enumerate(self.nodes)}
        self.places = [[place[node] for node in sample.nodes] for sample in chosen]
        self.parts = np.zeros((len(self.nodes), len(NAMES)))
        self.sigma = np.array([LEVELS[node[0]] for node in self.nodes])[:, None] * WIDTH
        self.centre = np.zeros_like(self.parts)
        for (engine, backend), likely in ALIKE.items():
            if (node := ("engine", engine, backend)) in place:
                for name, value in likely.items():
                    self.centre[place[node], NAMES.index(name)] = math.log(value / PRIOR[name][0])
        self.truth = [np.log([value for _, value in s.truth]) for s in chosen]
        self.weight = [np.array([s.weight * WEIGHTS[name] for name, _ in s.truth]) for s in chosen]

    def overheads(self, places: Sequence[int], parts: Array) -> Overheads:
        """The merged overheads of one chain of levels."""
        total = np.clip(START + parts[places].sum(0) + self.centre[places].sum(0), LOW, HIGH)
        values = dict(zip(NAMES, np.exp(total).tolist(), strict=True))
        fixed = settled(self.nodes[places[1]]) | settled(self.nodes[places[2]])
        return Overheads(**{**values, **fixed})

    def errors(self, parts: Array) -> list[Array]:
        """Log errors of every figure of every case; 0 where nothing is said."""
        known: dict[tuple[int, ...], Overheads] = {}
        found = []
        for sample, places, truth in zip(self.chosen, self.places, self.truth, strict=True):
            key = tuple(places)
            over = known.get(key) or known.setdefault(key, self.overheads(places, parts))
            found.append(np.clip(predicted(sample, over, self.curves, truth) - truth, -FAR, FAR))
        return found

    def loss(self, errors: Sequence[Array], parts: Array) -> float:
        """Robust loss plus distance to the priors."""
        pairs = zip(errors, self.weight, strict=True)
        cases = sum(float((w * SOFT * np.log(np.cosh(e / SOFT))).sum()) for e, w in pairs)
        return cases + 0.5 * SOFT * float(((parts / self.sigma) ** 2).sum())

    def slopes(self, errors: Sequence[Array]) -> Array:
        """d(log figure) / d(log overhead), one row a figure."""
        columns = []
        for j in range(len(NAMES)):
            moved = self.parts.copy()
            moved[0, j] += STEP
            columns.append((np.concatenate(self.errors(moved)) - np.concatenate(errors)) / STEP)
        return np.stack(columns, 1)

    def spread_out(self, slopes: Array) -> Array:
        """The slopes by level: figures × (levels · overheads)."""
        wide = np.zeros((len(slopes), self.parts.size))
        owner = [i for i, truth in enumerate(self.truth) for _ in truth]
        for row, i in enumerate(owner):
            for place in self.places[i]:
                wide[row, place * len(NAMES) : (place + 1) * len(NAMES)] = slopes[row]
        return wide

    def run(self, rounds: int, say: Callable[[str], None] = print) -> Fit:
        """Damped Gauss-Newton with robust weights."""
        errors = self.errors(self.parts)
        value = self.loss(errors, self.parts)
        for _ in range(rounds):
            wide, weights = self.spread_out(self.slopes(errors)), np.concatenate(self.weight)
            step = solve(wide, np.concatenate(errors), weights, self.parts.ravel(), self.sigma.ravel())
            step = np.clip(step - self.parts.ravel(), -0.7, 0.7).reshape(self.parts.shape)
            for share in (1.0, 0.5, 0.25, 0.1, 0.03):
                trial = self.parts + share * step
                tried = self.errors(trial)
                if (result := self.loss(tried, trial)) < value:
                    break
            else:
                break
            say(f"loss {value:.2f} -> {result:.2f}")
            done = value - result < 1e-4 * value
            self.parts, errors, value = trial, tried, result
            if done:
                break
        return self

    def jumped(self) -> Fit:
        """Tries the hidden overheads farther off, level by level, each on the cases that it touches."""
        for i, node in enumerate(self.nodes):
            own = [k for k, places in enumerate(self.places) if i in places]
            if node[0] not in ("engine", "span", "pair", "place"):
                continue
            part = self.part(own)
            best, value = self.parts, part.loss(part.errors(self.parts), self.parts)
            steps = [] if part.unmoved(i, JUMPS[-1]) else product(JUMPS, JUMPS)
            for step in steps:
                trial = self.moved(i, step)
                if (result := part.loss(part.errors(trial), trial)) < value:
                    best, value = trial, result
            self.parts = best
        return self

    def moved(self, place: int, steps: Sequence[float]) -> Array:
        """The levels with the hidden overheads of one moved so far."""
        parts = self.parts.copy()
        for name, step in zip(HIDDEN, steps, strict=True):
            parts[place, NAMES.index(name)] += step
        return parts

    def unmoved(self, place: int, step: float) -> bool:
        """No case comes near the limit."""
        before, after = self.errors(self.parts), self.errors(self.moved(place, (step, step)))
        return all(np.allclose(a, b) for a, b in zip(before, after, strict=True))

    def part(self, own: Sequence[int]) -> Fit:
        """The same levels over some of the cases."""
        found = copy(self)
        for name in ("chosen", "places", "truth", "weight"):
            setattr(found, name, [getattr(self, name)[k] for k in own])
        return found

    def unseen(self, by: str) -> list[tuple[Sample, str, float]]:
        """(case, figure, log error) of fits that did not see the case's fold, on the linearised model."""
        errors = self.errors(self.parts)
        wide, weights, flat = self.spread_out(self.slopes(errors)), np.concatenate(self.weight), np.concatenate(errors)
        owners = [(s, name) for s in self.chosen for name, _ in s.truth]
        folds, start = np.array([s.fold(by) for s, _ in owners]), self.parts.ravel()
        found = []
        for fold in range(FOLDS):
            seen, rest, parts, offset = folds != fold, folds == fold, start, flat
            for _ in range(5):
                parts = solve(wide[seen], offset[seen], weights[seen], parts, self.sigma.ravel())
                offset = flat + wide @ (parts - start)
            chosen = [owner for owner, left in zip(owners, rest, strict=True) if left]
            found += [(s, name, float(e)) for (s, name), e in zip(chosen, offset[rest], strict=True)]
        return found


def predicted(sample: Sample, over: Overheads, curves: Curves, truth: Array) -> Array:
    """Logs of the figures that a case measured; where there is none, the truth."""
    serving.overheads_of = lambda *_, **runtime: under(over, **runtime)  # type: ignore[assignment]
    try:
        said = serving.serving_performance(sample.resolved, sample.memory, curves)
    except PlannerError:
        return truth
    values = [figure(said, name) for name, _ in sample.truth]
    return np.array([math.log(v) if v else t for v, t in zip(values, truth, strict=True)])


def solve(wide: Array, errors: Array, weights: Array, parts: Array, sigma: Array) -> Array:
    """Levels that minimise the linearised robust loss; cases beyond ``FAR`` are left out."""
    near = np.abs(errors) < FAR
    size = np.maximum(np.abs(errors) / SOFT, 1e-6)
    robust = np.where(near, np.tanh(size) / size, 0.0) * weights / SOFT
    scaled = wide * robust[:, None]
    matrix = scaled.T @ wide
    matrix[np.diag_indices_from(matrix)] += SOFT / sigma**2
    return np.linalg.solve(matrix, scaled.T @ (wide @ parts - errors))


def row(node: Node, parts: Array, centre: Array) -> dict[str, Any]:
    """One row of the data file."""
    if node[0] == "any":
        values = {n: float(f"{v:.3g}") for n, v in zip(NAMES, np.exp(START + parts), strict=True)}
        return {"engine": "any", "source": "what all measured engines share (assumed for others)", **values}
    found: dict[str, Any] = {"engine": "any" if node[0] == "chip" else node[1], "source": f"fitted: {words(node)}"}
    if node[0] != "chip":
        found["backends"] = [node[2]]
    if node[0] in ("engine", "span"):
        found |= settled(node)
    if node[0] in ("chip", "pair", "place"):
        found["chips"] = [node[-1]]
    if node[0] in ("span", "place") and node[3]:
        found |= {"unversioned": True} if node[3] == "unversioned" else {"versions": node[3]}
    times = {n: float(f"{math.exp(v):.3g}") for n, v in zip(NAMES, parts + centre, strict=True) if abs(v) > 0.01}
    return found | {"times": times} if times else found


def words(node: Node) -> str:
    """A level, for people."""
    return " ".join(part for part in node[1:] if part) or "chips without a family"


def spreads(seen: Sequence[Sample], outside: Sequence[tuple[Sample, str, float]]) -> dict[Node, dict[str, float]]:
    """Half widths that hold ``INSIDE`` of unseen cases: of all engines, and of each with cases enough."""
    found: dict[tuple[Node, str], list[float]] = defaultdict(list)
    for sample, name, error in outside:
        kind = "spread_offline" if sample.saturated else SPREADS[name]
        for node in sample.nodes[:2]:
            found[node, kind].append(math.exp(abs(error)) - 1)
    widths: dict[Node, dict[str, float]] = defaultdict(dict)
    for (node, kind), errors in sorted(found.items()):
        if len(errors) >= FEWEST:
            widths[node][kind] = round(float(np.quantile(errors, INSIDE)), 2)
    return widths


def main() -> None:
    """Fits everything, prints the errors of unseen cases and writes the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    library = Library()
    fit = (
        Fit(samples(library), library.curves)
        .run(chosen.rounds)
        .jumped()
        .run(chosen.rounds // 2)
        .jumped()
        .run(chosen.rounds // 2)
    )
    outside = []
    for by in ("case", "configuration"):
        folds = fit.unseen(by)
        outside += folds
        for name in SPREADS:
            errors = [abs(math.exp(e) - 1) for _, said, e in folds if said == name]
            print(f"unseen {by}: {name} median {np.median(errors):.1%} p90 {np.quantile(errors, 0.9):.1%}")
    widths = spreads(fit.chosen, outside)
    triples = sorted(
        zip(fit.nodes, fit.parts, fit.centre, strict=True), key=lambda t: (list(LEVELS).index(t[0][0]), t[0])
    )
    rows = [row(node, parts, centre) | widths.get(node, {}) for node, parts, centre in triples]
    document = {"limits": {name: list(pair) for name, pair in LIMITS.items()}, "rows": rows}
    if chosen.out:
        chosen.out.write_text(HEAD + tomli_w.dumps(document), encoding="utf-8")


HEAD = """\
# Overheads of engines by release, backend and chip family, seconds and scales: planner/performance/overheads.py says
# what they mean. A row sets values or multiplies them (`times`) where it holds; the result stays within `limits`.
# Fitted by benchmarks/fit_engines.py on the measured cases of tests/truth.

"""

if __name__ == "__main__":
    main()
