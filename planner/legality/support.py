"""What chips can do and what engines support on them, looked up by chip class, engine and release.

The tables are data (``support_tables.py`` reads them); whoever owns the files loads them once, the rules receive them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal

from hwdb.schema import Accelerator
from planner.engines.profile import EngineProfile
from planner.engines.version import compare, in_range, parse_version

Path = Literal["native", "weight-only"]
"""How weights of a format are multiplied: in the format itself, or turned into 16 bit inside the kernel."""
State = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """A class of accelerators that behave alike."""

    id: str
    title: str
    match: Mapping[str, Any]
    native: frozenset[str]
    """Formats of the matrix units: fp16 bf16 int8 fp8 fp4."""
    fp8_kv: frozenset[str]
    """FP8 KV formats that kernels can read on it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One statement about an engine: for which chips and releases, and how."""

    names: tuple[str, ...]
    chips: tuple[str, ...] = ("*",)
    versions: str = ""
    how: Path | None = None
    state: State = "yes"
    source: str = ""

    def holds(self, chip: str, release: tuple[int, ...] | None) -> bool:
        """True for this chip class at this release; an unreadable release is taken as the newest."""
        return _any_match(self.chips, chip) and _in(release, self.versions)


@dataclass(frozen=True, slots=True)
class Repacks:
    """Published repacks in some formats that an engine does not read, though it runs the formats themselves."""

    schemes: tuple[str, ...]
    repos: tuple[str, ...]
    """Patterns of repositories, case folded."""
    other: tuple[str, ...]
    """Those of them that it does read."""
    versions: str
    reads: str
    """What it takes instead, in words."""

    def holds(self, scheme: str, repo: str) -> bool:
        """True for a repository whose weights in this scheme the engine refuses."""
        name = repo.lower()
        return _any_match(self.schemes, scheme) and _any_match(self.repos, name) and not _any_match(self.other, name)


@dataclass(frozen=True, slots=True, eq=False)
class EngineSupport:
    """The tables of one engine."""

    name: str
    chips: tuple[Row, ...]
    formats: tuple[Row, ...]
    kv: tuple[Row, ...]
    features: Mapping[str, tuple[Row, ...]]
    rules: Mapping[str, tuple[Row, ...]]
    models: Mapping[str, str]
    listed: bool = False
    """``models`` names every model type that the engine runs."""
    unreadable: tuple[Repacks, ...] = ()
    registered: Mapping[str, str] = field(default_factory=dict)
    """Model class → releases that register it; empty where nobody looked."""


@dataclass(frozen=True, slots=True, eq=False)
class Abilities:
    """What one engine at one release does on one chip class."""

    chip: Chip
    on_chip: State
    formats: tuple[Row, ...]
    kv_dtypes: tuple[str, ...]
    features: frozenset[str]
    rules: frozenset[str]
    models: Mapping[str, str]
    """Model types that this release does not know → the releases that do."""
    known_models: frozenset[str] | None
    """Every model type of the engine, where its tables list them all."""
    first: Mapping[str, str]
    """Feature → the releases that have it on this chip, for those that this release lacks."""
    classes: Mapping[str, tuple[str, ...]]
    unreadable: tuple[Repacks, ...] = ()
    registered: Mapping[str, str | None] = field(default_factory=dict)
    """Model class → the releases that register it, None where this one is among them."""
    named: frozenset[str] = frozenset()
    """Classes that any engine registers: others are no names that an engine would know."""

    def refused(self, scheme: str, repo: str) -> Repacks | None:
        """Why this engine does not read a repository's weights in this scheme; None: it does."""
        return next((row for row in self.unreadable if row.holds(scheme, repo)), None)

    def path(self, scheme: str) -> Path | None:
        """How this engine multiplies a weight scheme here; None: it cannot."""
        for row in self.formats:
            if _any_match(row.names, scheme):
                return row.how or self._chip_path(scheme)
        return None

    def format_class(self, scheme: str) -> str:
        """fp8 int8 w8a16 int4 fp4 nf4 gguf, or "none"."""
        return next((c for c, names in self.classes.items() if _any_match(names, scheme)), "none")

    def _chip_path(self, scheme: str) -> Path:
        kind = self.format_class(scheme)
        return "weight-only" if kind in ("fp8", "int8", "fp4") and kind not in self.chip.native else "native"


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """All tables. Compared by identity: load once."""

    chips: tuple[Chip, ...]
    engines: Mapping[str, EngineSupport]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tensor_fabric_bytes_s: float = 0.0
    """Slowest network over which tensor ranks are started, per device in one direction."""
    named: frozenset[str] = frozenset()
    """Model classes that any engine registers."""

    def abilities(self, engine: EngineProfile, accelerator: Accelerator | None) -> Abilities | None:
        """What is known of an engine on a device; None for an engine without tables."""
        tables = self.engines.get(engine.name) or self.engines.get(engine.family)
        return _abilities(self, tables, self.chip(accelerator), engine.release) if tables else None

    def chip(self, accelerator: Accelerator | None) -> Chip:
        """The class of a device; None is the CPU."""
        if accelerator is None:
            return _chip(self, "", _Traits("cpu", None, None, frozenset()))
        supports = frozenset(name for name, has in accelerator.supports.items() if has)
        vendor, capability = accelerator.vendor.lower(), accelerator.compute_capability
        return _chip(self, accelerator.id, _Traits(vendor, capability, accelerator.gfx_arch, supports))


@dataclass(frozen=True, slots=True)
class _Traits:
    vendor: str
    compute_capability: tuple[int, int] | None
    gfx: str | None
    supports: frozenset[str]


@lru_cache(maxsize=4096)
def _chip(support: Support, identifier: str, traits: _Traits) -> Chip:
    found = next((c for c in support.chips if _matches(c.match, identifier, traits)), None)
    if found is None:
        raise ValueError("chips.toml needs a last row that matches everything")
    return replace(found, native=found.native | traits.supports) if "vendor" not in found.match else found


def _matches(match: Mapping[str, Any], identifier: str, traits: _Traits) -> bool:
    if "vendor" in match and match["vendor"] != traits.vendor:
        return False
    if "vendor" not in match and traits.vendor == "cpu":
        return False
    if "compute_capability" in match:
        low, high = (parse_version(text).release or () for text in match["compute_capability"])
        mine = traits.compute_capability
        return mine is not None and compare(low, mine) <= 0 <= compare(high, mine)
    if "gfx" in match:
        return traits.gfx is not None and _any_match(tuple(match["gfx"]), traits.gfx)
    return _any_match(tuple(match.get("ids", ("*",))), identifier)


@lru_cache(maxsize=1024)
def _abilities(support: Support, engine: EngineSupport, chip: Chip, release: tuple[int, ...] | None) -> Abilities:
    here = [row for row in engine.chips if _any_match(row.names, chip.id) and _in(release, row.versions)]
    states = {row.state for row in here}
    has = {name for name, rows in engine.features.items() if any(r.holds(chip.id, release) for r in rows)}
    return Abilities(
        chip=chip,
        on_chip="yes" if "yes" in states else "unknown" if "unknown" in states else "no",
        formats=tuple(row for row in engine.formats if row.holds(chip.id, release)),
        kv_dtypes=tuple(name for row in engine.kv if row.holds(chip.id, release) for name in row.names),
        features=frozenset(has),
        rules=frozenset(n for n, rows in engine.rules.items() if any(r.holds(chip.id, release) for r in rows)),
        models={name: span for name, span in engine.models.items() if not _in(release, span)},
        known_models=frozenset(engine.models) if engine.listed else None,
        first={name: _elsewhere(rows, chip.id) for name, rows in engine.features.items() if name not in has},
        classes=support.classes,
        unreadable=tuple(row for row in engine.unreadable if _in(release, row.versions)),
        registered={name: None if _in(release, span) else span for name, span in engine.registered.items()},
        named=support.named,
    )


def _elsewhere(rows: tuple[Row, ...], chip: str) -> str:
    """Releases in which a feature exists on this chip class; empty when only other chips have it."""
    return next((row.versions for row in rows if _any_match(row.chips, chip)), "")


@lru_cache(maxsize=65536)
def _any_match(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _in(release: tuple[int, ...] | None, versions: str) -> bool:
    return release is None or not versions or in_range(release, versions)
