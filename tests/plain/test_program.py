"""The real program in plain mode: piped, interrupted, on a dumb terminal, without a toolkit."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tui.main", "--plain", "--hardware", "8xH200"]
ANSWERS = "\n\ndeepseek-r1\n\n\n\n\n\n\n\n\n"


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    return kept | {"PYTHONPATH": str(ROOT)} | more


@pytest.mark.parametrize(
    "variables", [{"TERM": "dumb"}, {"TERM": "", "LANG": "C"}, {"LC_ALL": "en_US.ISO-8859-1"}, {"NO_COLOR": "1"}]
)
def test_piped_answers_reach_a_written_document(tmp_path: Path, variables: dict[str, str]) -> None:
    done = subprocess.run(
        PROGRAM, input=ANSWERS, capture_output=True, text=True, cwd=tmp_path, timeout=120, env=environment(**variables),
        check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert (tmp_path / "deployment.toml").is_file()
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    if variables.get("LANG") == "C":
        assert done.stdout.isascii()


def test_no_toolkit_is_loaded_for_the_whole_walk(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['--plain', '--hardware', '8xH200']\n"
        "from tui.main import main; code = main()\n"
        "print('LOADED', [m for m in ('textual', 'rich') if m in sys.modules], code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=ANSWERS, capture_output=True, text=True, cwd=tmp_path, timeout=120,
        env=environment(), check=False,
    )  # fmt: skip
    assert done.stdout.rstrip().endswith("LOADED [] 0"), done.stdout[-500:] + done.stderr


def test_bytes_that_are_no_text_are_no_answer(tmp_path: Path) -> None:
    done = subprocess.run(
        PROGRAM, input=b"\xff\xfe\x00\n" * 3 + b"q\n", capture_output=True, cwd=tmp_path, timeout=120,
        env=environment(LANG="C.UTF-8"), check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.count(b"none of them") == 3


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    command = f"{' '.join(PROGRAM)} 2>errors | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], input=ANSWERS, capture_output=True, text=True, cwd=tmp_path, timeout=120,
        env=environment(), check=False,
    )  # fmt: skip
    assert "Traceback" not in (tmp_path / "errors").read_text()
    assert done.stdout.splitlines()[-1] in ("0", "141")


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 0), (b"q\n", 0)])
def test_a_terminal_is_left_by_ctrl_c_ctrl_d_and_q(tmp_path: Path, key: bytes, code: int) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(PROGRAM[0], PROGRAM, environment(TERM="dumb"))
    seen = _read_until(terminal, b"Enter takes 1:")
    os.write(terminal, key)
    status = _left(pid, terminal)
    assert os.waitstatus_to_exitcode(status) == code
    assert b"\x1b" not in seen


def test_a_terminal_that_moves_no_cursor_gets_the_walk_as_lines(tmp_path: Path) -> None:
    words = [word for word in PROGRAM if word != "--plain"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(words[0], words, environment(TERM="dumb"))
    seen = _read_until(terminal, b"Enter takes 1:")
    os.write(terminal, b"q\n")
    assert os.waitstatus_to_exitcode(_left(pid, terminal)) == 0
    assert b"plain mode" in seen and b"\x1b" not in seen


def _read_until(terminal: int, words: bytes) -> bytes:
    seen, end = b"", time.monotonic() + 60
    while words not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536)
    assert words in seen, seen
    return seen


def _left(pid: int, terminal: int) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):
                os.read(terminal, 65536)
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            os.close(terminal)
            return status
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("it did not leave")
