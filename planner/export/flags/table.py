"""The flags of one engine at one version: option → flag, both ways. Rows are data of this folder.

``kind`` says how a value is written: int, float, text, switch (there or not), on_off, json, gib (bytes → GiB),
whole_gib (rounded up), layers (a number or all).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import Any

from planner.data import list_files, read_toml
from planner.documents.result import Finding
from planner.engines.profile import EngineProfile
from planner.engines.version import in_range, parse_version
from planner.export.emit.words import Ref, Word
from planner.units import GIB

_FOLDER = "export/flags"


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One option's flag."""

    option: str
    flag: str
    kind: str
    source: str
    aliases: tuple[str, ...] = ()
    default: Any = None
    """What the engine takes without the flag; then it need not be written."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The planner's words → the engine's."""
    otherwise: str = ""
    """What to do about a value that is not among them."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Of a JSON value."""
    all: str = ""
    dense_only: bool = False
    experts_only: bool = False
    versions: str = ""

    def __hash__(self) -> int:
        return hash((self.option, self.flag, self.versions))


@dataclass(frozen=True, slots=True)
class Missing:
    """An option that an engine lacks, and what to do instead."""

    option: str
    alternative: str
    versions: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as it is to be written."""

    option: str
    name: str
    value: Word | None = None
    """None for a switch."""


@dataclass(frozen=True, slots=True)
class FlagTable:
    """All flags of an engine at a release."""

    engine: str
    version: str
    rows: Mapping[str, FlagRow]
    missing: Mapping[str, Missing]
    assign: bool = False

    def has(self, option: str) -> bool:
        return option in self.rows

    def write(self, options: Mapping[str, Any]) -> tuple[tuple[Flag, ...], tuple[Finding, ...]]:
        """Flags for the options that are set, and a finding for each that this version cannot express."""
        flags: list[Flag] = []
        findings: list[Finding] = []
        for option, value in options.items():
            row = self.rows.get(option)
            if value is None or value is False or (value == "off" and row is not None and row.kind == "switch"):
                continue
            if row is None:
                findings += self._lacking(option, value)
            elif row.values and not _knows(row, value):
                findings.append(self._no_value(row, value))
            else:
                flags.append(Flag(option, row.flag, written(row, value)))
        return tuple(flags), tuple(findings)

    def _lacking(self, option: str, value: Any) -> Iterator[Finding]:
        row = self.missing.get(option)
        fix = row.alternative if row else "remove it from the deployment, or choose another engine or version"
        message = f"{self.engine} {self.version} has no option for {option} = {shown(value)}"
        yield Finding("export-option-missing", message, fix)

    def _no_value(self, row: FlagRow, value: Any) -> Finding:
        known = ", ".join(row.values)
        message = f"{self.engine} {self.version} takes no {row.option} = {shown(value)} ({row.flag})"
        return Finding("export-value-missing", message, row.otherwise or f"one of: {known}")


def _knows(row: FlagRow, value: Any) -> bool:
    """Whether the engine has a word for a value; a JSON value was looked up by the one who made it."""
    return isinstance(value, dict) if row.kind == "json" else value in row.values


def shown(value: Any) -> str:
    """A value in a message."""
    return json.dumps(value)[:80] if isinstance(value, dict | str) else str(value)[:80]


def written(row: FlagRow, value: Any) -> Word | None:
    """A value as the engine reads it."""
    if row.kind == "switch":
        return None
    if isinstance(value, Ref | tuple):
        return value
    if row.values and row.kind != "json":
        return row.values[value]
    return _WRITERS.get(row.kind, lambda _, v: str(v))(row, value)


def _json(row: FlagRow, value: Mapping[str, Any]) -> str:
    return json.dumps({row.keys[k]: v for k, v in value.items() if v is not None}, ensure_ascii=False)


_WRITERS = {
    "float": lambda _, v: f"{v:g}" if float(f"{v:g}") == v else repr(float(v)),
    "on_off": lambda _, v: v if v in ("on", "off") else "on",
    "gib": lambda _, v: repr(v / GIB).removesuffix(".0"),
    "whole_gib": lambda _, v: str(ceil(v / GIB)),
    "layers": lambda row, v: row.all if v == "all" else str(v),
    "json": _json,
}


def flag_table(engine: EngineProfile) -> FlagTable:
    """The table of an engine at its release; the newest release's where the version is not known."""
    newest = parse_version(read_toml(f"engines/profiles/{engine.name}.toml")["newest"]).release
    return _table(engine.name, engine.version, engine.release or newest or ())


@lru_cache(maxsize=256)
def _table(engine: str, version: str, release: tuple[int, ...]) -> FlagTable:
    document = read_toml(f"{_FOLDER}/{engine}.toml")
    rows: dict[str, FlagRow] = {}
    missing: dict[str, Missing] = {}
    assign = bool(document.get("assign", False))
    if base := document.get("base"):
        known = document.get("base_version")
        inherited = _table(base, version, (parse_version(known).release or release) if known else release)
        rows, missing, assign = dict(inherited.rows), dict(inherited.missing), inherited.assign
    rows.update((r.option, r) for r in _rows(document) if in_range(release, r.versions))
    missing.update((m.option, m) for m in _missing(document) if in_range(release, m.versions))
    return FlagTable(engine, version, rows, missing, assign)


def _rows(document: Mapping[str, Any]) -> Iterator[FlagRow]:
    for table in document.get("options", ()):
        own = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
        yield FlagRow(**{"source": document["source"], **own})


def _missing(document: Mapping[str, Any]) -> Iterator[Missing]:
    return (Missing(**table) for table in document.get("missing", ()))


def engines_with_flags() -> Sequence[str]:
    """Engines with a table of flags."""
    return tuple(name.removesuffix(".toml") for name in list_files(_FOLDER, ".toml"))
