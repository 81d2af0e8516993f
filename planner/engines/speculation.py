"""Methods of speculative decoding as people write them, and what proposes the tokens."""

from __future__ import annotations

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
