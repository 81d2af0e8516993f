"""Measured speeds of the llama.cpp family as their fit sees them: laid-out cases, their folds, paths of numbers."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.speed_cases import FOLDS
from benchmarks.truth import Case, cases, deployment
from planner.errors import PlannerError
from planner.library import Library
from planner.performance.local import speeds
from planner.performance.local_curves import LocalCurves
from planner.performance.local_steps import Machine, machine, rebased
from planner.resolve import resolve

FIGURES = ("decode_tok_s", "prefill_tok_s")
Key = tuple[str, ...]
"""Path of a number in the data file; rows of devices go by their name."""


@dataclass(frozen=True, eq=False)
class Point:
    """One case, ready to be computed with other curves."""

    case: Case
    machine: Machine
    weight: float
    """1 ÷ the cases of its combination."""
    truth: tuple[tuple[str, float], ...]
    """Figure → the log of what was measured."""

    def errors(self, curves: LocalCurves) -> list[float]:
        """Log errors of its figures under some curves."""
        said = dict(zip(FIGURES, speeds(rebased(self.machine, curves)), strict=True))
        return [math.log(said[name]) - truth for name, truth in self.truth]

    def fold(self, by: str) -> int:
        """Which of ``FOLDS`` parts holds it, by ``"case"`` or by ``"configuration"`` (model and accelerator or CPU)."""
        hardware, name = self.case.deployment["hardware"], self.case.group
        if by == "configuration":
            device = hardware["accelerator"]
            on = hardware.get("host", {}).get("cpu", device) if device == "cpu" else device
            name = f"{self.case.deployment['model']['id']}|{on}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % FOLDS


def points() -> list[Point]:
    """Every speed case that the planner answers."""
    library, found = Library(), []
    known = [case for case in cases("gguf") if case.kind == "gguf_speed"]
    sizes = Counter(case.group for case in known)
    for case in known:
        truth = tuple((name, math.log(case.measured[name])) for name in FIGURES if case.measured.get(name))
        try:
            found.append(Point(case, _laid(case, library), 1 / sizes[case.group], truth))
        except PlannerError as missing:
            print(f"{case.id}: {missing}")
    return [point for point in found if point.truth]


def _laid(case: Case, library: Library) -> Machine:
    return machine(resolve(deployment(case), library), library.local_curves)


def node(data: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The table that holds the last word of a path."""
    found: Any = data
    for part in path[:-1]:
        found = _row(found, part) if isinstance(found, list) else found[part]
    return found


def _row(rows: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next(row for row in rows if row["name"] == name)
