"""Fits ``planner/performance/curves/local.toml`` on the speeds of ``tests/truth/gguf.jsonl``.

    python -m benchmarks.fit_local [--rounds N] [--write]

The logarithm of every number is its likely value (published ratios, kernel sources: ``benchmarks/local_priors.py``)
plus what its column shares over all classes of devices plus its own part. Both have a prior that they are zero, the
narrower the less a number should differ from its neighbours, so that a class with few cases stays near the others.
Loss and solver are those of ``benchmarks.fit_engines``: robust, damped Gauss-Newton.

The widths of the ranges come from cases that a fit did not see: five folds over cases and five over configurations
(model × accelerator), each solved on the linearised model. Needs numpy.
"""

from __future__ import annotations

import argparse
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fit_engines import FAR, SOFT, solve
from benchmarks.local_cases import FIGURES, Key, Point, node, points
from benchmarks.local_priors import Prior, priors
from benchmarks.speed_cases import FOLDS
from planner.data import read_toml
from planner.memory.gguf_place import HOST
from planner.performance.local_curves import LocalCurves, local_curves

Array = Any

CURVES = Path(__file__).parent.parent / "planner" / "performance" / "curves" / "local.toml"
STEP = 0.05
INSIDE = 0.88
"""Share of unseen cases that a range holds."""
SPREAD_PRIOR = 30
"""Figures of all classes that stand beside a class's own when its range is set."""


class Fit:
    """Parts of the numbers over some cases."""

    def __init__(self, chosen: Sequence[Point], data: Mapping[str, Any]) -> None:
        self.chosen, self.data = chosen, deepcopy(dict(data))
        self.priors = priors(self.data)
        self.keys = list(self.priors)
        columns = sorted({p.column for p in self.priors.values() if p.column})
        self.sigma = np.array([p.own for p in self.priors.values()] + [_shared(self.priors, c) for c in columns])
        self.spread = np.zeros((len(self.keys), len(self.sigma)))
        """How parts add up to numbers."""
        for i, key in enumerate(self.keys):
            self.spread[i, i] = 1.0
            if column := self.priors[key].column:
                self.spread[i, len(self.keys) + columns.index(column)] = 1.0
        self.start = np.log([p.value for p in self.priors.values()])
        self.top = np.log([p.top for p in self.priors.values()])
        self.parts = np.zeros(len(self.sigma))
        self.weight = np.array([p.weight for p in chosen for _ in p.truth])

    def curves(self, moved: Mapping[int, float] | None = None) -> LocalCurves:
        """The curves of the parts, some logarithms moved."""
        logs = np.minimum(self.start + self.spread @ self.parts, self.top)
        for i, by in (moved or {}).items():
            logs[i] += by
        for key, value in zip(self.keys, np.exp(logs).tolist(), strict=True):
            node(self.data, key)[key[-1]] = value
        return local_curves(self.data)

    def errors(self, moved: Mapping[int, float] | None = None) -> Array:
        """Log errors of every figure of every case."""
        curves = self.curves(moved)
        return np.clip([e for point in self.chosen for e in point.errors(curves)], -FAR, FAR)

    def loss(self, errors: Array) -> float:
        """Robust loss plus distance to the priors."""
        cases = float((self.weight * SOFT * np.log(np.cosh(errors / SOFT))).sum())
        return cases + 0.5 * SOFT * float(((self.parts / self.sigma) ** 2).sum())

    def slopes(self, errors: Array) -> Array:
        """d(log figure) / d(part), one row a figure; a number at its top does not move up."""
        columns = [(errors - self.errors({i: -STEP})) / STEP for i in range(len(self.keys))]
        return np.stack(columns, 1) @ self.spread

    def run(self, rounds: int) -> Fit:
        """Damped Gauss-Newton with robust weights."""
        errors = self.errors()
        value = self.loss(errors)
        for _ in range(rounds):
            before = self.parts
            step = solve(self.slopes(errors), errors, self.weight, before, self.sigma) - before
            result = value
            for share in (1.0, 0.5, 0.25, 0.1, 0.03):
                self.parts = before + share * np.clip(step, -0.7, 0.7)
                if (result := self.loss(tried := self.errors())) < value:
                    errors = tried
                    break
            else:
                self.parts = before
                break
            print(f"loss {value:.3f} -> {result:.3f}")
            done, value = value - result < 1e-3 * value, result
            if done:
                break
        return self

    def unseen(self, by: str) -> list[tuple[Point, str, float]]:
        """(case, figure, log error) of fits that did not see the case's fold, on the linearised model."""
        errors = self.errors()
        slopes = self.slopes(errors)
        owners = [(point, name) for point in self.chosen for name, _ in point.truth]
        folds = np.array([point.fold(by) for point, _ in owners])
        found = []
        for fold in range(FOLDS):
            seen, rest, parts, offset = folds != fold, folds == fold, self.parts, errors
            for _ in range(5):
                parts = solve(slopes[seen], offset[seen], self.weight[seen], parts, self.sigma)
                offset = errors + slopes @ (parts - self.parts)
            chosen = [owner for owner, left in zip(owners, rest, strict=True) if left]
            found += [(point, name, float(e)) for (point, name), e in zip(chosen, offset[rest], strict=True)]
        return found


def _shared(known: Mapping[Key, Prior], column: str) -> float:
    return next(p.shared for p in known.values() if p.column == column)


def spreads(outside: Sequence[tuple[Point, str, float]]) -> dict[str, list[float]]:
    """Class of device → factors (decode, prefill) that hold ``INSIDE`` of unseen cases.

    A class's own errors are joined by as many quantiles of all classes' as ``SPREAD_PRIOR`` says.
    """
    every: dict[str, list[float]] = defaultdict(list)
    own: dict[tuple[str, str], list[float]] = defaultdict(list)
    for point, name, error in outside:
        every[name].append(abs(error))
        own[_slowest(point), name].append(abs(error))
    found: dict[str, list[float]] = {}
    for place in sorted({place for place, _ in own}):
        found[place] = []
        for name in FIGURES:
            likely = np.quantile(every[name], (np.arange(SPREAD_PRIOR) + 0.5) / SPREAD_PRIOR)
            width = np.quantile([*own[place, name], *likely], INSIDE)
            found[place].append(round(math.exp(float(width)), 2))
    return found


def _slowest(point: Point) -> str:
    """Whose range a case takes: the host's where it works, else the device's."""
    host = point.machine.work.get(HOST)
    return "host" if host and host.layers + host.expert_layers else point.machine.device.name


def write(data: Mapping[str, Any], keys: Sequence[Key], widths: Mapping[str, list[float]]) -> None:
    """Puts the numbers back into the file, comments kept."""
    known = {key: node(data, key)[key[-1]] for key in keys}
    lines, path = list[str](), tuple[str, ...]()
    for line in CURVES.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[+([^\]]+)\]+", line):
            path = tuple(part.strip('"') for part in re.split(r"\.(?=[a-z_]+$|\")", header.group(1)))
        if named := re.fullmatch(r'name = "(.+)"', line):
            path = (path[0], named.group(1))
        lines.append(_renewed(line, path, known, widths))
    CURVES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _renewed(line: str, path: tuple[str, ...], known: Mapping[Key, float], widths: Mapping[str, list[float]]) -> str:
    """A line of the table at ``path`` with its new number."""
    if line.startswith("spread = [") and (width := widths.get(path[-1])):
        return f"spread = {width}"
    said = re.fullmatch(r"(\w+) = [-\d.e+]+", line)
    value = known.get((*path, said.group(1))) if said else None
    return f"{said.group(1)} = {value:.3g}" if said and value else line


def main() -> None:
    """Fits, prints the errors of unseen cases and writes the numbers if told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    fit = Fit(points(), read_toml("performance/curves/local.toml")).run(chosen.rounds)
    owners = [(point, name) for point in fit.chosen for name, _ in point.truth]
    say("seen", [(*owner, float(e)) for owner, e in zip(owners, fit.errors(), strict=True)])
    outside = []
    for by in ("case", "configuration"):
        outside += (found := fit.unseen(by))
        say(f"unseen {by}", found)
    widths = spreads(outside)
    print(widths)
    if chosen.write:
        fit.curves()
        write(fit.data, fit.keys, widths)


def say(what: str, errors: Sequence[tuple[Point, str, float]]) -> None:
    """Median and 90th percentile of each figure, a combination once."""
    for name in FIGURES:
        groups: dict[str, list[float]] = defaultdict(list)
        for point, said, error in errors:
            if said == name:
                groups[point.case.group].append(abs(math.expm1(error)))
        means = [float(np.mean(v)) for v in groups.values()]
        print(f"{what}: {name} median {np.median(means):.1%} p90 {np.quantile(means, 0.9):.1%}")


if __name__ == "__main__":
    main()
