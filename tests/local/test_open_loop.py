"""Requests at a rate on engines with few slots."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.performance.local_load import at_rate
from planner.predict import predict
from tests.performance.builders import LLAMA_8B, library


def answer(load: dict[str, Any], parallel: int = 4) -> EstimateDocument:
    document = {
        "model": {"config": LLAMA_8B, "weights": "gguf:Q4_K_M"},
        "hardware": {"accelerator": "rtx-4090"},
        "engine": {"name": "llama.cpp"},
        "serving": {"max_model_len": 16384, "parallel": parallel},
        "workload": {"isl": 500, "osl": 200} | load,
    }
    return predict(parse_deployment(document, "test"), library())


def value(found: EstimateDocument, name: str) -> float:
    estimate = getattr(found.performance, name)
    assert estimate is not None
    return float(estimate.value)


def test_what_comes_is_answered_until_the_slots_are_full() -> None:
    limit = value(answer({"request_rate": 0.01}), "stable_request_s")
    found = [answer({"request_rate": share * limit}) for share in (0.1, 0.5, 0.9)]
    for share, each in zip((0.1, 0.5, 0.9), found, strict=True):
        assert value(each, "request_s") == pytest.approx(share * limit)
        assert value(each, "output_tok_s") == pytest.approx(200 * share * limit)
        assert value(each, "utilisation") == pytest.approx(share)
        assert not [p for p in each.problems if p.rule == "queue-grows"]
    for before, after in itertools.pairwise(found):
        assert value(after, "ttft_s") >= value(before, "ttft_s")
        assert value(after, "tpot_s") >= value(before, "tpot_s")


def test_more_than_the_slots_answer_is_a_typed_problem() -> None:
    found = answer({"request_rate": 1000.0})
    assert "queue-grows" in [p.rule for p in found.problems]
    assert value(found, "request_s") == pytest.approx(value(found, "stable_request_s"))
    full = answer({"concurrency": 4})
    assert value(full, "request_s") == pytest.approx(value(found, "stable_request_s"))


def test_users_follow_littles_law() -> None:
    met = at_rate(0.5, 8.0, lambda users: 2.0 + users)
    assert met.users == pytest.approx(0.5 * (2.0 + met.users), rel=1e-4)
    assert met.stable_request_s == pytest.approx(0.8)
