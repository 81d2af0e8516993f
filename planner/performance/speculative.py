"""Speculative decoding: tokens drafted, tokens kept per step, and what drafting takes."""

from __future__ import annotations

from typing import NamedTuple

from planner.resolved import Resolved

_MOST = 64
"""Drafted tokens beyond which no more are kept."""


class Speculation(NamedTuple):
    """Of one step and request."""

    drafted: float = 0.0
    kept: float = 1.0
    """1 + a + a² + … + a^k = (1 − a^(k+1)) / (1 − a) for k drafted tokens, each kept with probability a if all before
    it were (Leviathan et al. 2023, equation 1)."""
    layers: float = 1.0
    """Of the model itself that drafting one token takes; 0 drafts for nothing."""


def speculation(resolved: Resolved) -> Speculation:
    """Of a deployment whose acceptance is filled in."""
    table = resolved.serving.speculative
    if table is None:
        return Speculation()
    share = table.acceptance or 0.0
    kept = sum(share**i for i in range(min(table.tokens, _MOST) + 1))
    return Speculation(float(table.tokens), kept, resolved.serving.draft_layers)
