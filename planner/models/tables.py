"""The tables of this package as they are read at run time: ``tables.json``, compiled from the TOML files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.data import read_json

COMPILED = "models/tables.json"


def table(name: str) -> Mapping[str, Any]:
    """``families``, ``towers``, ``quantization``, or the reference implementation's ``defaults`` and ``children``."""
    found: Mapping[str, Any] = read_json(COMPILED)[name]
    return found
