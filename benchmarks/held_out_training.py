"""How far off training speeds are for what the curves never saw: ``python -m benchmarks.held_out_training``.

Leaves out every group in turn (a model, a trainer, a chip, a generation of chips), fits the shares of the peak on the
rest with the same few parameters that ``curves/training.toml`` has, and predicts the group: one level for dense models
and one for experts, drawn per precision and generation towards a common one, a power of the experts' size, and
half-rate tokens. Near-duplicates weigh as one. ``--fit`` prints the curve fitted on everything.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.fit_training import Point, points
from planner.library import Library
from planner.performance.training_curves import REFERENCE_EXPERT

PSEUDO = 2.0
"""Weight of the common level beside a cell's own distinct cases."""
SLOPES = [i / 20 for i in range(17)]
HALVES = {"dense": [100.0, 250.0, 500.0, 1000.0], "experts": [500.0, 1000.0, 2000.0, 3000.0, 4000.0, 6000.0]}
USUAL = {"dense": (0.0, 250.0), "experts": (0.5, 2000.0)}
"""Slope and half-rate tokens that data must speak against."""
STIFFNESS = 0.02


@dataclass(frozen=True)
class Row:
    """One measured speed, method and sharding taken out."""

    point: Point
    weight: float

    @property
    def kind(self) -> str:
        return "dense" if self.point.expert_size is None else "experts"

    @property
    def cell(self) -> str:
        return self.point.group

    def shape(self, slope: float, half: float) -> float:
        """Logarithm of what size and tokens make of a level."""
        size = (self.point.expert_size or REFERENCE_EXPERT) / REFERENCE_EXPERT
        return slope * math.log(size) + math.log(self.point.tokens / (self.point.tokens + half))


@dataclass(frozen=True)
class Curve:
    """Levels of one kind of model, in logarithms."""

    common: float
    levels: dict[str, float]
    slope: float
    half: float
    spread: float

    def share(self, row: Row) -> float:
        return math.exp(self.levels.get(row.cell, self.common) + row.shape(self.slope, self.half))


def fitted(rows: Sequence[Row], kind: str) -> Curve:
    """The curve of the least weighted absolute error, size and tokens held near what is usual."""
    best: tuple[float, Curve] | None = None
    usual_slope, usual_half = USUAL[kind]
    for slope in SLOPES if kind == "experts" else [0.0]:
        for half in HALVES[kind]:
            curve = _levels(rows, slope, half)
            loss = curve.spread + STIFFNESS * ((slope - usual_slope) ** 2 / 0.09 + math.log(half / usual_half) ** 2)
            if best is None or loss < best[0]:
                best = (loss, curve)
    if best is None:
        raise ValueError(f"no {kind} rows to fit")
    return best[1]


def _levels(rows: Sequence[Row], slope: float, half: float) -> Curve:
    left = [(row, math.log(row.point.base_needed) - row.shape(slope, half)) for row in rows]
    cells: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row, value in left:
        cells[row.cell].append((row.weight, value))
    means = {cell: sum(w * v for w, v in found) / sum(w for w, _ in found) for cell, found in cells.items()}
    common = statistics.fmean(means.values())
    levels = {}
    for cell, found in cells.items():
        weight = sum(w for w, _ in found)
        levels[cell] = (weight * means[cell] + PSEUDO * common) / (weight + PSEUDO)
    total = sum(row.weight for row, _ in left)
    spread = sum(row.weight * abs(value - levels[row.cell]) for row, value in left) / total
    return Curve(common, levels, slope, half, spread)


def rows_of(library: Library) -> list[Row]:
    """Measured speeds; runs of one model on one chip with one trainer share a weight."""
    found = [p for p in points(library) if p.base_needed > 0]
    same: dict[str, int] = defaultdict(int)
    for point in found:
        same[_same(point)] += 1
    return [Row(p, 1 / math.sqrt(same[_same(p)])) for p in found]


def _same(point: Point) -> str:
    return "|".join(KEYS[name](point) for name in ("family", "trainer", "chip"))


KEYS: dict[str, Callable[[Point], str]] = {
    "family": lambda p: str(p.case.deployment["model"]["id"]),
    "trainer": lambda p: str(p.case.deployment["finetune"].get("trainer")),
    "chip": lambda p: str(p.case.deployment["hardware"].get("accelerator")),
    "generation": lambda p: p.group,
}


def left_out(rows: Sequence[Row], key: str) -> Iterator[tuple[str, Row, float]]:
    """(group, row, relative error in tokens/s) with the group left out of the fit."""
    for name in sorted({KEYS[key](row.point) for row in rows}):
        rest = [row for row in rows if KEYS[key](row.point) != name]
        curves = {k: fitted(own, k) for k in HALVES if (own := [row for row in rest if row.kind == k])}
        for row in rows:
            if KEYS[key](row.point) == name and row.kind in curves:
                yield name, row, row.point.error(curves[row.kind].share(row))


def report(rows: Sequence[Row], key: str) -> None:
    """Errors by group, then of all."""
    errors: dict[str, list[float]] = defaultdict(list)
    for name, _, error in left_out(rows, key):
        errors[name].append(error)
    print(f"left out by {key}")
    for name, found in errors.items():
        middle, bias = statistics.median(map(abs, found)), statistics.median(found)
        print(f"  {name:48} {len(found):3}  median {middle:6.1%}  bias {bias:+.1%}")
    everything = sorted(abs(e) for found in errors.values() for e in found)
    p90 = everything[min(len(everything) - 1, int(0.9 * len(everything)))]
    print(f"  {'all':48} {len(everything):3}  median {statistics.median(everything):6.1%}  p90 {p90:.1%}")


def main() -> None:
    """Prints the errors; with ``--fit`` the curve of all rows too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="print the curve fitted on every row")
    args = parser.parse_args()
    rows = rows_of(Library())
    for key in KEYS:
        report(rows, key)
    if args.fit:
        for kind in HALVES:
            curve = fitted([row for row in rows if row.kind == kind], kind)
            print(f"{kind}: slope {curve.slope:.2f} half {curve.half:.0f} common {math.exp(curve.common):.3f}")
            for cell, level in sorted(curve.levels.items()):
                print(f"  {cell:28} {math.exp(level):.3f}")


if __name__ == "__main__":
    main()
