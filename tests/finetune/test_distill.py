from __future__ import annotations

import json

import jsonschema
import pytest

from planner.cli.main import main
from planner.detect.spec import load_hardware
from planner.documents.encode import to_json
from planner.errors import BadInput, Exit
from planner.schemas import build_schema
from planner.training.distill import Distillation, plan_distillation, totals
from planner.training.request import FinetuneRequest
from tests.finetune.build import library

TEACHER, STUDENT = "deepseek-ai/DeepSeek-R1", "Qwen/Qwen2.5-7B"


def planned(hardware: str = "8xH200-SXM", **asked):
    student = FinetuneRequest(load_hardware(hardware, library().database), STUDENT, preset="distillation", limit=3)
    return plan_distillation(Distillation(TEACHER, **asked), student, library())


def test_both_stages_and_their_sum():
    """800k samples of R1 for a 7B student: days of generation, hours of training, on one node of H200."""
    plan = planned()
    generation, training = plan.stages
    assert (generation.name, training.name) == ("generation", "training")
    assert generation.deployment["model"]["id"] == TEACHER and "serving" in generation.deployment
    assert training.deployment["model"]["id"] == STUDENT and "finetune" in training.deployment
    assert plan.request["finetune"]["tokens"] == 800_000 * 5200
    assert 24 < generation.hours.value < 24 * 30
    whole = totals(plan)
    for name in ("hours", "gpu_hours", "energy_wh", "money"):
        parts = [getattr(stage, name).value for stage in plan.stages]
        assert whole[name].value == pytest.approx(sum(parts))
        assert whole[name].low <= whole[name].value <= whole[name].high
    jsonschema.validate(json.loads(to_json(plan)), build_schema("plan"))


def test_more_answers_or_fewer_that_survive_cost_in_proportion():
    once, twice, half = (planned(**a).stages[0].hours.value for a in ({}, {"samples": 1_600_000}, {"keep": 0.5}))
    assert twice == pytest.approx(2 * once) and half == pytest.approx(2 * once)


def test_a_teacher_that_does_not_fit_is_said():
    plan = planned("1xRTX-4090")
    assert plan.verdict == "does-not-fit"
    assert [stage.name for stage in plan.stages] in ([], ["training"])
    assert totals(plan) == {}


@pytest.mark.parametrize("asked", [{"samples": 0}, {"keep": 0.0}])
def test_no_samples_are_bad_input(asked):
    with pytest.raises(BadInput):
        planned(**asked)


def test_the_command(capsys):
    argv = ["finetune", "--model", STUDENT, "--teacher", TEACHER, "--hardware", "8xH200-SXM", "--samples", "1000"]
    assert main(argv) == Exit.OK
    assert "together" in capsys.readouterr().out
    assert main([*argv, "--teacher", "no/model"]) == Exit.BAD_INPUT
