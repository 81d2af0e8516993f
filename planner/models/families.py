"""What a family of models leaves implicit in its configs: ``families.toml`` and ``reference_defaults.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from planner.models.tables import table

NOT_FAMILIES = ("spellings", "layer_tokens", "nested", "neutral")


class Family(NamedTuple):
    """One ``model_type``: the canonical keys it implies, its own spellings, the family of its language model."""

    name: str
    implied: Mapping[str, Any]
    facts: Mapping[str, Any]
    """The part of ``implied`` that the table itself states."""
    spellings: Mapping[str, tuple[str, ...]]
    text: str | None = None


@cache
def family(model_type: str) -> Family | None:
    """The family of a ``model_type``, with what it inherits; None when the table has no such row."""
    row = None if model_type in NOT_FAMILIES else table("families").get(model_type)
    if row is None:
        return _wrapper(model_type)
    base = family(row["like"]) if "like" in row else None
    own = {name: tuple(ways) for name, ways in row.get("spellings", {}).items()}
    ways = {**(base.spellings if base else common_spellings()), **own}
    facts = {**(base.facts if base else {}), **row.get("defaults", {})}
    implied = {**_reference(_referred(model_type), ways), **facts}
    text = row.get("text") or _children(model_type).get("text_config")
    return Family(model_type, implied, facts, ways, text)


def _wrapper(model_type: str) -> Family | None:
    """A model around a known language model, of which the reference implementation's class says no more."""
    child = _children(model_type).get("text_config")
    inner = family(child) if child and child != model_type else None
    return Family(model_type, inner.implied, inner.facts, inner.spellings, inner.name) if inner else None


def _referred(model_type: str) -> str:
    """The nearest ancestor that the reference implementation has a configuration class for."""
    if reference_defaults(model_type):
        return model_type
    above = table("families").get(model_type, {}).get("like")
    return _referred(above) if above else model_type


def _reference(model_type: str, ways: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Defaults of the reference implementation's configuration class under canonical names."""
    raw = reference_defaults(model_type)
    canonical = {way: name for name, group in ways.items() for way in group}
    return {canonical.get(key, key): value for key, value in raw.items()}


@cache
def reference_defaults(model_type: str) -> Mapping[str, Any]:
    """Defaults of a configuration class as it spells them; empty for classes that the reference lacks."""
    row: Mapping[str, Any] = table("defaults").get(model_type, {})
    return row


def _children(model_type: str) -> Mapping[str, str]:
    row: Mapping[str, str] = table("children").get(model_type, {})
    return row


def child_type(model_type: str, table: str) -> str | None:
    """The ``model_type`` that a nested table has when it names none."""
    return _children(model_type).get(table)


@cache
def common_spellings() -> Mapping[str, tuple[str, ...]]:
    """Canonical key → the ways configs spell it; the first with a value wins."""
    return {name: tuple(ways) for name, ways in table("families")["spellings"].items()}


def layer_tokens() -> Mapping[str, str]:
    """Words for the kind of a layer, as configs write them → tokens."""
    tokens: Mapping[str, str] = table("families")["layer_tokens"]
    return tokens


def is_neutral(key: str) -> bool:
    """Whether a key says nothing of sizes."""
    return any(re.fullmatch(pattern, key) for pattern in table("families")["neutral"]["patterns"])


def nested_tables() -> Mapping[str, Mapping[str, str]]:
    """Tables inside a config whose keys belong beside the others, with the names they get there."""
    tables: Mapping[str, Mapping[str, str]] = table("families")["nested"]
    return tables


def known_families() -> tuple[str, ...]:
    """Every ``model_type`` of the table."""
    return tuple(sorted(name for name in table("families") if name not in NOT_FAMILIES))


@cache
def family_of_class(name: str) -> str | None:
    """The ``model_type`` of a configuration or model class, for configs that lack ``model_type``."""
    for model_type in known_families():
        if name in table("families")[model_type].get("classes", ()):
            return model_type
    return None
