"""What the environment says: of the terminal's size, and of where state is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

SIZE = ("COLUMNS", "LINES")


def forget_exported_size(environ: MutableMapping[str, str], descriptor: int = 1) -> None:
    """A size that was exported before the program began (``docker exec -e COLUMNS``) would win over every resize.

    Where the terminal knows its size, that alone counts.
    """
    try:
        known = all(os.get_terminal_size(descriptor))
    except OSError:
        return
    for name in SIZE if known else ():
        environ.pop(name, None)


def state_folder(environment: Mapping[str, str]) -> Path | None:
    """``$XDG_STATE_HOME/deploy-planner``, else ``~/.local/state/deploy-planner``; None without a home."""
    base = environment.get("XDG_STATE_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "deploy-planner"
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) / ".local" / "state" / "deploy-planner" if home else None
