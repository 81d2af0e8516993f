"""Keys in the order in which they were pressed: each is given out when the one before it has had its whole effect.

A key goes to what has the focus. Without this, keys pressed in the instant in which a step or a dialog opens go to what
had the focus before, or to nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from textual import events
from textual.app import ScreenStackError
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen

from tui.tidying import Tidying
from tui.walk import WalkScreen

ROUNDS = 3
"""A key's effect is told by messages, each of which may lead to another: the longest way that one goes here."""
LOST_S = 0.1
"""A message that goes down with what it was on arrives no more; nobody waits longer for it."""
PATIENCE_S = 2.0
"""Nor longer than this for a step or a dialog to open."""
PULSE_S = 0.002
AT_ONCE = frozenset({"ctrl+c"})
"""Keys that wait for nothing."""

Typed = events.Key | events.Paste


class Passed(Message):
    """Follows a key on its way up to the app."""

    def __init__(self, passed: Callable[[], None]) -> None:
        super().__init__()
        self.passed = passed


class TypingOrder(Tidying):
    """An app that loses no key and mixes none up."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._typed: deque[Typed] = deque()
        self._turn: Typed | None = None
        """What was waiting and is given out now."""
        self._following: asyncio.Task[None] | None = None

    @property
    def opening(self) -> bool:
        """Whether what is on the screen does not take keys yet."""
        screen = self.screen
        return not screen.is_mounted or (isinstance(screen, WalkScreen) and screen.opening)

    @property
    def typing(self) -> bool:
        """Whether a key waits, or has not had its whole effect."""
        return bool(self._following or self._typed or self.opening)

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, Typed) or event.is_forwarded or getattr(event, "key", "") in AT_ONCE:
            await super().on_event(event)
            return
        with suppress(ScreenStackError):  # the app is being left
            if event is self._turn or not (self._following or self.opening):
                await self._give(event)
            else:
                self._typed.append(event)
                self._follow(None)

    async def _give(self, event: Typed) -> None:
        """Hand a key to what has the focus; what is typed from now on waits for what it does."""
        target = self.focused or self.screen
        self._turn = None
        await super().on_event(event)
        self._follow(target)

    def _follow(self, target: DOMNode | None) -> None:
        if target is not None or self._following is None:
            self._following = asyncio.create_task(self._next(target))

    async def _next(self, target: DOMNode | None) -> None:
        with suppress(ScreenStackError):
            await self._settle(target)

    async def _settle(self, target: DOMNode | None) -> None:
        """Wait until the last key has had its effect, then give out the next."""
        for _ in range(ROUNDS if target is not None else 0):
            arrived = asyncio.Event()
            if target is None or not target.post_message(Passed(arrived.set)):
                break
            await self._arrival(arrived, self.screen)
            target = self.focused or self.screen
        end = time.monotonic() + PATIENCE_S
        while self.opening and time.monotonic() < end:
            await asyncio.sleep(PULSE_S)
        self._following = None
        if self._typed:
            self._turn = self._typed.popleft()
            self._following = asyncio.current_task()
            self.post_message(self._turn)

    async def _arrival(self, arrived: asyncio.Event, screen: Screen[object]) -> None:
        """Until it arrived, or what it was on is left."""
        end = time.monotonic() + LOST_S
        while not arrived.is_set() and self.screen is screen and time.monotonic() < end:
            with suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), PULSE_S)

    def on_passed(self, event: Passed) -> None:
        event.stop()
        event.passed()
