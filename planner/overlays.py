"""The user's own data over ours: directories with ``accelerators/``, ``models/``, ``profiles/`` and ``prices/``.

They come from ``--data DIR`` (nearest to hand, wins), from ``DEPLOY_PLANNER_DATA`` (several, separated as in PATH) and
from the user's configuration folder. Rows in them have the schema and the validation of the built-in ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from planner.errors import BadInput
from planner.models.names import shown

VARIABLE = "DEPLOY_PLANNER_DATA"
KINDS = ("accelerators", "models", "profiles", "prices")


class Overlay(NamedTuple):
    """One directory in use."""

    path: Path
    origin: Literal["option", "environment", "user folder"]
    files: Mapping[str, int]
    """Kind of data → TOML files below it, for the kinds that are there."""

    def __str__(self) -> str:
        held = ", ".join(f"{count} {kind}" for kind, count in self.files.items()) or "nothing"
        return f"{self.path} ({self.origin}): {held}"


def find_overlays(given: Iterable[Path] = (), environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The directories in the order in which they are laid over the built-in data; later ones win."""
    return tuple(overlay.path for overlay in overlays_in_use(given, environment))


def overlays_in_use(given: Iterable[Path] = (), environment: Mapping[str, str] | None = None) -> tuple[Overlay, ...]:
    """What is used and why. Raises ``BadInput`` for a directory that was named and does not exist."""
    variables = os.environ if environment is None else environment
    found: dict[Path, Overlay] = {}
    user = user_folder(variables)
    if user is not None and _is_directory(user):
        found[user.resolve()] = _overlay(user, "user folder")
    for name in filter(None, variables.get(VARIABLE, "").split(os.pathsep)):
        _add(found, Path(name), "environment", VARIABLE)
    for path in given:
        _add(found, path, "option", "--data")
    return tuple(found.values())


def user_folder(environment: Mapping[str, str]) -> Path | None:
    """``$XDG_CONFIG_HOME/deploy-planner``, else ``~/.config/deploy-planner``; None without a home."""
    base = environment.get("XDG_CONFIG_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "deploy-planner"
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) / ".config" / "deploy-planner" if home else None


def _add(found: dict[Path, Overlay], path: Path, origin: Literal["option", "environment"], where: str) -> None:
    if not _is_directory(path):
        raise BadInput(where, f"no such directory: {shown(str(path))}", f"it holds {', '.join(k + '/' for k in KINDS)}")
    found.pop(path.resolve(), None)
    found[path.resolve()] = _overlay(path, origin)


def _overlay(path: Path, origin: Literal["option", "environment", "user folder"]) -> Overlay:
    files = {kind: sum(1 for _ in (path / kind).rglob("*.toml")) for kind in KINDS if _is_directory(path / kind)}
    return Overlay(path, origin, files)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
