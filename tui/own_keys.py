"""The user's own keys, taken after the first paint; what is wrong with them is said once."""

from __future__ import annotations

import os

from tui.keeping import Keeping
from tui.threads import in_thread

MOST_SAID = 4


class OwnKeys(Keeping):
    """An app that keys can be bound anew for."""

    async def take_own_keys(self) -> None:
        """Read ``keys.toml``, where there is one."""
        from planner.overlays import user_folder
        from tui.keymap import NAME, read_keymap

        folder = user_folder(os.environ)
        if folder is None or not (folder / NAME).exists():
            return
        from tui.key_catalogue import declared_keys

        found = await in_thread(lambda: read_keymap(folder / NAME, declared_keys()), "keys")
        self.set_keymap(dict(found.keys))
        if found.problems:
            said = "\n".join(found.problems[:MOST_SAID])
            more = f"\nand {len(found.problems) - MOST_SAID} more" if len(found.problems) > MOST_SAID else ""
            self.notify(said + more, title=f"{folder / NAME}", severity="warning", timeout=15)
