from __future__ import annotations

import tomllib
from functools import cache

import pytest

from benchmarks.accuracy import Outcome, evaluate
from benchmarks.scoring import Summary, summaries
from benchmarks.truth import TRUTH, cases, excluded
from planner.library import Library
from tests.tolerance import assert_within

TOLERANCES = tomllib.loads((TRUTH / "tolerances.toml").read_text(encoding="utf-8"))["serving_memory"]
FIGURES = sorted(name for name in TOLERANCES if name != "verdicts")


@cache
def outcome() -> Outcome:
    return evaluate("serving_memory", Library())


@cache
def found() -> dict[str, Summary]:
    return summaries(outcome().scores, lambda score: score.metric)


@pytest.mark.parametrize("figure", FIGURES)
def test_errors_stay_within_tolerance(figure):
    assert_within(found()[figure], TOLERANCES[figure])


def test_verdicts():
    wrong = [case.id for case, right in outcome().verdicts if not right]
    assert len(wrong) / len(outcome().verdicts) <= TOLERANCES["verdicts"]["wrong"], wrong


def test_left_out_cases_exist_and_say_why():
    known = {case.id for case in cases("serving_memory", everything=True)}
    ours = [name for name in excluded() if name in known]
    assert len(ours) < 0.05 * len(known)
    assert all(len(excluded()[name]) > 20 for name in ours)
