"""How long a key waits while the planner works: ``python -m benchmarks.latency``.

The real program on a pseudo-terminal, simulated 8 machines × 8 GPUs. Keys are typed while the catalogue is worked out
in the background, and while every step of a slider starts a plan; what is timed is from the key to the redrawn cursor.
On a machine with other work, run it before that work (``chrt -f 1``): a wait for the processor is none of the app's.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("deploy-planner"))
HARDWARE = "8x8xH200"
BOUND_MS = 50
CURSOR = "▸".encode()
UP, DOWN, RIGHT, LEFT, ESCAPE, CTRL_C = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b", b"\x03"


class Program:
    """The app on a terminal of 120×40."""

    def __init__(self) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
            os.execv(COMMAND, [COMMAND, "--no-session", "--hardware", HARDWARE])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, seconds: float) -> None:
        """Let it draw."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if select.select([self.terminal], [], [], 0.02)[0]:
                os.read(self.terminal, 65536)

    def press(self, *keys: bytes) -> None:
        for key in keys:
            os.write(self.terminal, key)
            self.read(0.5)

    def wait_of(self, key: bytes) -> float:
        """Milliseconds from a key to the cursor drawn anew."""
        start, seen = time.perf_counter(), b""
        os.write(self.terminal, key)
        while CURSOR not in seen and time.perf_counter() - start < 2:
            if select.select([self.terminal], [], [], 0.001)[0]:
                seen += os.read(self.terminal, 65536)
        return (time.perf_counter() - start) * 1e3

    def peak_mebibytes(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found.group(1)) / 1024 if found else 0.0

    def leave(self) -> None:
        os.write(self.terminal, CTRL_C)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def report(name: str, program: Program, keys: list[bytes], gap_s: float) -> None:
    """Type, and print how long each key waited."""
    waits = []
    for key in keys:
        waits.append(program.wait_of(key))
        program.read(gap_s)
    waits.sort()
    median, ninth, worst = statistics.median(waits), waits[int(0.9 * len(waits))], waits[-1]
    verdict = "holds" if ninth <= BOUND_MS else "EXCEEDS"
    above = sum(wait > BOUND_MS for wait in waits)
    figures = f"median {median:4.0f}  p90 {ninth:4.0f}  max {worst:4.0f} ms, {above} of {len(waits)} above"
    print(f"{name:<34} {figures}   bound {BOUND_MS} by p90: {verdict}")


def main() -> None:
    """Print every figure with its bound."""
    program = Program()
    program.read(8)
    program.press(b"2")
    there_and_back = [DOWN] * 10 + [UP] * 10
    report("list, catalogue being worked out", program, there_and_back * 2, 0.05)
    program.press(ESCAPE)
    report("list, nothing being worked out", program, there_and_back, 0.05)
    program.press(b"3", DOWN, DOWN, DOWN)
    report("slider, a plan after each step", program, [RIGHT] * 10 + [LEFT] * 10, 0.25)
    report("slider, held down", program, [RIGHT] * 10 + [LEFT] * 10, 0.02)
    print(f"{'peak memory':<34} {program.peak_mebibytes():6.0f} MiB   bound 150")
    program.leave()


if __name__ == "__main__":
    main()
