from __future__ import annotations

import tomllib
from functools import cache

import pytest

from benchmarks.accuracy import evaluate
from benchmarks.scoring import Summary, summaries
from benchmarks.truth import TRUTH, cases, excluded
from tests.local.build import library
from tests.tolerance import assert_within

TOLERANCES = tomllib.loads((TRUTH / "tolerances_local.toml").read_text(encoding="utf-8"))


@cache
def found() -> dict[str, Summary]:
    return summaries(evaluate("gguf", library()).scores, lambda score: score.metric)


@pytest.mark.parametrize("figure", sorted(TOLERANCES))
def test_errors_stay_within_tolerance(figure):
    assert_within(found()[figure], TOLERANCES[figure])


def test_left_out_cases_exist_and_say_why():
    known = {case.id for case in cases("gguf", everything=True)}
    ours = [name for name in excluded() if name in known]
    assert 0 < len(ours) < 0.05 * len(known)
    assert all(len(excluded()[name]) > 20 for name in ours)
