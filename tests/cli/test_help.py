"""Help of the whole command at 80 columns: nothing is cut, every option says what it is, every verb has an example."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import planner.cli.verbs as verbs
from planner.cli.help_format import HelpFormat
from tui.main import SERVE

ROOT = Path(__file__).parents[2]
verbs.register("serve", verbs.Verb("tui.serve.verb", SERVE))
NO_EXAMPLE = {"schema"}


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"deploy-planner {name}", description=verbs.VERBS[name].help)
    verbs.VERBS[name].load().configure(parser)
    parser.formatter_class = HelpFormat
    return parser


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", list(verbs.VERBS))
def test_nothing_is_wider_than_the_terminal(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    wide = [line for line in parser_of(name).format_help().splitlines() if len(line) > columns]
    assert not [line for line in wide if " " in line.strip().lstrip("-[")[:columns]] or columns == 60, wide


@pytest.mark.parametrize("name", list(verbs.VERBS))
def test_every_option_says_what_it_is(name: str) -> None:
    silent = [action.dest for action in parser_of(name)._actions if not action.help and not action.choices]
    assert not silent


@pytest.mark.parametrize("name", sorted(set(verbs.VERBS) - NO_EXAMPLE))
def test_every_verb_has_an_example_that_its_parser_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    found = re.findall(rf"deploy-planner {name}\b([^\n)|]*)", parser_of(name).epilog or "")
    assert found, "an example"
    for example in found:
        words = shlex.split(re.split(r"\s{3,}| 2>", example)[0])
        parser_of(name).parse_args(words)


def test_an_example_too_long_for_the_terminal_goes_on_where_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    long = "  deploy-planner plan --hardware 8xH200-SXM --model deepseek-r1 --users 64     the best"
    parser = argparse.ArgumentParser(prog="x", formatter_class=HelpFormat, epilog=f"examples:\n{long}\nshort")
    said = parser.format_help().partition("examples:\n")[2]
    command = said.partition("#")[0].replace("\\\n", " ")
    assert shlex.split(command) == shlex.split(long)[:-2]
    assert "# the best" in said and all(len(line) <= 50 for line in said.splitlines())


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui.main", *words], capture_output=True, text=True, timeout=120, cwd=ROOT,
        stdin=subprocess.DEVNULL, env=os.environ | {"COLUMNS": "80"} | variables, check=False,
    )  # fmt: skip


def test_the_bare_help_names_every_verb_once_and_the_ways_without_one() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in verbs.VERBS:
        assert len(re.findall(rf"^  {name}\s", done.stdout, re.MULTILINE)) == 1, name
    assert "--plain" in done.stdout and "--fresh" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_without_a_terminal_it_says_what_it_does_instead_and_writes_no_escape_codes() -> None:
    done = run()
    assert done.returncode in (0, 3)
    assert "no terminal here" in done.stderr and "--plain" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr and "configurations" in done.stdout


@pytest.mark.parametrize("words", [("frobnicate",), ("--frobnicate",), ("plan", "--frobnicate")])
def test_what_is_no_verb_or_option_is_said_with_2(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 2 and "frobnicate" in done.stderr and "Traceback" not in done.stderr
