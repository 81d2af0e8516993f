"""The session of this user on disk: one file in the state folder, owned by the one app that holds its lock."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from planner.documents.files import read_bounded, write_whole
from planner.errors import BadInput
from planner.units import MIB
from tui.session_document import Kept, document_of, kept_of

NAME, LOCK = "session.json", "session.lock"
MOST_BYTES = 4 * MIB
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class SessionFile:
    """Kept while the app runs, taken away when it is left on purpose: what is found there was cut off."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: IO[bytes] | None = None

    @property
    def path(self) -> Path:
        return self._folder / NAME

    def take(self) -> bool:
        """Become the one app that keeps its session here; False when another one runs, or there is no such place."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self._folder / LOCK).open("ab")
        except OSError:
            return False
        if not _locked(lock):
            lock.close()
            return False
        self._lock = lock
        return True

    def read(self, steps: Sequence[str]) -> Kept | None:
        """What was cut off; None when nothing was. Raises BadInput for a file that is not to be trusted."""
        if self._lock is None or not os.path.lexists(self.path):
            return None
        self._distrust()
        try:
            data = json.loads(read_bounded(self.path, MOST_BYTES).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise BadInput(str(self.path), f"is not valid: {error}", "--fresh starts anew") from None
        return kept_of(data, str(self.path), steps)

    def _distrust(self) -> None:
        """A link, another's file, or one that others can write, is none that this program left."""
        found = self.path.lstat()
        mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        if not stat.S_ISREG(found.st_mode) or not mine or found.st_mode & _OTHERS_WRITE:
            raise BadInput(str(self.path), "is not a file that only you can write", "--fresh starts anew")

    def write(self, kept: Kept) -> None:
        """Whole or not at all; a full disk is no reason to disturb anyone."""
        if self._lock is not None:
            with suppress(BadInput, OSError):
                write_whole(self.path, json.dumps(document_of(kept)), overwrite=True)

    def forget(self) -> None:
        """The app was left on purpose."""
        if self._lock is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def _locked(lock: IO[bytes]) -> bool:
    """Whether the lock is ours now; it goes with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two apps at once would overwrite each other's session
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
