"""The real program in a real terminal: launched, walked, written, left; skipped aloud where tmux is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE_S = 60.0
pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: the terminal is not tested"
)


class Terminal:
    """One tmux window with a shell in it, on a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.name = f"deploy-planner-{uuid.uuid4().hex[:8]}"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), "sh")
        self._type("PS1='$ '; stty -g > before; clear")
        self.wait_for("$")

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.name, *words], capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def _type(self, line: str) -> None:
        self._tmux("send-keys", line, "Enter")

    def run(self, command: str) -> None:
        self._type(f"{command}; echo exit=$?; stty -g > after")

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *words: str) -> str:
        """The screen, once all the words stand on it."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            shown = self.screen()
            if all(word in shown for word in words):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"never saw {words} on\n{self.screen()}")

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(tmp_path)
    yield found
    found.close()


PROGRAM = f"{sys.executable} -m tui.main"


def test_from_this_machine_to_a_file_and_out_again(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(f"PYTHONPATH={Path(__file__).parents[2]} {PROGRAM}")
    terminal.wait_for("1 Hw ●", "(detected)", "4 Plans ✓")
    for digit, words in (("2", "best that fits"), ("3", "Users at once"), ("4", "Ranked"), ("5", "deployment.toml")):
        terminal.press(digit)
        terminal.wait_for(words)
    terminal.press("w")
    terminal.wait_for("Wrote")
    terminal.press("C-q")
    shown = terminal.wait_for("exit=0")
    assert "deploy-planner/deployment/1" in (tmp_path / "deployment.toml").read_text()
    assert "Traceback" not in shown and "●" not in shown, "the screen is as it was"
    terminal.press("Enter")
    terminal.wait_for("$")
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text(), "the terminal is as it was"


def test_ctrl_c_in_the_middle_leaves_a_clean_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(f"PYTHONPATH={Path(__file__).parents[2]} {PROGRAM} --hardware 8x8xH200")
    terminal.wait_for("1 Hw ●", "64×H200")
    terminal.press("C-c")
    shown = terminal.wait_for("exit=130")
    assert "Traceback" not in shown
    terminal.press("Enter")
    terminal.wait_for("$")
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
