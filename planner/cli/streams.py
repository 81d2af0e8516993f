"""Standard output and error as they are: of any encoding, on a full disk, or closed."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from pathlib import Path

HANDLER = "deploy-planner"
_PLAIN = {
    "×": "x", "·": ".", "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "≈": "~",
    "µ": "u", "Δ": "d", "²": "2", "€": "EUR", "“": "'", "”": "'", "’": "'", "█": "#", "░": ".", "│": "|", "─": "-",
}  # fmt: skip
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def spell(error: UnicodeError) -> tuple[str, int]:
    """Error handler of a codec: what ASCII has for a sign, else its ``\\uXXXX``, which JSON reads back."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign) or _escaped(sign) for sign in text), error.end


def _escaped(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def make_writable() -> None:
    """For this process: a stream that has no sign for a character gets the nearest words, a closed one is nowhere."""
    codecs.register_error(HANDLER, spell)
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors=HANDLER)


def _nowhere() -> io.TextIOWrapper:
    return Path(os.devnull).open("w", encoding="utf-8")


def unwritable(error: OSError) -> bool:
    """Whether it is standard output that could not be written: no file is named, and the place is full."""
    return error.filename is None and error.errno in _FULL


def let_go_of_output() -> None:
    """What is still buffered goes nowhere, and no second complaint comes at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
