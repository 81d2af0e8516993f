"""What the one-line inputs of the walk share: a label, a marker of the focus, an explanation."""

from __future__ import annotations

from textual.widgets import Static

from tui.explain import Explanation
from tui.messages import Explained

LABEL_WIDTH = 17


class Field(Static, can_focus=True):
    """A labelled line that explains itself when focused."""

    def __init__(self, label: str, about: str, *, id: str) -> None:
        super().__init__(id=id)
        self.label, self.about = label, about

    @property
    def head(self) -> str:
        """Marker and label."""
        return f"{'▸' if self.has_focus else ' '}{self.label:<{LABEL_WIDTH}}"

    def explain(self) -> Explanation:
        """What ``?`` shows."""
        return Explanation(self.label, self.about)

    def on_focus(self) -> None:
        self.post_message(Explained(f"{self.label} — {self.about}"))
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
