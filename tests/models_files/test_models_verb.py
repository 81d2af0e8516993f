"""``deploy-planner models``: lists, one model in full, JSON, models on disk."""

from __future__ import annotations

import json

import pytest

from planner.cli.main import main
from tests.models_files.conftest import write_gguf
from tests.models_files.test_gguf import LLAMA, llama_tensors


@pytest.fixture(autouse=True)
def no_user_data(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("DEPLOY_PLANNER_DATA", raising=False)


def test_one_model_shows_every_number_with_its_source(capsys):
    assert main(["models", "deepseek-r1"]) == 0
    out = capsys.readouterr().out
    for expected in ("671B (37B)", "684,489,845,504", "mit", "DeepSeek-R1-Distill-Qwen-32B", "[1]", "sources", "1398"):
        assert expected in out


def test_a_list_is_filtered_and_most_capable_first(capsys):
    assert main(["models", "--family", "qwen", "--licence", "apache-2.0", "--use", "code"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("id")
    assert all(line.startswith("Qwen/") for line in lines[1:])
    points = [float(line.split()[-1].lstrip("~")) for line in lines[1:]]
    assert points == sorted(points, reverse=True)


def test_json_carries_sources_and_config(capsys):
    assert main(["models", "qwen3-32b", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (row,) = document["rows"]
    assert document["schema"] == "deploy-planner/models/1"
    assert row["config"]["num_hidden_layers"] == 64
    assert row["sources"]["parameters"]["text"]
    assert {c["weights"] for c in row["checkpoints"]} >= {"bf16", "fp8", "awq-int4"}


def test_all_models_as_json(capsys):
    assert main(["models", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) >= 250


def test_a_file_on_disk(tmp_path, capsys):
    path = write_gguf(tmp_path / "tiny.gguf", "llama", LLAMA, llama_tensors())
    assert main(["models", str(path)]) == 0
    assert "in Q4_K" in capsys.readouterr().out
    assert main(["models", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["id"] == "Tiny Llama"


@pytest.mark.parametrize("query", ["no-such-model-at-all", "../x", "; rm -rf /", "--family=martian"])
def test_a_miss_is_one_line_on_stderr_and_exit_2(query, capsys):
    assert main(["models", query]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
