"""Where detection looks: file system root, environment and platform, replaceable by a test's own directory tree."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from planner.units import MIB


@dataclass(frozen=True)
class Surroundings:
    """The machine as files, variables and tools."""

    top: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform

    @property
    def proc(self) -> Path:
        """Process and memory information of Linux."""
        return self.top / "proc"

    @property
    def sys(self) -> Path:
        """Devices as Linux shows them."""
        return self.top / "sys"

    @property
    def dev(self) -> Path:
        """Device files."""
        return self.top / "dev"

    @property
    def real(self) -> bool:
        """Whether this is the running machine and not a tree laid out for a test."""
        return self.top == Path("/")

    def find_tool(self, name: str) -> str | None:
        """Path of a vendor's tool on PATH, or None."""
        for folder in self.environ.get("PATH", "").split(os.pathsep):
            path = Path(folder) / name
            if folder and path.is_file() and os.access(path, os.X_OK):
                return str(path)
        return None


def read_text(path: Path, limit: int = MIB) -> str | None:
    """At most ``limit`` bytes of a file as text; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace").replace("\0", " ").strip()
    except (OSError, ValueError):
        return None


def read_int(path: Path) -> int | None:
    """A decimal whole number alone in a file; None if there is none."""
    text = read_text(path, 64)
    try:
        return int(text) if text else None
    except ValueError:
        return None


def list_names(path: Path, pattern: str = "*") -> list[Path]:
    """Entries of a directory in natural order (card2 before card10); empty if there is none."""
    try:
        return sorted(path.glob(pattern), key=lambda entry: (len(entry.name), entry.name))
    except OSError:
        return []
