"""Vendors' command line tools, run with a time limit and a bounded output; never through a shell."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from planner.detect.surroundings import Surroundings
from planner.units import MIB

PATIENCE_S = 15.0
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
            done = subprocess.run(
                [path, *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=patience_s,
                env={**place.environ, "LC_ALL": "C"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ToolOutput(problem=f"{arguments[0]} did not answer within {patience_s:.0f} s")
        except OSError as error:
            return ToolOutput(problem=f"{arguments[0]} cannot be run: {error.strerror}")
        output.seek(0)
        content = output.read(MAX_OUTPUT)
    if done.returncode and not content.strip():
        return ToolOutput(problem=f"{arguments[0]} failed with exit code {done.returncode}")
    return ToolOutput(content)
