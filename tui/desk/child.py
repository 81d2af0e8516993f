"""The process that plans for the app: one task after another, until the app is gone."""

from __future__ import annotations

import os
import pickle
import select
import time
from contextlib import suppress
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

from planner.errors import PlannerError
from planner.library import Library
from tui.desk.line import Done, Order, Stop, Told
from tui.desk.local import Tools
from tui.services import Services

NICE = 5
"""The app goes first where both want one core."""
LOOK_S = 0.002
"""How often a task looks whether it was stopped; it asks far more often."""


def main(handle: int) -> None:
    """Work for whoever holds the other end of this file handle."""
    line = Connection(handle)
    with suppress(OSError):
        os.nice(NICE)
    with suppress(EOFError, OSError):
        while True:
            said = line.recv()
            if isinstance(said, Order):
                line.send_bytes(_packed(_done(said, line)))


@lru_cache(maxsize=1)
def _library(overlays: tuple[Path, ...]) -> Library:
    return Library(overlays)


def _done(order: Order, line: Connection) -> Done:
    """The task, done."""

    def tell(done: int, total: int, text: str) -> None:
        line.send(Told(done, total, text))

    try:
        return Done(order.task(Tools(Services(), _library(order.overlays), tell, Asked(order.number, line))))
    except PlannerError as error:
        return Done(error=PlannerError(str(error)))
    except Exception as error:  # the app says it, as it does of its own
        return Done(error=error)


def _packed(done: Done) -> bytes:
    """As it is sent; an exception that cannot be sent goes by its name and words."""
    try:
        packed = pickle.dumps(done)
        if done.error is not None:
            pickle.loads(packed)
    except Exception as problem:  # whatever pickling raises
        error = done.error or problem
        return pickle.dumps(Done(error=RuntimeError(f"{type(error).__name__}: {error}")))
    return packed


class Asked:
    """Whether the app wants a task stopped. Without an app the process ends here, in the middle of its work."""

    def __init__(self, number: int, line: Connection) -> None:
        self._number, self._line = number, line
        self._stopped, self._next = False, 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOOK_S
            while select.select([self._line], [], [], 0)[0]:
                self._hear()
        return self._stopped

    def _hear(self) -> None:
        try:
            said = self._line.recv()
        except (EOFError, OSError):
            os._exit(0)
        self._stopped |= isinstance(said, Stop) and said.number == self._number
