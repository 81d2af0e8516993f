"""First come, first served: a lock that a busy thread cannot take again before those who wait."""

from __future__ import annotations

from threading import Condition
from types import TracebackType


class Turns:
    """``with turns:`` waits for everyone who came before. (A plain lock goes to whoever is fastest.)"""

    def __init__(self) -> None:
        self._changed = Condition()
        self.drawn = self._served = 0

    def __enter__(self) -> None:
        with self._changed:
            mine = self.drawn
            self.drawn += 1
            self._changed.wait_for(lambda: self._served == mine)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._served += 1
            self._changed.notify_all()
