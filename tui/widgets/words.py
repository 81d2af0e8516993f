"""Text that is drawn anew only when it changed, and laid out anew only where its height may have."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """A Static that knows what it says."""

    def __init__(self, words: str = "", *, id: str, fixed: bool = False, classes: str = "") -> None:
        """``fixed``: its height comes from the style sheet."""
        super().__init__(Content(words), id=id, classes=classes)
        self._said = Content(words)
        self._fixed = fixed
        if not fixed:
            self.display = bool(words)

    @property
    def said(self) -> str:
        return self._said.plain

    def say(self, words: str | Content) -> None:
        """Say something; nothing at all takes no room."""
        content = Content(words) if isinstance(words, str) else words
        if content == self._said:
            return
        self._said = content
        if not self._fixed:
            self.display = bool(content.plain)
        self.update(content, layout=not self._fixed)
