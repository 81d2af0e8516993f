"""The verb: documents against their schema, loads of every kind, loads that are not carried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from planner.cli.main import main
from planner.schemas import build_schema
from planner.units import human_seconds

DEPLOYMENT = """
[model]
id = "meta-llama/Llama-3.1-8B-Instruct"
weights = "{weights}"
[hardware]
accelerator = "h100-sxm-80gb"
per_node = 2
[engine]
name = "{engine}"
[serving]
max_model_len = 16384
{serving}
[workload]
isl = 1000
osl = 200
{workload}
"""


@pytest.fixture
def document(tmp_path: Path) -> Any:
    def write(workload: str = "concurrency = 8", serving: str = "", engine: str = "vllm", weights: str = "bf16") -> str:
        values = {"workload": workload, "serving": serving, "engine": engine, "weights": weights}
        path = tmp_path / "deployment.toml"
        path.write_text(DEPLOYMENT.format(**values), encoding="utf-8")
        return str(path)

    return write


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    code = main(["simulate", *argv, "--json"])
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, build_schema("simulation"))
    return code, answer


@pytest.mark.parametrize(
    ("workload", "loop"),
    [("concurrency = 8", "closed"), ("request_rate = 4", "open"), ("saturated = true", "offline")],
)
def test_every_kind_of_load(document: Any, capsys: pytest.CaptureFixture[str], workload: str, loop: str) -> None:
    code, answer = asked(capsys, document(workload), "--requests", "200")
    assert (code, answer["verdict"], answer["load"]["loop"]) == (0, "fits", loop)
    service = answer["service"]
    for name in ("ttft_s", "itl_s", "tpot_s", "e2e_s"):
        values = [service[name][p]["value"] for p in ("p50", "p90", "p95", "p99")]
        assert values == sorted(values)
        assert all(0 < e["low"] <= e["value"] <= e["high"] for e in service[name].values())
    made = service["output_tok_s"]["value"] / answer["load"]["osl_mean"]
    assert service["request_s"]["value"] == pytest.approx(made)


def test_littles_law(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = asked(capsys, document("concurrency = 32\nosl_cv = 0.5"))
    service = answer["service"]
    assert service["request_s"]["value"] * service["e2e_s"]["mean"]["value"] == pytest.approx(32, rel=0.05)


def test_replicas_share_the_load(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one = asked(capsys, document("request_rate = 5"))[1]["service"]
    two = asked(capsys, document("request_rate = 10", "dp = 2"))[1]["service"]
    assert two["ttft_s"] == one["ttft_s"]
    assert two["request_s"]["value"] == pytest.approx(2 * one["request_s"]["value"])
    assert two["stable_request_s"]["value"] == pytest.approx(2 * one["stable_request_s"]["value"])


def test_too_many_requests_are_a_typed_problem(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = document("request_rate = 500")
    code, answer = asked(capsys, path)
    (problem,) = (p for p in answer["problems"] if p["rule"] == "queue-grows")
    assert code == 3
    rate = problem["change"]["workload.request_rate"]
    code, calm = asked(capsys, path, "--rate", str(rate))
    assert code == 0
    assert calm["service"]["utilisation"]["value"] < 1
    assert not [p for p in calm["problems"] if p["rule"] == "queue-grows"]


def test_a_missed_promise_is_said_with_its_share(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    level = "request_rate = 12\nservice_level = { ttft_s = 0.055, percentile = 99 }"
    _, answer = asked(capsys, document(level))
    assert 0 < answer["service"]["kept"] < 0.99
    assert [p["rule"] for p in answer["problems"]] == ["service-level"]


def test_preemptions_are_named(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = asked(
        capsys, document("concurrency = 128\nosl_cv = 1.0", "gpu_memory_utilization = 0.31"), "--requests", "500"
    )
    assert answer["internals"]["preemptions"] > 0
    assert answer["internals"]["peak_pool"] == pytest.approx(1.0, abs=0.1)


def test_a_trace_and_the_same_at_another_rate(
    document: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = "".join(f"{i * 0.5},{500 + 10 * (i % 7)},{100 + i % 9}\n" for i in range(200))
    trace = tmp_path / "day.csv"
    trace.write_text("timestamp,input_tokens,output_tokens\n" + rows + "1,99999,5\n", encoding="utf-8")
    code, slow = asked(capsys, document(), "--trace", str(trace))
    _, fast = asked(capsys, document(), "--trace", str(trace), "--rate", "12")
    assert code == 0
    assert (slow["load"]["loop"], slow["load"]["requests"], slow["load"]["refused"]) == ("trace", 200, 1)
    assert slow["load"]["isl_mean"] == pytest.approx(529.8, abs=1)
    assert slow["internals"]["simulated_s"] == pytest.approx(100, rel=0.03)
    assert fast["internals"]["simulated_s"] == pytest.approx(100 * slow["load"]["request_rate"] / 12, rel=0.1)
    assert fast["service"]["ttft_s"]["p95"]["value"] > slow["service"]["ttft_s"]["p95"]["value"]


def test_a_trace_that_no_context_holds(document: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace = tmp_path / "long.csv"
    trace.write_text("timestamp,input_tokens,output_tokens\n0,99999,5\n", encoding="utf-8")
    _, answer = asked(capsys, document(), "--trace", str(trace))
    assert answer["service"] is None
    assert "too-long" in [p["rule"] for p in answer["problems"]]


def test_what_does_not_fit_is_not_run(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = asked(capsys, document(serving="gpu_memory_utilization = 0.1"))
    assert (code, answer["verdict"], answer["service"]) == (3, "does-not-fit", None)


def test_slots_are_simulated_too(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = asked(capsys, document(engine="llama.cpp", weights="gguf:Q4_K_M"), "--requests", "20")
    assert (code, answer["load"]["loop"]) == (0, "closed")
    assert answer["service"]["ttft_s"]["mean"]["value"] > 0


def test_the_table_shows_what_the_document_says(document: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = document("request_rate = 4")
    _, answer = asked(capsys, path)
    assert main(["simulate", path]) == 0
    shown = capsys.readouterr().out
    assert human_seconds(answer["service"]["ttft_s"]["p95"]["value"]) in shown
    assert "largest stable rate" in shown


@pytest.mark.parametrize(
    "argv",
    [["--users", "8", "--rate", "1"], ["--trace", "absent.csv"], ["--trace", "x", "--requests", "100"],
     ["--trace", "x", "--users", "1"]],
    ids=str,
)  # fmt: skip
def test_bad_questions(document: Any, argv: list[str]) -> None:
    assert main(["simulate", document(), *argv]) == 2


@pytest.mark.parametrize(
    "argv", [["--rate", "nan"], ["--users", "0"], ["--seed", "-1"], ["--requests", "1e9"]], ids=str
)
def test_bad_options(document: Any, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", document(), *argv])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "workload",
    ["request_rate = 1\narrival_cv = 20", "request_rate = 1\narrival_cv = 0",
     "request_rate = 1e-9", "request_rate = 1e18", "concurrency = 0.001", "concurrency = 1e9", "isl_cv = 20",
     "context = 1e15", "prefix_hit_rate = 1.0"],
)  # fmt: skip
@pytest.mark.parametrize(("engine", "weights"), [("vllm", "bf16"), ("llama.cpp", "gguf:Q4_K_M")])
def test_absurd_loads_end(
    document: Any, capsys: pytest.CaptureFixture[str], workload: str, engine: str, weights: str
) -> None:
    code, answer = asked(capsys, document(workload, "", engine, weights), "--requests", "50")
    assert code in (0, 3)
    assert answer["verdict"]
