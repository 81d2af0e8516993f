"""The environments of the real parsers: pins from ``environments.toml``, folders outside the repository."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PINS = Path(__file__).with_name("environments.toml")
PROBES = Path(__file__).with_name("probes")
BUILT = "built"
"""Written last into an environment, with the pins that it was made from."""


@dataclass(frozen=True)
class Environment:
    """One real tool."""

    name: str
    requirements: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    base: str = ""
    probe: str = ""
    engine: str = ""
    version: str = ""
    trainer: str = ""
    """Export target whose files it reads."""
    sdist: str = ""
    debs: tuple[str, ...] = ()
    slow: bool = False
    options: tuple[str, ...] = ()
    """Of pip, for what is installed without dependencies."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the installation."""

    @property
    def place(self) -> Path:
        return folder() / self.name

    @property
    def pins(self) -> str:
        """What it is made from; another text means: to be made again."""
        own = (*self.requirements, *self.bare, *filter(None, [self.sdist]), *self.debs)
        return "\n".join((*own, environment(self.base).pins if self.base else "")).strip() + "\n"

    @property
    def is_built(self) -> bool:
        mark = self.place / BUILT
        return mark.is_file() and mark.read_text(encoding="utf-8") == self.pins

    @property
    def python(self) -> Path:
        return self.place / "bin" / "python"

    @property
    def why_not(self) -> str:
        return f"not built: python -m tests.acceptance.build {self.name}"


def folder() -> Path:
    """Where the environments lie."""
    given = os.environ.get("DEPLOY_PLANNER_ACCEPT")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(given or f"{cache}/deploy-planner/accept").expanduser()


def environments() -> dict[str, Environment]:
    """All by name, in the order of the file."""
    tables = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return {
        name: Environment(name, **{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
        for name, table in tables.items()
    }


def environment(name: str) -> Environment:
    return environments()[name]
