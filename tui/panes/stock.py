"""The panes of the walk: each is mounted once, and everyone who wants it waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.widgets import ContentSwitcher

from tui.panes.base import Pane
from tui.panes.opened import pane_class


class Stock:
    """Panes by id, in a switcher that shows one of them."""

    def __init__(self, switcher: Callable[[], ContentSwitcher]) -> None:
        self._switcher = switcher
        self._mounts: dict[str, asyncio.Task[Pane]] = {}

    def ready(self, id_: str) -> Pane | None:
        """The pane, where it is mounted whole."""
        mount = self._mounts.get(id_)
        return mount.result() if mount is not None and mount.done() and mount.exception() is None else None

    def wanted(self, id_: str) -> bool:
        """Whether anyone asked for the pane yet."""
        return id_ in self._mounts

    async def fetch(self, id_: str) -> Pane:
        """The pane, mounted out of sight where it is new."""
        if id_ not in self._mounts:
            self._mounts[id_] = asyncio.create_task(self._mounted(id_))
        return await asyncio.shield(self._mounts[id_])

    async def _mounted(self, id_: str) -> Pane:
        pane = pane_class(id_)(id=id_)
        await self._switcher().add_content(pane, set_current=False)
        return pane
