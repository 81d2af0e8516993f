"""The commands of the README, one after the other in one folder, as printed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("deploy-planner")
FOREVER = ("--plain", "serve")
"""They wait for a person."""
FOUND = {"doctor": {0, 3}, "verify": {0, 3}, "explain": {0, 3}, "--json": {0, 3}}
"""What these find is the machine's and the log's affair; everything else must fit."""


def commands() -> list[str]:
    screen = (ROOT / "README.md").read_text(encoding="utf-8").partition("```console")[2].partition("```")[0]
    lines = [line.removeprefix("$ ").partition("#")[0] for line in screen.splitlines() if line.startswith("$ ")]
    return [command.strip() for line in lines for command in re.split(r";\s+(?=deploy-planner)", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with what is the reader's own: a log and saved output of a vendor's tool."""
    place = tmp_path_factory.mktemp("clone")
    (place / "examples").symlink_to(ROOT / "examples")
    fixtures = ROOT / "tests" / "fixtures"
    shutil.copy(fixtures / "logs" / "vllm-0.33.0.log", place / "vllm.log")
    shutil.copy(fixtures / "recorded" / "nvidia-smi-q-x.a100-sxm4-v12.xml", place / "nvidia-smi.xml")
    return place


@pytest.mark.parametrize("command", commands())
def test_each_command_works_as_printed(command: str, folder: Path) -> None:
    words = shlex.split(command)
    assert words[0] == "deploy-planner"
    if words[1] in FOREVER:
        pytest.skip("waits for a person")
    done = subprocess.run(
        [str(COMMAND), *words[1:]], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in FOUND.get(words[1], {0}), done.stderr
    assert done.stdout.strip() or "wrote" in done.stderr


def test_the_screen_shows_every_verb_that_does_something() -> None:
    from planner.cli.verbs import VERBS

    shown = {shlex.split(command)[1] for command in commands()}
    assert set(VERBS) - {"schema", "completion"} <= shown
