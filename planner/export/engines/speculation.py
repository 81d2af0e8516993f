"""Names of speculative methods as people write them."""

from __future__ import annotations

METHOD_ALIASES = {"nextn": "mtp", "deepseek_mtp": "mtp", "draft": "draft_model", "standalone": "draft_model"}


def method_name(method: str) -> str:
    """The planner's word for a method."""
    lower = method.lower()
    return METHOD_ALIASES.get(lower, lower)
