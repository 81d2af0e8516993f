"""The five steps in one line, with what is done and where one stands."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.messages import StepWanted

STEPS = (
    ("hardware", "Hardware", "Hw"),
    ("model", "Model", "Model"),
    ("workload", "Workload", "Workload"),
    ("plans", "Plans", "Plans"),
    ("export", "Export", "Export"),
)
"""Id, name, name at 80 columns; the digit before it is its key."""


class StepBar(Static):
    """``1 Hardware ✓ ── 2 Model ● ── …``; a click goes there."""

    step: reactive[str] = reactive("hardware")
    done: reactive[frozenset[str]] = reactive(frozenset)

    def render(self) -> Content:
        pieces: list[tuple[str, str]] = []
        for label, here in self._labels():
            if pieces:
                pieces.append((self._join, ""))
            pieces.append((label, "bold reverse" if here else ""))
        return Content.assemble(*pieces)

    @property
    def _narrow(self) -> bool:
        return self.size.width < 80

    @property
    def _join(self) -> str:
        return "─" if self._narrow else " ── "

    def _labels(self) -> list[tuple[str, bool]]:
        return [(self._label(n, step), step[0] == self.step) for n, step in enumerate(STEPS, 1)]

    def _label(self, number: int, step: tuple[str, str, str]) -> str:
        mark = "●" if step[0] == self.step else "✓" if step[0] in self.done else "·"
        return f" {number} {step[2] if self._narrow else step[1]} {mark} "

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        for (label, _), (step, *_) in zip(self._labels(), STEPS, strict=True):
            if 0 <= x < len(label):
                self.post_message(StepWanted(step))
                return
            x -= len(label) + len(self._join)
