"""Every example runs and answers its question as an expert would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
EVERY_SCRIPT = sorted(EXAMPLES.glob("*.sh"))
SCRIPTS = [script for script in EVERY_SCRIPT if "deploy-planner plan" in script.read_text(encoding="utf-8")]
"""Serving plans; training plans are in ``tests/finetune/test_examples.py``."""
DOCUMENTS = sorted(EXAMPLES.glob("*.toml"))
EXPECTED: dict[str, set[str]] = {
    "01": {"awq-int4", "gptq-int4", "gguf:Q4_K_M"},
    "02": {"fp8", "bf16"},
    "03": {"fp8", "awq-int4", "gptq-int4", "w8a8-int8"},
    "04": {"fp8"},
    "05": {"fp8"},
    "06": {"fp8", "bf16"},
    "07": {"mxfp4", "gguf:MXFP4"},
}
"""First characters of the example → weights that its first answer may have; a GGUF on the CPU otherwise."""


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        argv, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120, check=False
    )


def first_answer(script: Path) -> dict[str, Any]:
    done = run(str(script), "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["verdict"] in ("fits", "tight")
    first: dict[str, Any] = plan["candidates"][0]
    return first


def test_there_are_enough_examples_and_each_asks_and_answers() -> None:
    assert len(SCRIPTS) + len(DOCUMENTS) >= 8
    for file in EVERY_SCRIPT + DOCUMENTS:
        text = file.read_text()
        assert "# Question:" in text and "# Answer:" in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_plan_example(script: Path) -> None:
    first = first_answer(script)
    weights = first["deployment"]["model"]["weights"]
    expected = EXPECTED.get(script.stem[:2])
    assert weights in expected if expected else weights.startswith("gguf:")
    assert first["estimate"]["performance"]["tpot_s"]["value"] > 0
    assert first["reasons"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.stem)
def test_estimate_example(document: Path) -> None:
    done = run("deploy-planner", "estimate", str(document), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] in ("fits", "tight")
    table = run("deploy-planner", "estimate", str(document))
    assert "GiB" in table.stdout


def test_the_recorded_hour_is_carried_but_the_promise_is_not_kept_in_its_rush() -> None:
    document, trace = str(EXAMPLES / "12-an-office-hour.toml"), str(EXAMPLES / "traces" / "office-hour.csv")
    done = run("deploy-planner", "simulate", document, "--trace", trace, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["load"]["loop"] == "trace"
    assert 0.75 < answer["service"]["kept"] < 0.95
    assert [p["rule"] for p in answer["problems"]] == ["service-level"]
    limit = answer["service"]["stable_request_s"]["value"]
    assert limit > answer["load"]["request_rate"]
    assert run("deploy-planner", "simulate", document, "--trace", trace, "--rate", str(1.5 * limit)).returncode == 3
