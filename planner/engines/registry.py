"""Engine profiles by name, version and backend, merged from ``profiles/<engine>.toml``.

A profile file is a list of rows; each says for which versions, backends and builds it holds and where it was read.
Rows that hold are merged in order, so that a later row refines an earlier one; ``unknown_version`` rows hold only
where no release is given, and are what is safe on any of them. A plug-in or fork names its ``base``
and inherits that engine's rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from planner.data import list_files, read_toml
from planner.engines.profile import EngineProfile
from planner.engines.version import Version, compare, in_range, parse_version
from planner.errors import UnknownName

_FOLDER = "engines/profiles"
_BACKENDS = {"nvidia": "cuda", "amd": "rocm", "intel": "xpu", "huawei": "npu", "habana": "hpu", "apple": "metal"}


def engines() -> tuple[str, ...]:
    """Names of all engines with a profile."""
    return tuple(name.removesuffix(".toml") for name in list_files(_FOLDER, ".toml"))


def backend_of(vendor: str, architecture: str | None = None) -> str:
    """The backend that an engine uses on a vendor's devices when nobody names one."""
    if vendor == "intel" and architecture and "gaudi" in architecture.lower():
        return "hpu"
    return _BACKENDS.get(vendor, "cpu")


@lru_cache(maxsize=256)
def engine_profile(name: str, version: str | None = None, backend: str | None = None) -> EngineProfile:
    """The facts of one engine at one version; the newest known where the version is absent or unreadable.

    Raises ``UnknownName`` with the nearest names for an engine without a profile.
    """
    document = read_toml(f"{_FOLDER}/{_canonical(name)}.toml")
    parsed = parse_version(version)
    newest = parse_version(document["newest"]).release or ()
    release = parsed.release if parsed.release and _same_numbering(parsed.release, newest) else None
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for row in _rows(document):
        if _applies(row, release or newest, parsed, backend):
            _merge(facts, {k: v for k, v in row.items() if isinstance(v, Mapping)}, row["source"], sources)
    return EngineProfile(
        name=document["name"],
        version=version or document["newest"],
        release=release,
        family=document["family"],
        exact=release is not None and _known(release, document),
        backend=backend,
        facts=facts,
        sources=sources,
        local=facts.get("memory", {}).get("convention") == "buffers",
    )


@lru_cache(maxsize=1)
def _aliases() -> Mapping[str, str]:
    known: dict[str, str] = {}
    for engine in engines():
        document = read_toml(f"{_FOLDER}/{engine}.toml")
        known.update({alias: engine for alias in (engine, *document.get("aliases", ()))})
    return known


def _canonical(name: str) -> str:
    known = _aliases()
    wanted = name.strip().lower().replace("_", "-")[:100]
    if wanted in known:
        return known[wanted]
    distance = {alias: 1 - SequenceMatcher(None, wanted, alias).ratio() for alias in known}
    nearest = sorted(distance.items(), key=lambda item: (item[1], item[0]))[:3]
    raise UnknownName("engine", name[:100], tuple((n, round(d, 3)) for n, d in nearest))


def _rows(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    base = document.get("base")
    inherited = _rows(read_toml(f"{_FOLDER}/{base}.toml")) if base else []
    return [*inherited, *document.get("rows", ())]


def _applies(row: Mapping[str, Any], release: tuple[int, ...], version: Version, backend: str | None) -> bool:
    if not in_range(release, row.get("versions", "")):
        return False
    if row.get("unknown_version") and version.release is not None:
        return False
    if "backends" in row and (backend or "cuda") not in row["backends"]:
        return False
    return "builds" not in row or any(version.build.startswith(prefix) for prefix in row["builds"])


def _same_numbering(release: tuple[int, ...], newest: tuple[int, ...]) -> bool:
    """Build numbers and dotted releases do not compare."""
    return (len(release) == 1) == (len(newest) == 1)


def _known(release: tuple[int, ...], document: Mapping[str, Any]) -> bool:
    first, newest = parse_version(document["first"]).release, parse_version(document["newest"]).release
    return first is not None and newest is not None and compare(first, release) <= 0 <= compare(newest, release)


def _merge(
    target: dict[str, Any], tables: Mapping[str, Any], source: str, sources: dict[str, str], prefix: str = ""
) -> None:
    for key, value in tables.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            _merge(target.setdefault(key, {}), value, source, sources, f"{dotted}.")
        else:
            target[key] = value
            sources[dotted] = source
