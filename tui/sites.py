"""Hardware kept under a name: one inventory a file in the user's folder, beside files anywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

MOST = 200


def folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where sites are kept; None without a home."""
    from planner.overlays import user_folder

    base = user_folder(os.environ if environment is None else environment)
    return base / "sites" if base else None


def is_name(line: str) -> bool:
    """Whether a line is a name and no path: letters, digits, dots, dashes; no ending of a file."""
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", line)) and not line.endswith((".json", ".toml"))


def path_of(line: str) -> Path:
    """The file that a line means: a site by its name, or any other path."""
    place = folder()
    return place / f"{line}.json" if place is not None and is_name(line) else Path(line).expanduser()


def saved() -> list[Path]:
    """The sites that are kept, by name."""
    place = folder()
    if place is None or not place.is_dir():
        return []
    return sorted(place.glob("*.json"))[:MOST]
