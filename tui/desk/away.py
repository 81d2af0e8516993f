"""A desk in another process. It is started once, started again when it was lost, and ends with the app."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

from planner.errors import PlannerError
from tui.desk.line import Done, Order, Stop, Told
from tui.desk.local import Desk, Result, Task, unstopped, untold
from tui.desk.turns import Turns
from tui.services import Progress, Stopped

LOOK_S = 0.02
"""How often a waiting thread looks whether it is to stop."""
LOST = "the process that plans ended twice by itself, for want of memory perhaps — change an input, or start again"
CHILD = """
import sys
sys.path[:], sys.pycache_prefix = {path!r}, {cache!r}
from tui.desk.child import main
main({handle})
"""


class NoProcess(Exception):
    """No second process can be had here."""


class Away(Desk):
    """Tasks are done one at a time, in the order in which they came; where no process can be had, ``here``."""

    def __init__(self, here: Desk, overlays: tuple[Path, ...]) -> None:
        self._here, self._overlays = here, overlays
        self._turns, self._numbers = Turns(), count()
        self._child: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._closed = False

    def open(self) -> None:
        with self._turns, suppress(NoProcess):
            self._started()

    def do(self, task: Task[Result], tell: Progress = untold, stopped: Stopped = unstopped) -> Result:
        try:
            with self._turns:
                done = self._tried(task, tell, stopped) or self._tried(task, tell, stopped)
        except NoProcess:
            return self._here.do(task, tell, stopped)
        if done is None:
            raise PlannerError(LOST)
        if done.error is not None:
            raise done.error
        result: Result = done.result
        return result

    def _tried(self, task: Task[Result], tell: Progress, stopped: Stopped) -> Done | None:
        """The task done, or nothing where the process was lost."""
        try:
            return self._asked(self._started(), task, tell, stopped)
        except (EOFError, OSError):
            self._end()
            return Done(error=PlannerError(LOST)) if self._closed else None

    def _asked(self, line: Connection, task: Task[Result], tell: Progress, stopped: Stopped) -> Done:
        """Send it and wait, telling how far it is."""
        number, told = next(self._numbers), False
        line.send(Order(number, task, self._overlays))
        while True:
            if not told and stopped():
                line.send(Stop(number))
                told = True
            if not line.poll(LOOK_S):
                continue
            said = line.recv()
            if isinstance(said, Done):
                return said
            if isinstance(said, Told):
                tell(said.done, said.total, said.text)

    def _started(self) -> Connection:
        """The line to the process. Raises NoProcess where there can be none."""
        if self._line is None:
            if os.name != "posix" or not sys.executable:
                raise NoProcess
            ours, theirs = Pipe()
            with theirs:
                try:
                    self._child = _child(theirs.fileno())
                except OSError as error:
                    raise NoProcess from error
            self._line = ours
        return self._line

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._line = self._child = None

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._closed = True
        if self._child is not None:
            self._child.kill()
            self._child.wait()


def _child(handle: int) -> subprocess.Popen[bytes]:
    """The process, at work for the other end of a handle. The folder it runs in lends it no modules (``-I``)."""
    program = CHILD.format(path=sys.path, cache=sys.pycache_prefix, handle=handle)
    flags = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", program], pass_fds=[handle], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
