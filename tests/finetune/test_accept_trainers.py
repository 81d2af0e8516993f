"""The trainers' own parsers read the files that start them. A trainer that is not there is skipped, and says so.

Pinned trainers: ``python -m benchmarks.accept_trainers --build``. Any other installation: DEPLOY_PLANNER_TRAINERS as
``target=python`` pairs (``axolotl=/opt/a/bin/python,trl=…``; ``*=python`` for all).
"""

from __future__ import annotations

import os

import pytest

from benchmarks.accept_trainers import TRAINERS, Answer, accepted, jobs_of, read

TARGETS = sorted({trainer.trainer for trainer in TRAINERS.values()})
LEAST = {"axolotl": 20, "llama-factory": 18, "trl": 20, "deepspeed": 6, "megatron": 4}


def named(target: str) -> str | None:
    pairs = os.environ.get("DEPLOY_PLANNER_TRAINERS", "").split(",")
    found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return found.get(target) or found.get("*")


def judge(answer: Answer) -> None:
    if answer.missing:
        pytest.skip(answer.missing)
    assert not answer.problems


@pytest.mark.parametrize("name", TRAINERS)
def test_a_pinned_trainer_reads_every_job(name):
    judge(accepted(name))


@pytest.mark.parametrize("target", TARGETS)
def test_a_named_trainer_reads_every_job(target):
    python = named(target)
    if python is None:
        pytest.skip(f"DEPLOY_PLANNER_TRAINERS names no interpreter that has {target}")
    judge(read(python, target))


@pytest.mark.parametrize("target", TARGETS)
def test_there_are_jobs_of_many_kinds_to_read(target):
    """A target that refuses nearly everything would be accepted for nothing."""
    assert sum(1 for _ in jobs_of(target)) >= LEAST[target]


def test_an_interpreter_without_the_trainer_says_what_is_missing():
    import sys

    answer = read(sys.executable, "deepspeed")
    assert answer.missing or not answer.problems
