"""Paths as people type them."""

from __future__ import annotations

from pathlib import Path


def expanded(line: str) -> Path:
    """The path, ``~`` as the home it stands for; a home that nobody has stays as it was typed."""
    try:
        return Path(line).expanduser()
    except (RuntimeError, ValueError):
        return Path(line)
