"""The fit of engine overheads sees what the planner says: its prediction of a case is the planner's."""

from __future__ import annotations

import math
from typing import Any

import pytest

from planner.library import Library
from planner.performance import serving
from planner.performance.overheads import Overheads, overheads_of

np = pytest.importorskip("numpy", reason="only fits need numpy")
EVERY = 97
"""One case in so many."""


def test_the_fit_predicts_what_the_planner_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.fit_engines import predicted
    from benchmarks.speed_cases import figure, samples

    used: list[Overheads] = []

    def kept(*args: Any, **runtime: Any) -> Overheads:
        used.append(overheads_of(*args))
        return overheads_of(*args, **runtime)

    library = Library()
    chosen = samples(library)[::EVERY]
    assert len(chosen) >= 5
    for sample in chosen:
        monkeypatch.setattr(serving, "overheads_of", kept)
        said = serving.serving_performance(sample.resolved, sample.memory, library.curves)
        expected = [math.log(figure(said, name) or 1.0) for name, _ in sample.truth]
        found = predicted(sample, used[-1], library.curves, np.zeros(len(sample.truth)))
        assert list(found) == pytest.approx(expected, rel=1e-9)
