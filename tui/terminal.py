"""What a terminal says of itself, where the environment says otherwise."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

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
