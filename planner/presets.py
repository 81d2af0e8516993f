"""Workloads that people name in one word, for the command and the app: ``search/presets.toml``."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from planner.data import read_toml
from planner.documents.deployment import ServiceLevelTable, WorkloadTable
from planner.errors import BadInput

DEFAULT = "chat"


class Preset(NamedTuple):
    """A kind of load with typical lengths."""

    name: str
    label: str
    about: str
    workload: WorkloadTable
    max_model_len: int
    source: str


@cache
def presets() -> dict[str, Preset]:
    """By name, in the order of the file."""
    return {name: _preset(name, row) for name, row in read_toml("search/presets.toml")["presets"].items()}


def preset(name: str) -> Preset:
    """One of them. Raises BadInput."""
    found = presets().get(name)
    if found is None:
        raise BadInput("preset", f"unknown preset {name[:60]!r}", f"write one of {', '.join(presets())}")
    return found


def _preset(name: str, row: dict[str, Any]) -> Preset:
    promised = {key: float(value) for key, value in row.get("service_level", {}).items()}
    level = ServiceLevelTable(**promised) if promised else None
    workload = WorkloadTable(
        isl=float(row["isl"]),
        osl=float(row["osl"]),
        saturated=row.get("saturated", False),
        prefix_hit_rate=float(row.get("prefix_hit_rate", 0)),
        images=float(row["images"]) if "images" in row else None,
        service_level=level,
    )
    return Preset(name, row["label"], row["about"], workload, row["max_model_len"], row["source"])
