"""Methods of speculative decoding as people write them, what proposes the tokens, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from planner.data import read_toml

METHOD_ALIASES = {"nextn": "mtp", "deepseek_mtp": "mtp", "draft": "draft_model", "standalone": "draft_model"}
NEEDS_DRAFT = frozenset({"eagle", "eagle3", "draft_model", "medusa"})
"""Weights beside the model's own propose."""
HEADS = frozenset({"eagle", "eagle3"})
"""One decoder layer over the target's hidden states."""


def method_name(method: str) -> str:
    """The planner's word for a method."""
    lower = method.lower().replace("-", "_")
    return METHOD_ALIASES.get(lower, lower)


def own_layers(method: str, draft: str | None) -> bool:
    """Whether the checkpoint's own prediction layers are loaded: no draft is named and nothing else proposes."""
    name = method_name(method)
    return draft is None and name not in NEEDS_DRAFT and not any(word in name for word in ("gram", "suffix", "lookup"))


@dataclass(frozen=True, slots=True)
class Method:
    """What one method does where a deployment leaves it open: ``speculative.toml``."""

    acceptance: float
    """Share of drafted tokens that are kept."""
    layers: float | None
    """Of the model itself that drafting one token takes; None: a model of its own."""
    share: float = 0.0
    """Active weights of such a model against the model's own, where it is not known."""


@cache
def method_of(method: str) -> Method:
    """Its facts; those of a usual method for an unknown one."""
    methods = read_toml("engines/speculative.toml")["methods"]
    row = methods.get(method_name(method)) or methods["other"]
    return Method(row["acceptance"], row.get("layers"), row.get("share", 0.0))
