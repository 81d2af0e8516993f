"""What a family of models leaves implicit in its configs: data from ``families.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from planner.data import read_toml

TABLE = "models/families.toml"


@dataclass(frozen=True, slots=True)
class Family:
    """One ``model_type``: its name and the canonical keys it implies."""

    name: str
    defaults: Mapping[str, Any]


@cache
def family(model_type: str) -> Family | None:
    """The family of a ``model_type``, with what it inherits; None when the table has no such row."""
    row = read_toml(TABLE).get(model_type)
    if row is None or model_type == "spellings":
        return None
    base = family(row["like"]) if "like" in row else None
    return Family(model_type, {**(base.defaults if base else {}), **row.get("defaults", {})})


@cache
def spellings() -> Mapping[str, tuple[str, ...]]:
    """Canonical key → the ways configs spell it, the first with a value wins."""
    return {name: tuple(ways) for name, ways in read_toml(TABLE)["spellings"].items()}


@cache
def family_of_class(name: str) -> str | None:
    """The ``model_type`` of a configuration or model class, for configs that lack ``model_type``."""
    for model_type, row in read_toml(TABLE).items():
        if model_type != "spellings" and name in row.get("classes", ()):
            return model_type
    return None
