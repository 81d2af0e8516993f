from __future__ import annotations

import statistics
import tomllib
from functools import cache

import pytest

from benchmarks.accuracy import Outcome, evaluate
from benchmarks.scoring import Summary, summaries
from benchmarks.truth import TRUTH, cases, deployment, excluded
from planner.predict import predict
from planner.units import GIB
from tests.finetune.build import library
from tests.tolerance import assert_within

TOLERANCES = tomllib.loads((TRUTH / "tolerances_finetune.toml").read_text(encoding="utf-8"))
FIGURES = sorted(name for name in TOLERANCES if name != "verdicts")


@cache
def outcome() -> Outcome:
    return evaluate("finetune", library())


@cache
def found() -> dict[str, Summary]:
    return summaries(outcome().scores, lambda score: score.metric)


@pytest.mark.parametrize("figure", FIGURES)
def test_errors_stay_within_tolerance(figure):
    assert_within(found()[figure], TOLERANCES[figure])


def test_verdicts():
    wrong = [case.id for case, right in outcome().verdicts if not right]
    assert len(outcome().verdicts) >= 10
    assert len(wrong) / len(outcome().verdicts) <= TOLERANCES["verdicts"]["wrong"], wrong


def test_left_out_cases_exist_and_say_why():
    known = {case.id for case in cases("finetune", everything=True)}
    table = tomllib.loads((TRUTH / "finetune_left_out.toml").read_text(encoding="utf-8"))["case"]
    assert set(table) <= known & set(excluded())
    assert 0 < len(table) < 0.05 * len(known)
    assert all(len(row["reason"]) > 60 for row in table.values())


def test_what_the_driver_saw():
    """Runs that recorded the driver's peak beside the framework's: 26 on A100 with one, two and four GPUs."""
    errors, inside = [], []
    for case in cases("finetune"):
        seen = case.measured.get("peak_smi_gib")
        if seen:
            driver = predict(deployment(case), library()).finetune.driver
            errors.append(abs(driver.value / GIB / seen - 1))
            inside.append(driver.low <= seen * GIB <= driver.high)
    assert len(errors) > 20
    assert statistics.median(errors) <= 0.06
    assert sum(inside) / len(inside) >= 0.85
