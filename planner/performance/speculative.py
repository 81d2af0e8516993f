"""Speculative decoding: tokens drafted and tokens kept per step."""

from __future__ import annotations

from planner.resolved import Resolved

DEFAULT_ACCEPTANCE = {"mtp": 0.8, "eagle": 0.7, "eagle3": 0.75, "draft_model": 0.65, "ngram": 0.35, "medusa": 0.6}
"""Mean acceptance of one drafted token where none is given; DeepSeek-V3 reports 0.85-0.90 for its first MTP token."""


def speculation(resolved: Resolved) -> tuple[float, float]:
    """(drafted tokens, kept tokens per step): 1 + a + a² + … + a^k for acceptance a and k drafted."""
    table = resolved.serving.speculative
    if table is None:
        return 0.0, 1.0
    share = table.acceptance
    if share is None:
        share = DEFAULT_ACCEPTANCE.get(table.method.lower(), 0.6)
    kept = sum(share**i for i in range(min(table.tokens, 64) + 1))
    return float(table.tokens), kept
