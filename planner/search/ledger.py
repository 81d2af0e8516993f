"""Everything that was ruled out, counted under its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from planner.documents.result import Finding, Rejection


@dataclass(slots=True)
class _Entry:
    count: int
    closeness: float
    message: str
    example: str
    fix: str
    change: dict[str, Any]


@dataclass(slots=True)
class Ledger:
    """Rejections by rule, each with one example."""

    considered: int = 0
    _entries: dict[str, _Entry] = field(default_factory=dict)

    def reject(self, finding: Finding, example: str, count: int = 1, closeness: float = 0.0) -> None:
        """Count configurations under the rule that they break; the one closest to legal is kept as the example."""
        entry = self._entries.get(finding.rule)
        before = entry.count if entry else 0
        if entry is None or closeness > entry.closeness:
            change = dict(finding.change)
            entry = _Entry(before, closeness, finding.message, example, finding.fix, change)
            self._entries[finding.rule] = entry
        entry.count = before + count

    def consider(self, count: int = 1) -> None:
        """Count configurations that were looked at, whatever became of them."""
        self.considered += count

    def rejections(self, extra: Iterable[Rejection] = ()) -> tuple[Rejection, ...]:
        """Most frequent first."""
        own = (Rejection(rule, e.message, e.count, e.example, e.fix, e.change) for rule, e in self._entries.items())
        return tuple(sorted((*extra, *own), key=lambda r: (-r.count, r.rule)))
