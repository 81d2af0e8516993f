"""The verbs from the outside: documents on stdout, exit codes, one line for what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.main import main

R1 = str(Path(__file__).parents[2] / "examples" / "30-r1-owned-or-rented.toml")


def test_cost_as_json_and_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", R1, "--json", "--api", "o1", "--utilisation", "0.8"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "deploy-planner/cost/1"
    assert answer["owned"]["real"]["utilisation"] == 0.8
    assert answer["apis"][0]["month"]["currency"] == "USD"
    assert main(["cost", R1, "--api", "o1"]) == 0
    text = capsys.readouterr().out
    for word in ("none of them is current", "2026-11", "as of", "break-even", "scenario", "Wh", "capped to"):
        assert word in text


def test_a_load_without_answers_has_a_cost_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prompts alone (osl 0: scoring, embedding): no output tokens to divide by."""
    path = tmp_path / "prompts.toml"
    hardware = '[hardware]\naccelerator = "h200-sxm-141gb"\nper_node = 1\n'
    path.write_text(f'[model]\nid = "qwen3-8b"\n{hardware}[workload]\nisl = 1000\nosl = 0\nconcurrency = 8\n')
    assert main(["cost", str(path)]) == 0
    assert "power" in capsys.readouterr().out


def test_own_prices_by_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "mine.toml").write_text(
        '[[purchase]]\naccelerators = ["h200-sxm-141gb"]\nlow = 1000.0\nhigh = 1000.0\n'
        'currency = "USD"\ndate = "2026-11-02"\nsource = "an offer"\n'
    )
    assert main(["cost", R1, "--json", "--data", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["owned"]["purchase"]["devices"]["amount"]["value"] == 8000
    assert answer["as_of"]["devices"] == "2026-11-02: an offer"


@pytest.mark.parametrize(
    "argv",
    [
        ("cost", "no-such-file.toml"),
        ("cost", R1, "--api", "no-such-api"),
        ("cost", R1, "--region", "Atlantis"),
        ("buy", "--model", "deepseek-r1", "--users", "10", "--hardware", "no-such-card"),
        ("buy", "--model", "no-such-model", "--users", "10"),
        ("buy", "--model", "deepseek-r1", "--users", "10", "--quality-floor", "best"),
        ("buy", "--model", "deepseek-r1", "--users", "10", "--preset", "nothing"),
    ],
)
def test_what_cannot_be_used(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("deploy-planner: ") and "internal" not in err


@pytest.mark.parametrize(
    "option",
    [
        ("--utilisation", "2"),
        ("--utilisation", "nan"),
        ("--years", "0"),
        ("--growth", "-1"),
        ("--growth", "0"),
        ("--api-decline", "inf"),
        ("--currency", "euros"),
        ("--exchange", "EUR"),
        ("--exchange", "EUR=0"),
        ("--by-hour", "0.5,0.5"),
        ("--kwh", "-1"),
        ("--horizon", "21"),
    ],
)
def test_options_out_of_range(capsys: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["cost", R1, *option])
    assert stop.value.code == 2
    assert capsys.readouterr().out == ""


def test_hours_of_the_day_are_their_mean(capsys: pytest.CaptureFixture[str]) -> None:
    hours = ",".join(["0"] * 12 + ["1"] * 12)
    assert main(["cost", R1, "--json", "--by-hour", hours]) == 0
    assert json.loads(capsys.readouterr().out)["owned"]["real"]["utilisation"] == 0.5


@pytest.mark.parametrize(
    "argv",
    [
        ("cost", R1, "--json", "--api", "o1"),
        ("buy", "--model", "qwen3-8b", "--users", "4", "--hardware", "rtx-4090", "h200-sxm-141gb", "--json"),
    ],
)
def test_answers_obey_their_schema(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    from jsonschema import Draft202012Validator

    from planner.schemas import build_schema

    assert main(argv) == 0
    answer = json.loads(capsys.readouterr().out)
    Draft202012Validator(build_schema(argv[0])).validate(answer)


def test_nothing_to_buy_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["buy", "--model", "deepseek-r1", "--users", "10", "--hardware", "rtx-4090"]
    assert main(argv) == 3
    assert "too-small" in capsys.readouterr().out
