"""How engines are started and what they print: data from ``runtime.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from planner.data import read_toml
from planner.engines.profile import EngineProfile
from planner.engines.version import in_range
from planner.errors import BadInput

_FILE = "export/runtime.toml"
CONFIG = "/config"
"""Where containers see the bundle's files, read-only."""
CACHE = "/cache"
"""Writable folder of containers, where a non-root user keeps compiled kernels."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One engine's program and habits."""

    engine: str
    facts: Mapping[str, Any]
    release: tuple[int, ...] | None = None
    """None: not known, taken for the newest."""

    @property
    def program(self) -> tuple[str, ...]:
        return tuple(self.facts["program"])

    @property
    def entrypoint(self) -> tuple[str, ...]:
        return tuple(self.facts["entrypoint"])

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platforms that the engine exists for; empty: several."""
        return tuple(self.facts.get("platforms", ()))

    @property
    def model_flag(self) -> str:
        """Flag in front of the model; empty: it is the first argument."""
        return str(self.facts["model"])

    @property
    def port(self) -> int:
        return int(self.facts["port"])

    @property
    def health(self) -> str:
        return str(self.facts["health"])

    @property
    def key_variable(self) -> str:
        """Variable that holds the API key; empty: the engine has none."""
        return str(self.facts.get("key_variable", ""))

    @property
    def key_flag(self) -> str:
        """Flag that takes the key, for engines that do not read the variable by themselves."""
        return str(self.facts.get("key_flag", ""))

    @property
    def extra_file(self) -> str:
        """Name of a file that the engine reads beside its flags; empty: none, or not at this release."""
        return str(self.facts.get("extra_file", "")) if self._holds(self.facts.get("extra_file_versions", "")) else ""

    @property
    def extra_file_flag(self) -> str:
        return str(self.facts.get("extra_file_flag", "")) if self.extra_file else ""

    def knows_key(self, name: str) -> bool:
        """Whether this release's file has a key."""
        return self._holds(self.facts.get("extra_key_versions", {}).get(name, ""))

    def _holds(self, versions: str) -> bool:
        return self.release is None or in_range(self.release, versions)

    @property
    def health_command(self) -> tuple[str, ...]:
        """Run inside the container; the words may use {port} and {health}."""
        return tuple(self.facts["health_command"])

    @property
    def nodes_joined_by(self) -> str:
        """``launcher``: the engine's own; ``mpi``; empty: one node only."""
        return str(self.facts.get("nodes", ""))

    @property
    def environment(self) -> dict[str, str]:
        return dict(self.facts["environment"])

    @property
    def wheel(self) -> str:
        """Python distribution of the engine; empty: it is none."""
        return str(self.facts.get("wheel", ""))

    def vendor_environment(self, platform: str, experts: bool) -> dict[str, str]:
        """Variables that the engine wants on one vendor's devices."""
        own = dict(self.facts.get(platform, {}))
        return {**own, **(self.facts.get(f"{platform}_experts", {}) if experts else {})}

    def cache_environment(self) -> dict[str, str]:
        """Where a non-root user of a container keeps caches."""
        return {name: CACHE for name in self.facts.get("cache_variables", ())}

    def log_lines(self, release: tuple[int, ...] | None) -> tuple[str, ...]:
        """Templates of the lines to expect at a release."""
        lines: tuple[str, ...] = ()
        for row in self.facts.get("log", ()):
            if release is None or in_range(release, row.get("versions", "")):
                lines = tuple(row["lines"])
        return lines


@lru_cache(maxsize=64)
def _facts(engine: str) -> Mapping[str, Any]:
    table = read_toml(_FILE).get(engine)
    if table is None:
        raise BadInput("engine.name", f"no files can be written for {engine}", "--target toml always works")
    base = table.get("base")
    return {**(_facts(base) if base else {}), **table}


def runtime_of(engine: EngineProfile) -> Runtime:
    """Raises BadInput for engines that nothing is known of."""
    return Runtime(engine.name, _facts(engine.name), engine.release)
