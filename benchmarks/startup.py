"""Whole-process time of the command against bare imports, as ratios within one run: ``python -m benchmarks.startup``.

Absolute times drift from machine to machine, and wall times with whatever else runs; each pair is run in turn,
A B A B …, and the medians are compared, of processor time and of wall time. An installed package has its bytecode
compiled, and so is what is measured here, in a folder of its own; a checkout run with PYTHONDONTWRITEBYTECODE compiles
every module again in each run, a tenth to a quarter more.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

PYTHON = sys.executable
COMMAND = str(Path(PYTHON).with_name("deploy-planner"))
PYDANTIC = [PYTHON, "-c", "import pydantic\nclass M(pydantic.BaseModel):\n    a: int"]
STDLIB = [PYTHON, "-c", "import argparse, json, tomllib"]
TEXTUAL = [PYTHON, "-c", "import textual.app"]


@dataclass(frozen=True)
class Cost:
    """Seconds of one process."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Check:
    """One command against its baseline."""

    name: str
    ours: Callable[[], Cost]
    baseline: Sequence[str]
    bound: float
    by: Literal["cpu", "wall"] = "cpu"


def cost_of(argv: Sequence[str], codes: Sequence[int] = (0,)) -> Cost:
    """A process run to its end. Stops the benchmark when it ends with any other exit code."""
    start = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise SystemExit(f"{' '.join(argv)}: exit code {process.returncode}, expected {codes}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def first_paint(argv: Sequence[str]) -> Cost:
    """Until a program on a 120×40 terminal has drawn the name of the app; the program is then ended."""
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(argv[0], argv)
    seen = b""
    while b"deploy-planner" not in seen and select.select([terminal], [], [], 30)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    wall = time.perf_counter() - start
    os.kill(pid, 9)
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    if b"deploy-planner" not in seen:
        raise SystemExit(f"{' '.join(argv)}: drew nothing")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def holds(check: Check, rounds: int) -> bool:
    """Prints the medians and their ratios."""
    check.ours(), cost_of(check.baseline)
    pairs = [(check.ours(), cost_of(check.baseline)) for _ in range(rounds)]
    found = {
        "cpu": _ratio([(a.cpu, b.cpu) for a, b in pairs]),
        "wall": _ratio([(a.wall, b.wall) for a, b in pairs]),
    }
    figures = "   ".join(f"{k} {a * 1e3:5.0f} ms : {b * 1e3:4.0f} ms = {r:4.2f}" for k, (a, b, r) in found.items())
    good = found[check.by][2] <= check.bound
    print(f"{check.name:<24} {figures}   bound {check.bound} by {check.by}: {'holds' if good else 'EXCEEDS'}")
    return good


def _ratio(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Both medians, and that of the ratios."""
    ours, base = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(base), statistics.median(a / b for a, b in pairs)


def peak_mebibytes(argv: list[str]) -> float:
    """Peak resident memory of a process in MiB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    done = subprocess.run([PYTHON, "-c", code, *argv], capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints every figure with its bound; 1 when one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args(argv)
    with TemporaryDirectory() as folder:
        compiled_into(folder)
        return _checked(chosen.rounds)


def compiled_into(folder: str) -> None:
    """Every process keeps its bytecode there, as that of an installed package is kept."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder


def _checked(rounds: int) -> int:
    checks = (
        Check("--json", lambda: cost_of([COMMAND, "--json"], codes=(0, 3)), PYDANTIC, 3.0),
        Check("--help", lambda: cost_of([COMMAND, "--help"]), STDLIB, 2.5),
        Check("--version", lambda: cost_of([COMMAND, "--version"]), STDLIB, 2.5),
        Check("first paint of the app", lambda: first_paint([COMMAND, "--no-session"]), TEXTUAL, 1.5, by="wall"),
    )
    held = [holds(check, rounds) for check in checks]
    peak = peak_mebibytes([COMMAND, "--json"])
    print(f"{'--json, peak memory':<24} {peak:.0f} MiB   bound 120: {'holds' if peak <= 120 else 'EXCEEDS'}")
    return 0 if all(held) and peak <= 120 else 1


if __name__ == "__main__":
    sys.exit(main())
