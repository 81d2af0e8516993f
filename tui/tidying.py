"""Garbage collection that no key ever waits for.

A full collection walks every object there is, a quarter of a second with the planner's tables loaded, and holds the
interpreter all the while. Here it happens only when nobody has pressed a key for some time and nothing is being worked
out; what survives it is set apart (``gc.freeze``) and never walked again. Objects without cycles, all of a plan's, go
at once as always.
"""

from __future__ import annotations

import gc
import time

from textual import events
from textual._styles_cache import StylesCache

from tui.own_keys import OwnKeys

YOUNG = (700, 5)
"""Objects after which the youngest are collected, and how often before the middle ones are: a few milliseconds each."""
NEVER = 1_000_000_000
PULSE_S, IDLE_S = 20.0, 8.0


class Tidying(OwnKeys):
    """An app that collects garbage when it has time."""

    def tidy_when_idle(self) -> None:
        """From now on; called once, by the real program."""
        gc.set_threshold(*YOUNG, NEVER)
        self.set_interval(PULSE_S, self.tidy)

    def tidy(self) -> bool:
        """A full collection, unless somebody would feel it."""
        busy = self.planning or self.running("fits") or self.running("curve")
        if busy or time.monotonic() - self._last_key < IDLE_S:
            return False
        StylesCache.get_inner_outer.cache_clear()  # it keeps what was drawn of screens that are closed
        gc.collect()
        gc.freeze()
        return True

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseEvent):
            self._last_key = time.monotonic()
        await super().on_event(event)
