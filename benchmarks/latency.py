"""How long a key waits while the planner works: ``python -m benchmarks.latency``.

The real program on a pseudo-terminal, simulated 8 machines × 8 GPUs. Keys are typed from the first paint on: steps are
opened for the first time, lists walked and searched while the whole catalogue is planned in the background, sliders
moved while every step of theirs starts a plan. What is timed is from the key to what it draws.

On a machine with other work the app also waits for a processor. The kernel counts that (``schedstat``) for the three
threads that a key passes through, one after the other; it is taken off, and what is left is held to the bound, by the
slowest key; ``wall`` has it in. There, run it before that work (``chrt -f 1``), so that the benchmark itself never
waits; the app runs as an ordinary program all the same.
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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("deploy-planner"))
HARDWARE = "8x8xH200"
BOUND_MS, BOUND_MIB = 50, 150
PATIENCE_S = 120
PASSED = 3
"""Threads on a key's way to the screen, the first that the app has."""
CURSOR, HERE = "▸".encode(), "●".encode()
BACK = b"\x1b[1;5D"
UP, DOWN, RIGHT, LEFT, ESCAPE, CTRL_C = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b", b"\x03"
STEPS = [(b"2", b"Model " + HERE), (b"3", b"Workload " + HERE), (b"4", b"Plans " + HERE), (b"5", b"Export " + HERE),
         (b"1", b"Hardware " + HERE)]  # fmt: skip
"""Keys, and what is drawn once they have had their effect."""
SEARCHED = b"deepseek"


@dataclass(frozen=True)
class Wait:
    """From a key to what it draws, in milliseconds."""

    wall: float
    own: float
    """Without waiting for a processor."""


class Program:
    """The app on a terminal of 120×40."""

    def __init__(self) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
            os.execv(COMMAND, [COMMAND, "--no-session", "--hardware", HARDWARE])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, seconds: float, until: bytes | None = None) -> None:
        """Let it draw, for some time or until something is drawn."""
        end, seen = time.perf_counter() + seconds, b""
        while time.perf_counter() < end and (until is None or until not in seen):
            seen += self._draw()

    def _draw(self) -> bytes:
        """What was drawn; nothing where it ended."""
        if not select.select([self.terminal], [], [], 0.02)[0]:
            return b""
        try:
            return os.read(self.terminal, 65536)
        except OSError:
            return b""

    def press(self, *keys: bytes) -> None:
        for key in keys:
            os.write(self.terminal, key)
            self.read(0.5)

    def wait_of(self, key: bytes, sign: bytes) -> Wait:
        """From a key to its sign on the terminal."""
        start, queued, seen = time.perf_counter(), self._queued_s(), b""
        os.write(self.terminal, key)
        while sign not in seen and time.perf_counter() - start < 2:
            if select.select([self.terminal], [], [], 0.001)[0]:
                seen += os.read(self.terminal, 65536)
        wall = time.perf_counter() - start
        return Wait(wall * 1e3, max(0.0, wall - (self._queued_s() - queued)) * 1e3)

    def _queued_s(self) -> float:
        """Seconds that what a key passes through waited for a processor so far: the threads that are there from the
        first paint to the end read the terminal, run the loop and write."""
        tasks = Path(f"/proc/{self.pid}/task")
        threads = sorted(int(task.name) for task in tasks.iterdir())[:PASSED]
        return sum(_schedstat(tasks / str(thread))[1] for thread in threads) / 1e9

    def processes(self) -> list[int]:
        """The app and those that it started."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [self.pid, *(int(pid) for file in children for pid in file.read_text(encoding="ascii").split())]

    def mebibytes(self, field: str, file: str) -> list[float]:
        """Memory of each process, as the kernel counts it under a name in one of its files."""
        texts = (Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8") for pid in self.processes())
        return [int(re.findall(rf"^{field}:\s+(\d+)", text, re.MULTILINE)[0]) / 1024 for text in texts]

    def wait_until_idle(self) -> None:
        """Until nothing more is worked out."""
        before, end = -1.0, time.perf_counter() + PATIENCE_S
        while (now := self._worked_s()) - before >= 0.02 and time.perf_counter() < end:
            before = now
            self.read(3)

    def _worked_s(self) -> float:
        """Processor seconds of all its processes."""
        tasks = [task for pid in self.processes() for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(_schedstat(task)[0] for task in tasks) / 1e9

    def leave(self) -> None:
        os.write(self.terminal, CTRL_C)
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self._draw()
        os.close(self.terminal)


def _schedstat(task: Path) -> tuple[int, int]:
    """Nanoseconds that a thread ran, and that it waited to run."""
    ran, waited, _ = (task / "schedstat").read_text(encoding="ascii").split()
    return int(ran), int(waited)


def typed(program: Program, keys: Sequence[tuple[bytes, bytes]], gap_s: float) -> list[Wait]:
    """Type keys, each until its sign is drawn."""
    found = []
    for key, sign in keys:
        found.append(program.wait_of(key, sign))
        program.read(gap_s)
    return found


def report(name: str, waits: Sequence[Wait]) -> bool:
    """Print how long keys waited; whether none waited too long."""
    own, wall = sorted(wait.own for wait in waits), sorted(wait.wall for wait in waits)
    above = sum(wait > BOUND_MS for wait in own)
    figures = f"median {statistics.median(own):4.0f}  p90 {own[int(0.9 * len(own))]:4.0f}  max {own[-1]:4.0f} ms"
    verdict = "holds" if not above else f"EXCEEDS by {above} of {len(own)}"
    print(
        f"{name:<38} {figures}   wall: median {statistics.median(wall):4.0f}  max {wall[-1]:4.0f}   {verdict}",
        flush=True,
    )
    return not above


def moving(*keys: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, CURSOR) for key in keys]


def memory(program: Program) -> bool:
    """Print what both processes hold, pages that they share counted once; whether that is within its bound."""
    parts, peaks = program.mebibytes("Pss", "smaps_rollup"), program.mebibytes("VmHWM", "status")
    words, peak = (" + ".join(f"{part:.0f}" for part in found) for found in (parts, peaks))
    good = sum(parts) <= BOUND_MIB
    print(f"{'memory, all steps seen':<38} {sum(parts):4.0f} MiB ({words}; resident peaks, shared pages twice: {peak})"
          f"   bound {BOUND_MIB}: {'holds' if good else 'EXCEEDS'}")  # fmt: skip
    return good


def main() -> int:
    """Print every figure with its bound; 1 where one does not hold."""
    there_and_back = [DOWN] * 10 + [UP] * 10
    sliding = moving(*[RIGHT] * 10, *[LEFT] * 10)
    search = [(SEARCHED[n : n + 1], SEARCHED[: n + 1]) for n in range(len(SEARCHED))]
    held = []

    program = Program()
    program.read(10, until=HERE)
    report("steps opened at the first paint *", typed(program, STEPS, 0.02))
    program.leave()

    program = Program()
    program.read(4)
    held.append(report("steps opened first, planning", typed(program, STEPS, 0.3)))
    program.press(b"2")
    held.append(report("list, catalogue being worked out", typed(program, moving(*there_and_back * 2), 0.05)))
    program.press(b"/")
    held.append(report("search, catalogue being worked out", typed(program, search, 0.05)))
    program.press(ESCAPE, b"3", DOWN, DOWN, DOWN)
    held.append(report("slider, a plan after each step", typed(program, sliding, 0.25)))
    held.append(report("slider, held down", typed(program, sliding, 0.02)))
    program.press(BACK, ESCAPE, ESCAPE)
    program.wait_until_idle()
    held.append(report("list, nothing being worked out", typed(program, moving(*there_and_back), 0.05)))
    program.press(b"g", b"4", b"g", b"4", b"g", b"4", *(b"%c" % key for key in b"milopc"))
    held.append(memory(program))
    program.leave()
    print("* no bound: nothing is planned yet, and each step is read from disk and built when it is asked for")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
