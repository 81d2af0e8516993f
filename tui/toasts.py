"""Toasts that say exactly what they were given."""

from __future__ import annotations

from textual.app import App
from textual.notifications import SeverityLevel


class PlainToasts(App[None]):
    """Words of a toast carry paths and names of models: brackets in them are text, whoever says it."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast; ``markup`` is not followed."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)
