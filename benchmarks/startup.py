"""Whole-process time of the command against bare imports, as ratios within one run: ``python -m benchmarks.startup``.

Absolute times drift from machine to machine; each pair is run in turn, A B A B …, and the medians are compared.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PYTHON = sys.executable
COMMAND = str(Path(PYTHON).with_name("deploy-planner"))
ROUNDS = int(os.environ.get("ROUNDS", "7"))
PYDANTIC = [PYTHON, "-c", "import pydantic\nclass M(pydantic.BaseModel):\n    a: int"]
STDLIB = [PYTHON, "-c", "import argparse, json, tomllib"]
TEXTUAL = [PYTHON, "-c", "import textual.app"]


def seconds_of(argv: list[str]) -> float:
    """Wall time of a process run to its end."""
    start = time.perf_counter()
    subprocess.run(argv, capture_output=True, check=False, timeout=120)
    return time.perf_counter() - start


def seconds_to_first_paint(argv: list[str]) -> float:
    """Wall time until a program on a 120×40 terminal has drawn the name of the app."""
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
    took = time.perf_counter() - start
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(terminal)
    return took


def compare(name: str, ours: Callable[[], float], baseline: list[str], bound: float) -> None:
    """Print the medians of both and the ratio of ours to the baseline."""
    ours(), seconds_of(baseline)
    pairs = [(ours(), seconds_of(baseline)) for _ in range(ROUNDS)]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    verdict = "holds" if a / b <= bound else "EXCEEDS"
    print(f"{name:<22} {a * 1e3:7.0f} ms   baseline {b * 1e3:6.0f} ms   ratio {a / b:5.2f}   bound {bound}: {verdict}")


def peak_mebibytes(argv: list[str]) -> float:
    """Peak resident memory of a process in MiB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    done = subprocess.run([PYTHON, "-c", code, *argv], capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


def main() -> None:
    """Print every figure with its bound."""
    compare("--json", lambda: seconds_of([COMMAND, "--json"]), PYDANTIC, 3.0)
    compare("--help", lambda: seconds_of([COMMAND, "--help"]), STDLIB, 2.5)
    compare("--version", lambda: seconds_of([COMMAND, "--version"]), STDLIB, 2.5)
    compare("first paint of the app", lambda: seconds_to_first_paint([COMMAND]), TEXTUAL, 1.8)
    print(f"{'--json, peak memory':<22} {peak_mebibytes([COMMAND, '--json']):7.0f} MiB  bound 120")


if __name__ == "__main__":
    main()
