"""The real program in a real terminal: launched, walked, written, left; skipped aloud where tmux is missing."""

from __future__ import annotations

import re
import shutil
import signal
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

    def coloured(self) -> str:
        """The screen with its colours, as escape codes."""
        return self._tmux("capture-pane", "-p", "-e")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def modes(self) -> dict[str, str]:
        """What a program may leave switched on: another screen, the mouse, a hidden cursor."""
        names = ("alternate_on", "mouse_any_flag", "mouse_sgr_flag", "cursor_flag")
        said = self._tmux("display-message", "-p", " ".join(f"#{{{name}}}" for name in names)).split()
        return dict(zip(names, said, strict=True))

    def is_as_before(self, folder: Path) -> bool:
        """The screen, the modes and the line settings are those from before the program."""
        self.press("Enter")
        self.wait_for("$")
        clean = {"alternate_on": "0", "mouse_any_flag": "0", "mouse_sgr_flag": "0", "cursor_flag": "1"}
        same_line = (folder / "after").read_text() == (folder / "before").read_text()
        return self.modes() == clean and same_line and "Hardware" not in self.screen()

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
        """The window goes away, with everything that still runs in it told so; it may be gone already."""
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False, timeout=30)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = Terminal(tmp_path)
    yield found
    found.close()


HERE = f"PYTHONPATH={Path(__file__).parents[2]} XDG_STATE_HOME=$PWD/state"
PROGRAM = f"{HERE} {sys.executable} -m tui.main"
COLOUR = re.compile(r"\x1b\[[0-9;]*?(?<![0-9])([34][0-8]|9[0-7]|10[0-7])[;0-9]*m")
"""A foreground or background colour."""


def test_from_this_machine_to_a_file_and_out_again(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(PROGRAM)
    terminal.wait_for("1 Hw ●", "(detected)", "4 Plans ✓")
    for digit, words in (("2", "best that fits"), ("3", "Users at once"), ("4", "Ranked"), ("5", "Write —")):
        terminal.press(digit)
        terminal.wait_for(words)
    terminal.press("w")
    terminal.wait_for("Wrote")
    terminal.press("C-q")
    shown = terminal.wait_for("exit=0")
    assert "deploy-planner/deployment/1" in (tmp_path / "deployment.toml").read_text()
    assert "Traceback" not in shown and "●" not in shown, "the screen is as it was"
    assert terminal.is_as_before(tmp_path)


def test_ctrl_c_in_the_middle_leaves_a_clean_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(f"{PROGRAM} --hardware 8x8xH200")
    terminal.wait_for("1 Hw ●", "64×H200")
    terminal.press("C-c")
    shown = terminal.wait_for("exit=130")
    assert "Traceback" not in shown and terminal.is_as_before(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_a_clean_terminal(terminal: Terminal, tmp_path: Path, number: signal.Signals) -> None:
    terminal.run(f"sh -c 'echo $$ > pid; {HERE} exec {sys.executable} -m tui.main --hardware 8xH200'")
    terminal.wait_for("1 Hw ●", "4 Plans ✓")
    assert terminal.modes()["alternate_on"] == "1"
    subprocess.run(["kill", f"-{number.value}", (tmp_path / "pid").read_text().strip()], check=True, timeout=10)
    shown = terminal.wait_for(f"exit={128 + number}")
    assert "Traceback" not in shown and terminal.is_as_before(tmp_path)


def test_a_terminal_that_is_gone_takes_the_program_along(terminal: Terminal, tmp_path: Path) -> None:
    """A dropped line: whatever is still to be written, nothing is left running."""
    terminal.run(f"sh -c 'echo $$ > pid; {HERE} exec {sys.executable} -m tui.main --no-session --hardware 8x8xH200'")
    terminal.wait_for("1 Hw ●")
    pid = int((tmp_path / "pid").read_text())
    terminal.press("2", "3", "Down")
    terminal.close()
    end = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


def test_every_step_fits_80x24_and_any_size_in_between(terminal: Terminal) -> None:
    """The footer's last words are the last words of the screen. A size that is exported does not count."""
    terminal.run(f"COLUMNS=80 LINES=24 {PROGRAM} --hardware 8xH200")
    terminal.wait_for("1 Hw ●", "4 Plans ✓")
    for digit, words in (("1", "NVIDIA H200"), ("2", "best that fits"), ("3", "Users at once"), ("4", "Ranked")):
        for width, height in ((80, 24), (120, 40), (200, 60), (100, 30), (80, 24)):
            terminal.resize(width, height)
            terminal.press(digit)
            shown = settled_at(terminal, width, height, words)
            assert max(map(len, shown.splitlines())) <= width
            assert ("Best plan so far" in shown) == (width >= 110), "beside, or folded below"
    terminal.press("C-q")
    terminal.wait_for("exit=0")


def settled_at(terminal: Terminal, width: int, height: int, words: str) -> str:
    """The screen once it is drawn for a size."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        shown = terminal.screen().rstrip("\n")
        lines = shown.splitlines()
        whole = len(lines) == height and len(lines[-1]) == width - 1 and lines[-1].endswith("^P commands")
        drawn = whole and words in shown
        if drawn and ("Best plan so far" in shown) == (width >= 110):
            return shown
        time.sleep(0.05)
    raise AssertionError(f"never drawn at {width}×{height}:\n{terminal.screen()}")


@pytest.mark.parametrize("variables", ["TERM=linux", "LANG=C LC_ALL=", "LC_ALL=en_US.ISO-8859-1"])
def test_terminals_without_unicode_get_ascii_and_reach_a_file(
    terminal: Terminal, tmp_path: Path, variables: str
) -> None:
    terminal.run(f"{variables} {PROGRAM} --hardware 8xH200")
    terminal.wait_for("1 Hw *", "4 Plans +")
    assert terminal.screen().isascii()
    terminal.press("5")
    terminal.wait_for("schema =", "Write -")
    terminal.press("w")
    shown = terminal.wait_for("Wrote")
    assert shown.isascii() and (tmp_path / "deployment.toml").is_file()
    terminal.press("C-q")
    terminal.wait_for("exit=0")


def test_no_color_shows_none_and_still_says_everything(terminal: Terminal) -> None:
    terminal.run(f"NO_COLOR=1 {PROGRAM} --hardware 8xH200")
    terminal.wait_for("1 Hw ●", "4 Plans ✓", "✓ fits", "WWWW")
    found = COLOUR.findall(terminal.coloured())
    assert not found, found
    terminal.press("C-q")
    terminal.wait_for("exit=0")


def test_sixteen_colours_are_enough(terminal: Terminal) -> None:
    terminal.run(f"TERM=xterm-16color COLORTERM= {PROGRAM} --hardware 8xH200")
    terminal.wait_for("1 Hw ●", "4 Plans ✓")
    assert not re.findall(r"\x1b\[[0-9;]*[34]8;[25]", terminal.coloured()), "no colour beyond the terminal's sixteen"
    terminal.press("C-q")
    terminal.wait_for("exit=0")


def test_a_session_whose_line_dropped_goes_on_at_the_next_start(terminal: Terminal, tmp_path: Path) -> None:
    command = f"sh -c 'echo $$ > pid; {HERE} exec {sys.executable} -m tui.main --hardware 8xH200'"
    terminal.run(command)
    terminal.wait_for("1 Hw ●", "4 Plans ✓")
    terminal.press("3")
    terminal.wait_for("Preset —")
    terminal.press("Down", "Down")
    terminal.wait_for("Users at once —")
    terminal.press("7", "7", "Enter")
    terminal.wait_for("[       77]")
    state = tmp_path / "state" / "deploy-planner" / "session.json"
    end = time.monotonic() + PATIENCE_S
    while '"users": 77' not in (state.read_text() if state.exists() else "") and time.monotonic() < end:
        time.sleep(0.05)
    subprocess.run(["kill", "-HUP", (tmp_path / "pid").read_text().strip()], check=True, timeout=10)
    terminal.wait_for("exit=129")
    terminal.run(f"clear; {PROGRAM} --hardware 8xH200")
    terminal.wait_for("3 Workload ●", "[       77]", "Your session goes on")
    terminal.press("C-q")
    terminal.wait_for("exit=0")
    assert not state.exists()


def test_a_new_user_reaches_a_file_by_enter_alone_in_five_presses(terminal: Terminal, tmp_path: Path) -> None:
    """From launch to an exported deployment without a manual, each press after the screen says what it would do."""
    terminal.run(f"{PROGRAM} --hardware 8xH200")
    terminal.wait_for("4 Plans ✓", "▸0")
    for words in (
        ("2 Model ●", "Leave the choice"),
        ("3 Workload ●", "Preset —"),
        ("4 Plans ●", "▸1"),
        ("schema =", "Write —"),
    ):
        terminal.press("Enter")
        terminal.wait_for(*words)
    terminal.press("Enter")
    terminal.wait_for("Wrote")
    assert (tmp_path / "deployment.toml").is_file()
    terminal.press("C-q")
    terminal.wait_for("exit=0")


def test_what_if_and_recorded_requests_in_a_real_terminal(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("time,isl,osl\n0,100,20\n1,300,40\n2,500,60\n3,1100,80\n")
    terminal.run(f"{PROGRAM} --hardware 2xRTX-4090")
    terminal.wait_for("1 Hw ●", "4 Plans ✓")
    terminal.press("3")
    terminal.wait_for("Preset —", "w What if")
    terminal.press("w")
    terminal.wait_for("Plan 1", "Users ×2", "▼ +", "Escape leaves all as it was")
    terminal.press("Escape")
    terminal.wait_for("3 Workload ●")
    terminal.press("o")
    terminal.wait_for("A trace of requests", "few.cs")
    terminal.press(*"few.csv", "Enter")
    terminal.wait_for("‹ few.csv ›", "4 requests in 3.0 s", "from the trace", "4 Plans ✓")
    terminal.press("4")
    terminal.wait_for("Ranked")
    terminal.press("s")
    terminal.wait_for("Simulated")
    terminal.press("Escape")
    terminal.press("C-q")
    shown = terminal.wait_for("exit=0")
    assert "Traceback" not in shown


def test_keys_sent_in_one_go_reach_what_they_open(terminal: Terminal) -> None:
    """From the first paint on: steps and dialogs are opened by the very keys before those that are meant for them."""
    terminal.run(f"{PROGRAM} --no-session --hardware 8x8xH200")
    terminal.wait_for("1 Hw")
    terminal.press("2", "3", "Down", "Down", "7", "7", "Enter")
    terminal.wait_for("3 Workload ●", "[       77]")
    terminal.press("b", "b", "e", "2xH200", "Enter", "4", "x", "Down", "x", "c")
    terminal.wait_for("4 Plans ●", "2×H200", "Compare")
    terminal.press("C-c")
    terminal.wait_for("exit=130")
