"""The only reader of the package's own data files; pure code receives what this loads."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib import resources
from typing import Any


def read_text(relative: str) -> str:
    """A data file below ``planner/``, e.g. ``engines/profiles/vllm.toml``."""
    return resources.files("planner").joinpath(relative).read_text(encoding="utf-8")


@cache
def read_toml(relative: str) -> dict[str, Any]:
    """A TOML data file below ``planner/``; parsed once. Treat as read-only."""
    return tomllib.loads(read_text(relative))


@cache
def read_json(relative: str) -> Any:
    """A JSON data file below ``planner/``; parsed once. Treat as read-only."""
    return json.loads(read_text(relative))


def list_files(relative: str, suffix: str) -> tuple[str, ...]:
    """Names of the data files in a folder below ``planner/``, sorted."""
    folder = resources.files("planner").joinpath(relative)
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(suffix)))
