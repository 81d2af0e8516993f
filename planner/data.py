"""The only reader of the package's own data files; pure code receives what this loads.

TOML is the source. ``compiled.json`` holds the same tables as JSON, one a line, each under the checksum of its text: a
run parses the lines that it needs, and a table whose text has changed since from its TOML, so that a stale copy is
never used, only slow.
``python -m planner.compile_data`` rewrites it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hwdb.compiled import CompiledFile

COMPILED = "compiled.json"
SECTION = "tables"
_ROOT = Path(__file__).parent


def read_text(relative: str) -> str:
    """A data file below ``planner/``, e.g. ``engines/profiles/vllm.toml``."""
    return (_ROOT / relative).read_text(encoding="utf-8")


@cache
def read_toml(relative: str) -> dict[str, Any]:
    """A TOML data file below ``planner/``; parsed once. Treat as read-only."""
    text = read_text(relative)
    known = _compiled().get(relative)
    if known is not None and known["checksum"] == checksum(text):
        data: dict[str, Any] = known["data"]
        return data
    import tomllib

    return tomllib.loads(text)


def checksum(text: str) -> int:
    """What tells one version of a file from another."""
    return zlib.crc32(text.encode())


@cache
def _compiled() -> Mapping[str, dict[str, Any]]:
    try:
        return CompiledFile(read_text(COMPILED)).rows(SECTION)
    except FileNotFoundError:
        return {}


@cache
def read_json(relative: str) -> Any:
    """A JSON data file below ``planner/``; parsed once. Treat as read-only."""
    return json.loads(read_text(relative))


def list_files(relative: str, suffix: str) -> tuple[str, ...]:
    """Names of the data files in a folder below ``planner/``, sorted."""
    return tuple(sorted(entry.name for entry in (_ROOT / relative).iterdir() if entry.name.endswith(suffix)))
