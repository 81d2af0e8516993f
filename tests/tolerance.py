"""Errors of a figure against what ``tests/truth/tolerances*.toml`` allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.scoring import Summary


def assert_within(summary: Summary, allowed: Mapping[str, Any]) -> None:
    """Every case answered, median and p90 no worse, and as many inside their ranges as a range promises."""
    assert summary.unanswered == 0
    assert summary.median <= allowed["median"]
    assert summary.p90 <= allowed["p90"]
    assert allowed["inside"][0] <= (summary.inside or 0.0) <= allowed["inside"][1]
