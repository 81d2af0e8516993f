"""The document on its way to disk: its text, the difference from what is there, what is said when it was written."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

DEFAULT_NAME = "deployment.toml"


@dataclass(frozen=True, slots=True)
class Difference:
    """What writing would change in a file that is there."""

    words: str
    lines: tuple[str, ...]
    short: str = "same"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of writing a file."""

    ok: bool
    words: str
    exists: bool = False
    """It is there already, and was left as it is."""


def difference(path: Path, text: str) -> Difference | None:
    """A unified difference; None where there is no such file or it is no text."""
    from planner.documents.files import read_bounded
    from planner.errors import BadInput

    try:
        if not path.is_file():
            return None
        before = read_bounded(path).decode("utf-8")
    except (BadInput, OSError, ValueError):
        return None
    if before == text:
        return Difference("the file is as this plan", tuple(text.splitlines()))
    lines = tuple(
        difflib.unified_diff(before.splitlines(), text.splitlines(), "on disk", "this plan", lineterm="", n=1)
    )
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    return Difference(f"differs from the file on disk, +{added} −{removed} lines", lines, f"+{added} −{removed}")


def written(path: Path, text: str, *, overwrite: bool) -> Written:
    """Write it whole or not at all; a file that exists is only replaced when that was asked for."""
    from planner.documents.files import write_whole
    from planner.errors import BadInput

    folder = path.parent
    if not folder.is_dir():
        return Written(False, f"✗ There is no folder {folder}: make it, or choose another name.")
    if path.is_dir():
        return Written(False, f"✗ {path} is a folder: add a file name.")
    try:
        write_whole(path, text, overwrite=overwrite)
    except BadInput as error:
        if path.is_file() and not overwrite:
            return Written(False, f"~ {path} exists. w again replaces it; / chooses another name.", exists=True)
        return Written(False, f"✗ {error}")
    return Written(True, f"✓ Wrote {path.resolve()}")
