"""What is wrong with a deployment or missing for an answer, and the verdict over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["fits", "tight", "does-not-fit", "illegal", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule or a warning, with the nearest fix. ``change`` maps dotted deployment keys to the fixing values."""

    rule: str
    message: str
    fix: str = ""
    severity: Literal["error", "warning"] = "error"
    change: dict[str, Any] = field(default_factory=dict)
