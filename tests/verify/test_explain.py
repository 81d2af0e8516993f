"""Failures as engines print them → the broken rule, its numbers, and a deployment that works."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path

import pytest

from planner.cli.main import main
from planner.documents.deployment import Deployment
from planner.documents.files import deployment_toml, read_deployment
from planner.library import Library
from planner.predict import predict
from planner.verify.failures import explain, moved
from planner.verify.lines import log_lines
from planner.verify.mend import mend

LIBRARY = Library()
TABLE = Path(__file__).parents[1] / "fixtures" / "logs" / "failures.toml"
PRINTED = tomllib.loads(TABLE.read_text(encoding="utf-8"))["failures"]


def found(text):
    return explain(log_lines(text))


@pytest.mark.parametrize("row", PRINTED, ids=[f"{i}-{row['rule']}" for i, row in enumerate(PRINTED)])
def test_the_rule_and_the_numbers_of_a_message(row):
    noise = "INFO 04-17 [loader.py:1] Loading weights took 3 seconds\n"
    for whole in (row["text"], noise + "(EngineCore pid=3) \x1b[31m" + row["text"] + "\x1b[0m\n" + noise):
        explained = found(whole)
        assert [each.rule for each in explained] == [row["rule"]]
        values = row.get("values", {})
        assert {name: explained[0].values[name] for name in values} == values
        assert "{" not in explained[0].meaning + explained[0].fix


def test_consequences_are_silent_where_the_cause_is_known():
    consequence = "RuntimeError: Engine core initialization failed. See root cause above.\n"
    assert [each.rule for each in found(consequence)] == ["engine-died"]
    assert [each.rule for each in found("ValueError: No available memory for the cache blocks.\n" + consequence)] == [
        "no-room-for-cache"
    ]


def test_a_good_log_has_no_failures():
    text = (
        "INFO 06-22 02:54:47 [gpu_worker.py:232] Available KV cache memory: 26.91 GiB\n"
        "Free memory on device (78.7/79.19 GiB) on startup. Desired GPU memory utilization is (0.9, 71.27 GiB).\n"
        "[2025-03-08 12:29:28 TP0] Capture cuda graph end. Time elapsed: 7.23 s. mem usage=0.93 GB.\n"
        "room for 3 more users in this memory zoom\n"
    )
    assert found(text) == ()


def document(**tables):
    base = {
        "schema": "deploy-planner/deployment/1",
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "weights": "bf16"},
    }
    return Deployment.model_validate({**base, **tables})


CARD = {"hardware": {"accelerator": "rtx-4090"}, "engine": {"name": "vllm", "version": "0.11.0"}}
LONG = document(**CARD, serving={"max_model_len": 131072})


def test_the_engines_own_estimate_is_taken():
    mended = mend(LONG, LIBRARY, found(PRINTED[1]["text"]))
    assert mended.deployment.serving.max_model_len == 5632
    assert mended.good


def test_without_a_number_the_planner_finds_one():
    mended = mend(LONG, LIBRARY, found(PRINTED[2]["text"]))
    assert mended.good
    assert mended.deployment.serving.max_model_len < 131072
    assert predict(mended.deployment, LIBRARY).verdict in ("fits", "tight")


def test_heads_that_do_not_divide_become_legal():
    wrong = document(hardware={"accelerator": "h100-sxm-80gb", "per_node": 6}, engine=CARD["engine"], serving={"tp": 6})
    mended = mend(wrong, LIBRARY, found(PRINTED[0]["text"]))
    assert mended.good
    assert 32 % mended.deployment.serving.tp == 0


def test_the_share_follows_what_was_free():
    mended = mend(
        document(**CARD, serving={"max_model_len": 4096, "gpu_memory_utilization": 0.97}),
        LIBRARY,
        found(PRINTED[8]["text"]),
    )
    assert mended.deployment.serving.gpu_memory_utilization == 0.85


def test_out_of_memory_moves_even_what_the_planner_thinks_fits():
    fits = document(**CARD, serving={"max_model_len": 4096, "gpu_memory_utilization": 0.9})
    mended = mend(fits, LIBRARY, found(PRINTED[19]["text"]))
    assert mended.deployment.serving.gpu_memory_utilization == pytest.approx(0.85)
    assert mended.changes


def test_nothing_known_changes_nothing():
    fits = document(**CARD, serving={"max_model_len": 4096})
    assert mend(fits, LIBRARY, found("OSError: [Errno 98] Address already in use")).changes == ()


@pytest.mark.parametrize(
    ("value", "move", "result"),
    [
        (256, "x0.5", 128), (0.9, "-0.05", 0.85), (1, "x0.5", 1), (None, "x0.5", None), (3, "bf16", "bf16"),
        (True, "+1", None), (0.97, "27.28/31.86", 0.85), (9, "4096", 4096),
    ],
)  # fmt: skip
def test_moves(value, move, result):
    assert moved(value, move) == result


def test_the_verb_reads_a_pipe_and_writes_a_document(tmp_path, capsys, monkeypatch):
    plan, out = tmp_path / "d.toml", tmp_path / "mended.toml"
    plan.write_text(deployment_toml(LONG), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PRINTED[1]["text"].encode())))
    assert main(["explain", "-", "--deployment", str(plan), "-o", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "deploy-planner/explanation/1"
    assert answer["failures"][0]["rule"] == "kv-holds-one-request"
    assert answer["deployment"]["verdict"] in ("fits", "tight")
    assert read_deployment(out).serving.max_model_len == 5632
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PRINTED[1]["text"].encode())))
    assert main(["explain", "--deployment", str(plan), "-o", str(out)]) == 2
    assert "--force" in capsys.readouterr().err


def test_the_verb_says_when_it_knows_nothing(tmp_path, capsys):
    (tmp_path / "x.log").write_text("all is well\n", encoding="utf-8")
    assert main(["explain", str(tmp_path / "x.log")]) == 3
    assert "no failure that is known" in capsys.readouterr().out
    assert main(["explain", str(tmp_path / "none.log")]) == 2


SEEN = [
    ("Total number of attention heads (40) must be divisible by tensor parallel size (16)", "tp-divides-heads"),
    ("No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", "no-room-for-cache"),
    ("To serve at least one request with the model's max seq len (131072), (32.00 GiB KV cache is needed, which is "
     "larger than the available KV cache memory (7.51 GiB). Try increasing",
     "kv-holds-one-request"),
    ("Free memory on device (3.1/79.18 GiB) on startup is less than desired GPU memory utilization (0.92, 72.85 GiB)",
     "utilization-beyond-free"),
    ("Weight output_partition_size = 576 is not divisible by weight quantization block_n = 128", "fp8-block-divides"),
    ("type fp8e4nv not supported in this architecture", "fp8-kv-needs-sm89"),
    ("Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized", "fabric-manager"),
    ("Error 803: system has unsupported display driver / cuda driver combination", "driver-cuda"),
    ("Error 804: forward compatibility was attempted on non supported HW", "driver-cuda"),
    ("Bus error (core dumped)", "shared-memory"),
    ("NCCL WARN unable to open shared memory segment", "shared-memory"),
    ("watchdog timeout waiting for init_process_group", "rendezvous"),
    ("Gloo connectFullMesh failed with [../third_party/gloo/gloo/transport/tcp/pair.cc:144]", "interface"),
]  # fmt: skip
"""What operators report most, in the engines' words, and the rule behind it."""


@pytest.mark.parametrize(("message", "rule"), SEEN, ids=[rule for _, rule in SEEN])
def test_what_operators_report_most_is_known(message, rule):
    noisy = f"(Worker_TP0 pid=9) \x1b[31mERROR\x1b[0m 11-02 10:00:00 [core.py:1] {message}\nother lines\n"
    (found,) = explain(log_lines(noisy))
    assert found.rule == rule and found.meaning and found.fix
