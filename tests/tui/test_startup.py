"""What the first paint needs, and no more."""

from __future__ import annotations

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
