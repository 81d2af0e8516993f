"""Absurd jobs get an answer: a verdict, a typed problem or one line; never a traceback, never a non-number."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cli.main import main
from planner.documents.encode import to_json
from planner.errors import BadInput, Exit
from tests.finetune.build import QWEN_MOE, V3, estimate

ABSURD: list[dict[str, Any]] = [
    {"seq_len": 2**50},
    {"micro_batch": 1_000_000, "seq_len": 2**40},
    {"grad_accum": 1_000_000},
    {"gpus": 1_000_000, "nodes": 1_000_000, "sharding": "zero3", "method": "full"},
    {"lora_rank": 1_000_000},
    {"tokens": 2.0**50, "epochs": 1e6},
    {"tokens": 0.0},
    {"global_batch": 1},
    {"global_batch": 2**50},
    {"gpus": 8, "parallel": {"tp": 1_000_000, "pp": 1_000_000, "cp": 1_000_000, "ep": 1_000_000, "vp": 1_000_000}},
    {"parallel": {"vp": 7}},
    {"lora_targets": ""},
    {"lora_targets": []},
    {"lora_targets": ["q" * 300] * 50},
    {"optimizer": "adamw; rm -rf /"},
    {"trainer": "\x00\x1b[31m"},
    {"method": "😀", "objective": "…", "precision": "fp0", "offload": "?", "sharding": "everything"},
    {"hardware": "cpu"},
    {"weights": "gguf:Q4_K_M"},
    {"weights": "nvfp4", "method": "full"},
]


@pytest.mark.parametrize("table", ABSURD, ids="+".join)
@pytest.mark.parametrize("model", [QWEN_MOE, V3])
def test_an_absurd_job_is_answered(model, table):
    answer = estimate(model, **{"method": "lora", **table})
    assert answer.verdict in ("fits", "tight", "does-not-fit", "illegal", "unknown")
    text = to_json(answer)
    assert "NaN" not in text and "Infinity" not in text
    result = answer.finetune
    for counter in (result.allocated, result.driver):
        assert math.isfinite(counter.value) and counter.value > 0
    if result.tok_s is not None:
        assert 0 < result.tok_s.value < 1e18


@pytest.mark.parametrize(
    "table",
    [
        {"seq_len": 0},
        {"seq_len": -1},
        {"micro_batch": 0},
        {"tokens": -1.0},
        {"tokens": math.nan},
        {"tokens": math.inf},
        {"epochs": 0},
        {"lora_rank": 0},
        {"seq_len": 10**200},
        {"gradient_checkpointing": "sometimes"},
        {"unheard_of": 1},
        {"parallel": {"tp": 0}},
        {"method": ""},
        {"trainer": "x" * 10_000},
    ],
    ids="+".join,
)
def test_what_is_no_job_is_bad_input(table):
    with pytest.raises(BadInput) as refused:
        estimate(**{"method": "lora", **table})
    assert all("finetune" in problem.where for problem in refused.value.problems)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["method", "objective", "trainer", "optimizer", "sharding", "precision", "offload"]),
        st.text(min_size=1, max_size=40),
        max_size=4,
    ),
    st.integers(1, 10**6),
    st.integers(1, 4096),
)
def test_any_words_make_a_document_or_a_problem(words, length, gpus):
    try:
        answer = estimate(gpus=gpus, **{"method": "lora", "seq_len": length, **words})
    except BadInput:
        return
    json.loads(to_json(answer))
    assert all(problem.message for problem in answer.problems)


def test_a_bad_line_does_not_stop_the_others(tmp_path, capsys):
    good = {"schema": "deploy-planner/deployment/1", "id": "a", "model": {"id": QWEN_MOE, "weights": "bf16"},
            "hardware": {"accelerator": "h100-sxm-80gb"}, "finetune": {"method": "lora"}}  # fmt: skip
    bad = {**good, "id": "b", "finetune": {"method": "lora", "seq_len": "many"}}
    lines = tmp_path / "jobs.jsonl"
    lines.write_text("\n".join(map(json.dumps, (bad, good))) + "\n{\n")
    assert main(["estimate", "--jsonl", str(lines)]) == Exit.OK
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "error" in answers[0] and "finetune" in answers[1]
    assert "error" in answers[2]
