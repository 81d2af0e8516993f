"""Where frames are kept, and how one that is drawn differs from the one kept."""

from __future__ import annotations

import difflib
from pathlib import Path

KEPT = Path(__file__).parent / "kept"
MOST_LINES = 60
"""Of a difference that are shown."""


def place_of(look: str, name: str) -> Path:
    return KEPT / look / f"{name}.txt"


def difference(look: str, name: str, now: str) -> str:
    """In words and lines; empty where nothing differs."""
    place = place_of(look, name)
    if not place.exists():
        return f"{look}/{name} is not kept yet"
    before = place.read_text(encoding="utf-8")
    if before == now:
        return ""
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), f"kept {look}/{name}", "drawn", lineterm="", n=1
    )
    return "\n".join(list(lines)[:MOST_LINES])
