"""The training examples run and answer as an expert would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = [p for p in sorted(EXAMPLES.glob("*.sh")) if "deploy-planner finetune" in p.read_text(encoding="utf-8")]
FIRST = {"20": {"lora", "qlora"}, "21": {"full"}, "22": {"qlora", "lora"}, "23": {"lora"}, "24": {"full"}}
"""First characters of the example → methods that its first answer may have."""


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        argv, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_training_example(script: Path) -> None:
    done = run(str(script), "--json")
    assert done.returncode == 0, done.stderr
    plan: dict[str, Any] = json.loads(done.stdout)
    assert plan["verdict"] in ("fits", "tight")
    first = plan["candidates"][0]
    assert first["deployment"]["finetune"]["method"] in FIRST[script.stem[:2]]
    assert first["estimate"]["finetune"]["hours"]["value"] > 0
    if script.stem.startswith("22"):
        assert any(r["rule"] == "full-fine-tuning" and "cards" in r["fix"] for r in plan["rejected"])
    if script.stem.startswith("23"):
        assert first["estimate"]["finetune"]["host_ram"]["value"] == pytest.approx(1.3e12, rel=0.1)
    if script.stem.startswith("24"):
        assert [stage["name"] for stage in plan["stages"]] == ["generation", "training"]


def test_pretraining_example_says_its_hours() -> None:
    done = run("deploy-planner", "estimate", str(EXAMPLES / "25-v3-pretraining.toml"), "--json")
    hours = json.loads(done.stdout)["finetune"]["gpu_hours"]
    assert hours["value"] == pytest.approx(2.664e6, rel=0.15)


def test_preference_example_exports() -> None:
    done = run("deploy-planner", "export", str(EXAMPLES / "26-preferences-on-2xa100.toml"), "--target", "axolotl")
    assert done.returncode == 0, done.stderr
    assert "rl: dpo" in done.stdout
