"""Plan, estimate, finetune and report show money and power with range, origin and date, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.cli.main import main

ROOT = Path(__file__).parents[2]
R1 = str(ROOT / "examples" / "30-r1-owned-or-rented.toml")
TUNE = str(ROOT / "examples" / "11-lora-on-one-a100.toml")
UNPRICED = """
schema = "deploy-planner/deployment/1"
[model]
id = "Qwen/Qwen3-8B"
weights = "bf16"
[hardware]
accelerator = "{card}"
[engine]
name = "vllm"
[workload]
isl = 500
osl = 200
concurrency = 4
"""


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 0
    return capsys.readouterr().out


def test_an_estimate_prints_power_and_money(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "estimate", R1)
    for word in (
        "power, at the meter",
        "a million output",
        "a month, rented",
        "devices, bought",
        "as of: rent",
        "assumed",
    ):
        assert word in text
    assert "none is current" in text


def test_a_plan_prints_them_for_each_proposal_and_in_full_for_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("plan", "--hardware", "8xH200-SXM", "--model", "deepseek-r1", "--users", "64")
    text = said(capsys, *argv)
    heads = " ".join(line for line in text.splitlines() if line.strip().startswith("#"))
    assert {"kW", "month", "million"} <= set(heads.split())
    assert "what the first costs" in text and "as of: purchase" in text
    assert "## What the first costs" in said(capsys, *argv, "--markdown")


def test_a_training_run_prints_them_with_range_and_origin(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("finetune", "--hardware", "8xH100-SXM", "--model", "qwen3-8b", "--method", "lora", "--tokens", "100000000")
    text = said(capsys, *argv)
    (energy,) = (line for line in text.splitlines() if line.strip().startswith("energy "))
    assert "kWh" in energy and "–" in energy and energy.split()[-1] in ("measured", "published", "formula", "assumed")
    assert "power, at the meter" in text and "as of: rent" in text


def test_the_report_has_the_account_its_apis_and_its_assumptions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "plan.md"
    said(capsys, "plan", "--hardware", "8xH200-SXM", "--model", "deepseek-r1", "--users", "64", "--report", str(page))
    text = page.read_text(encoding="utf-8")
    for word in ("The whole account", "Against APIs", "Assumptions", "--utilisation", "none of them is current"):
        assert word in text


@pytest.mark.parametrize(("card", "rule"), [("rtx-6000-ada", "price-unknown"), ("apple-m4-max", "power-unknown")])
def test_what_is_missing_is_a_problem_with_a_next_step(
    card: str, rule: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "d.toml"
    path.write_text(UNPRICED.format(card=card))
    main(["estimate", str(path), "--json"])
    cost: dict[str, Any] = json.loads(capsys.readouterr().out)["cost"]
    found = {problem["rule"]: problem for problem in cost["problems"]}
    assert rule in found and found[rule]["fix"] and found[rule]["severity"] == "warning"
    main(["estimate", str(path)])
    assert found[rule]["message"].split()[0] in capsys.readouterr().out


def test_a_device_in_another_currency_than_its_electricity(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "own.toml").write_text(
        '[[purchase]]\naccelerators = ["rtx-6000-ada"]\nlow = 5000.0\nhigh = 6000.0\ncurrency = "EUR"\n'
        'date = "2026-10-01"\nsource = "offer"\n'
    )
    path = tmp_path / "d.toml"
    path.write_text(UNPRICED.format(card="rtx-6000-ada"))
    said(capsys, "estimate", str(path), "--json", "--data", str(tmp_path))
    text = said(capsys, "estimate", str(path), "--data", str(tmp_path))
    assert "EUR" in text and "cannot be added up" in text.replace("\n", " ").replace("  ", " ")


def test_a_training_estimate_has_its_cost_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = Path(TUNE).read_text(encoding="utf-8")
    path = tmp_path / "t.toml"
    path.write_text(text if "tokens" in text else text + "\ntokens = 10000000\n")
    answer = json.loads(said(capsys, "estimate", str(path), "--json"))
    if answer["finetune"]["hours"] is None:
        assert answer["cost"] is None
    else:
        assert answer["cost"]["power_w"]["low"] <= answer["cost"]["power_w"]["value"]
        assert answer["cost"]["as_of"]
