"""Vendors' command line tools, run with a time limit and a bounded output; never through a shell."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from planner.detect.surroundings import Surroundings
from planner.units import MIB

PATIENCE_S = 15.0
KILL_PATIENCE_S = 0.5
MAX_OUTPUT = 32 * MIB


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool printed. ``problem`` tells why there is nothing to read."""

    content: bytes = b""
    problem: str | None = None


def run_tool(place: Surroundings, arguments: Sequence[str], patience_s: float = PATIENCE_S) -> ToolOutput | None:
    """Run ``arguments[0]`` from PATH; None if there is no such tool.

    The output goes to a file, so that a talkative tool fills a disk page and not this process, and is cut at 32 MiB.
    """
    path = place.find_tool(arguments[0])
    if path is None:
        return None
    with tempfile.TemporaryFile() as output:
        try:
            code = _wait([path, *arguments[1:]], output, {**place.environ, "LC_ALL": "C"}, patience_s)
        except OSError as error:
            return ToolOutput(problem=f"{arguments[0]} cannot be run: {error.strerror}")
        if code is None:
            return ToolOutput(problem=f"{arguments[0]} did not answer within {patience_s:g} s")
        output.seek(0)
        content = output.read(MAX_OUTPUT)
    if code and not content.strip():
        return ToolOutput(problem=f"{arguments[0]} failed with exit code {code}")
    return ToolOutput(content)


def _wait(command: list[str], output: IO[bytes], environ: dict[str, str], patience_s: float) -> int | None:
    """The exit code, or None after killing the tool and its children; one that hangs in the driver is left behind."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, env=environ, start_new_session=True
    )
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_PATIENCE_S)
    return None
