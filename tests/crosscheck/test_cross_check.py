"""Questions in the other predictor's words; interpreters that are missing, silent, wrong; the real one where it is."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from planner.cli.main import main
from planner.crosscheck.ask import INTERPRETER, cross_checked
from planner.crosscheck.question import CannotSay, question_of
from planner.data import read_toml
from planner.documents.deployment import Deployment
from planner.documents.files import parse_deployment
from planner.documents.result import EstimateDocument
from planner.predict import predict
from planner.resolve import resolve
from tests.performance.builders import LLAMA_8B, QWEN3_30B, library

WORDS = read_toml("crosscheck/aiconfigurator.toml")


def document(config: dict[str, Any] = LLAMA_8B, weights: str = "bf16", **tables: Any) -> Deployment:
    hardware = {"accelerator": "h100-sxm-80gb", "per_node": 8}
    whole: dict[str, Any] = {"hardware": hardware, "engine": {"name": "vllm"}, "workload": {"concurrency": 8}}
    return parse_deployment({"model": {"config": config, "weights": weights}} | whole | tables, "test")


def said(deployment: Deployment) -> dict[str, Any]:
    return question_of(resolve(deployment, library()), LLAMA_8B, WORDS)


def asked(deployment: Deployment) -> EstimateDocument:
    return cross_checked(predict(deployment, library()), deployment, library())


def interpreter(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_layout_in_its_words() -> None:
    question = said(
        document(
            QWEN3_30B, "fp8", serving={"tp": 2, "attention_dp": 2, "ep": 4, "dp": 2, "max_model_len": 8192},
            workload={"isl": 1000, "osl": 100, "concurrency": 64, "prefix_hit_rate": 0.5},
        )
    )  # fmt: skip
    assert question["layout"]["moe_ep_size"] == 4
    assert question["layout"]["moe_tp_size"] == 1
    assert question["load"] == {"batch_size": 16, "isl": 1000, "osl": 100, "prefix": 500}
    assert (question["system"], question["engine"]) == ("h100_sxm", "vllm")
    json.dumps(question)


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"workload": {"request_rate": 2}}, "in flight"),
        ({"workload": {"saturated": True}}, "in flight"),
        ({"hardware": {"accelerator": "mi300x", "per_node": 8}}, "mi300x"),
        ({"engine": {"name": "mindie"}}, "mindie"),
        ({"serving": {"speculative": {"method": "ngram"}}}, "speculation"),
        ({"serving": {"kv_cache_dtype": "q4_0"}}, "cache"),
    ],
    ids=str,
)
def test_what_it_has_no_words_for(tables: dict[str, Any], reason: str) -> None:
    with pytest.raises(CannotSay, match=reason):
        said(document(**tables))


def test_left_out_aloud_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERPRETER, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = asked(document())
    assert found.cross_check is None
    assert found.problems[-1].rule == "cross-check"
    assert "deploy-planner[aiconfigurator]" in found.problems[-1].fix


GOOD = '{"package_version": "0.12.0", "tables": "t", "ttft_s": 0.1, "tpot_s": 0.01, "output_tok_s": 500}'


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "did not answer"),
        ("echo hello", "did not answer"),
        ("echo '[1]'", "refused"),
        ("""echo '{"error": "KeyError: no such model"}'""", "no such model"),
        ("""echo '{"ttft_s": NaN, "tpot_s": 1, "output_tok_s": 1}'""", "no set of positive numbers"),
        ("""echo '{"ttft_s": -1, "tpot_s": 1, "output_tok_s": 1}'""", "no set of positive numbers"),
        ("""echo '{"ttft_s": "1; rm x", "tpot_s": 1, "output_tok_s": 1}'""", "no set of positive numbers"),
        ("yes | head -c 1000000", "did not answer"),
    ],
)
def test_bad_answers_are_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, reason: str
) -> None:
    monkeypatch.setenv(INTERPRETER, interpreter(tmp_path, script))
    found = asked(document())
    assert found.cross_check is None
    assert reason in found.problems[-1].message


def test_an_interpreter_that_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERPRETER, "/no/such/$(touch x)")
    assert "names no file" in asked(document()).problems[-1].message


def test_replicas_count_and_another_release_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(INTERPRETER, interpreter(tmp_path, f"echo '{GOOD.replace('0.12.0', '0.13.1')}'"))
    found = asked(document(serving={"dp": 4, "max_model_len": 8192}))
    assert found.cross_check is not None
    assert found.cross_check.output_tok_s == 2000
    assert "0.13.1" in found.cross_check.note


def test_both_numbers_stand_in_the_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(INTERPRETER, interpreter(tmp_path, f"echo '{GOOD}'"))
    path = tmp_path / "d.toml"
    path.write_text(
        '[model]\nid = "meta-llama/Llama-3.1-8B-Instruct"\nweights = "bf16"\n[hardware]\n'
        'accelerator = "h100-sxm-80gb"\n[workload]\nconcurrency = 8\n',
        encoding="utf-8",
    )
    assert main(["estimate", str(path), "--cross-check"]) == 0
    shown = capsys.readouterr().out
    assert "beside aiconfigurator-core 0.12.0 (t)" in shown
    assert "100 ms" in shown


@pytest.mark.skipif(INTERPRETER not in os.environ, reason=f"{INTERPRETER} names no Python with aiconfigurator-core")
@pytest.mark.parametrize(("config", "weights"), [(LLAMA_8B, "bf16"), (LLAMA_8B, "fp8"), (QWEN3_30B, "bf16")])
def test_the_real_one_is_near(config: dict[str, Any], weights: str) -> None:
    found = asked(document(config, weights, workload={"isl": 1024, "osl": 256, "concurrency": 32}))
    assert found.cross_check is not None, found.problems
    assert found.performance is not None and found.performance.tpot_s is not None
    assert 0.4 < found.performance.tpot_s.value / found.cross_check.tpot_s < 2.5
