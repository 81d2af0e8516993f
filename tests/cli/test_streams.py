"""stdout and stderr of any encoding, on a full disk, closed: a plain message, never an internal error."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from planner.cli.streams import HANDLER, make_writable

PLAN = ("plan", "--hardware", "h100", "--model", "qwen3-8b")
ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
FULL = Path("/dev/full")


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    program = f'{sys.executable} -c "import sys; from tui.main import main; sys.exit(main())"'
    environment = {**os.environ, **variables}
    return subprocess.run(["sh", "-c", f"{program} {line}"], capture_output=True, env=environment, check=False)


@pytest.mark.parametrize("verb", [PLAN, ("plan", "--help"), ("models", "qwen3-8b"), ("hardware", "h100")], ids=" ".join)
def test_an_ascii_terminal_gets_ascii(verb: tuple[str, ...]) -> None:
    done = shell(" ".join(verb), **ASCII)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.isascii() and len(done.stdout) > 500


def test_json_of_an_ascii_stream_is_the_same_document() -> None:
    plain, full = (json.loads(shell(" ".join((*PLAN, "--json")), **way).stdout) for way in (ASCII, {}))
    assert plain["candidates"][0]["estimate"]["memory"] == full["candidates"][0]["estimate"]["memory"]


def test_signs_without_a_word_are_escaped() -> None:
    make_writable()
    assert "8×H100 · 1 – 2 → ü 🙂".encode("ascii", HANDLER) == b"8xH100 . 1 - 2 -> \\u00fc \\ud83d\\ude42"
    with pytest.raises(UnicodeDecodeError):
        codecs.decode(b"\xff", "ascii", HANDLER)


@pytest.mark.skipif(not FULL.exists(), reason="no full device here")
@pytest.mark.parametrize("verb", [PLAN, (*PLAN, "--json"), ("models",)], ids=" ".join)
def test_a_full_disk(verb: tuple[str, ...]) -> None:
    done = shell(f"{' '.join(verb)} > {FULL}")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "deploy-planner: stdout: cannot be written: No space left on device — make room there\n"
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    assert shell(f"models qwen3-8b {closed}").returncode == 0
    done = shell(f"nosuch {closed}")
    assert (done.returncode, done.stdout) == (2, b""), "what is wrong never lands on stdout"


def test_a_reader_that_leaves() -> None:
    done = shell("models | head -1")
    assert (done.returncode, done.stderr) == (0, b"")
