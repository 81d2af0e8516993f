"""Directory trees that look like the file systems of machines, and tools that are real executables."""

from __future__ import annotations

from pathlib import Path

from planner.detect.surroundings import Surroundings

FIXTURES = Path(__file__).parent.parent / "fixtures" / "recorded"


def lay_out(top: Path, files: dict[str, str]) -> Surroundings:
    """Write ``files`` below ``top``; nothing of the running machine is visible."""
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Surroundings(top=top, environ={}, platform="linux")


def add_tool(folder: Path, name: str, script: str) -> None:
    """An executable shell script on what will be PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
