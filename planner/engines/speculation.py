"""Methods of speculative decoding: their names in the engines' words, and what they take. ``speculative.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from planner.data import read_toml

METHOD_ALIASES = {"nextn": "mtp", "deepseek_mtp": "mtp", "draft": "draft_model", "standalone": "draft_model"}
"""What engines call a method → the name used here."""


@dataclass(frozen=True, slots=True)
class Method:
    """What one method does where a deployment leaves it open."""

    acceptance: float
    """Share of drafted tokens that are kept."""
    layers: float | None
    """Of the model itself that drafting one token takes; None: a model of its own."""
    share: float = 0.0
    """Active weights of such a model against the model's own, where it is not known."""


def method_name(method: str) -> str:
    """A method by the name used here; unknown ones stay as they are."""
    lower = method.lower()
    return METHOD_ALIASES.get(lower, lower)


@cache
def method_of(method: str) -> Method:
    """Its facts; those of a usual method for an unknown one."""
    methods = read_toml("engines/speculative.toml")["methods"]
    row = methods.get(method_name(method)) or methods["other"]
    return Method(row["acceptance"], row.get("layers"), row.get("share", 0.0))
