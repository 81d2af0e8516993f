"""What a key will want is got ready before it is pressed: modules first, then pane after pane, while nobody types.

A pane is made of dozens of widgets: to mount one takes longer than a key should wait. Behind the step that is on the
screen it takes as long, but nobody waits for it.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from tui.panes.opened import PANES
from tui.threads import in_thread
from tui.typing_order import TypingOrder

if TYPE_CHECKING:
    from tui.walk import WalkScreen

PULSE_S = 0.1
STILL_S = 0.4
"""So long after the last key the next pane is mounted."""
ROOMS = ("modals.prompt", "modals.reader", "modals.rig", "modals.cost", "modals.verify", "widgets.plot", "explain")
PARTS = ("textual.command", "planner.documents.files")


class Ahead(TypingOrder):
    """An app that opens before it is asked to."""

    _ahead: Timer | None = None

    @property
    def walk(self) -> WalkScreen:
        raise NotImplementedError

    def open_ahead_when_still(self) -> None:
        """From now on; called once, by the real program."""
        self._ahead = self.set_interval(PULSE_S, self.open_ahead, pause=True)
        self.set_timer(STILL_S, self._read_modules)

    @work(group="ahead", exit_on_error=False)
    async def _read_modules(self) -> None:
        """Modules in a thread; then panes can be mounted without reading any."""
        await in_thread(lambda: read_modules(self.giving_way(Event())), "ahead")
        if self._ahead is not None:
            self._ahead.resume()

    async def open_ahead(self) -> None:
        """One pane, unless somebody would feel it."""
        if self.opening or time.monotonic() - self._last_key < STILL_S:
            return
        if not await self.walk.open_ahead() and self._ahead is not None:
            self._ahead.pause()


def read_modules(giving_way: Callable[[], bool]) -> None:
    """All that the app may come to need on the screen, in the order in which it is likely to; keys go first."""
    panes = dict.fromkeys(f"tui.panes.{name.partition('.')[0]}" for name in PANES.values())
    for name in (*panes, *(f"tui.{name}" for name in ROOMS), *PARTS):
        giving_way()
        importlib.import_module(name)
