"""Throw-away environments that hold a real tool, pinned: made on demand, kept, never needed to run the planner.

They lie in ``$DEPLOY_PLANNER_ACCEPT`` (default ``~/.cache/deploy-planner/accept``). Tools are installed without their
dependencies where their parsers need few of them.
"""

from __future__ import annotations

import os
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("DEPLOY_PLANNER_ACCEPT", "~/.cache/deploy-planner/accept")).expanduser()
STAMP = "built"


@dataclass(frozen=True)
class Packages:
    """What an environment holds, as pip's requirements."""

    requirements: tuple[str, ...]
    bare: tuple[str, ...] = ()
    """Installed without dependencies, after the others."""
    environment: Mapping[str, str] | None = None
    """Variables of the installation."""

    @property
    def text(self) -> str:
        return "\n".join((*self.requirements, *self.bare)) + "\n"


def python_of(name: str, packages: Packages) -> Path | None:
    """The interpreter of an environment that was built with these packages; None otherwise."""
    stamp = FOLDER / name / STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != packages.text:
        return None
    return FOLDER / name / "bin" / "python"


def build(name: str, packages: Packages) -> None:
    """Make one environment; what is there already is kept."""
    if python_of(name, packages) is not None:
        return
    place = FOLDER / name
    venv.create(place, with_pip=True, clear=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    env = {**os.environ, **(packages.environment or {})}
    subprocess.run([*pip, *packages.requirements], check=True, env=env)
    if packages.bare:
        subprocess.run([*pip, "--no-deps", "--no-build-isolation", *packages.bare], check=True, env=env)
    (place / STAMP).write_text(packages.text, encoding="utf-8")
