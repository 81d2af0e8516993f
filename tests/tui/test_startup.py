"""What the first paint needs, and no more."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("pydantic", "planner.documents", "planner.plan", "planner.library", "hwdb", "psutil", "pynvml", "tomllib")


def loaded_by(statement: str) -> set[str]:
    """Names of modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_the_first_paint_imports_no_planner() -> None:
    names = loaded_by("import tui.app, tui.walk")
    assert not [name for name in names if name.startswith(HEAVY)]
    assert "textual.widgets._data_table" not in names and "tui.panes.hardware" not in names


@pytest.mark.parametrize("argv", [["--json"], ["plan"], ["--help"], ["-V"], ["models", "--json"]])
def test_headless_calls_want_no_app(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.main import _wants_app

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert not _wants_app(argv)


def test_without_a_terminal_there_is_no_app() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tui.main import _wants_app; print(_wants_app([]))"],
        capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("given", "expected"), [(None, "100"), ("30", "30")])
def test_frames_are_drawn_often_unless_told_otherwise(given: str | None, expected: str) -> None:
    code = (
        "import tui.main, sys, types\n"
        "app = sys.modules['tui.app'] = types.ModuleType('tui.app')\n"
        "def run_app(argv):\n    from textual import constants\n    print(constants.MAX_FPS)\n"
        "app.run_app = run_app\ntui.main._open([])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    environment |= {"TEXTUAL_FPS": given} if given else {}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert done.stdout.strip() == expected
