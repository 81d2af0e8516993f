"""What the walk is for, at the top right: ``‹Serve› fine-tune buy``. A click or g changes it."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.messages import PurposeWanted
from tui.purposes import PURPOSES

LONG = 22
"""Cells from which the labels are written out."""


class PurposeBar(Static):
    """The three purposes; brackets and weight mark the present one."""

    purpose: reactive[str] = reactive("serve")

    def render(self) -> Content:
        return Content.assemble(*((name, "bold" if key == self.purpose else "") for key, name in self._names()))

    def _names(self) -> list[tuple[str, str]]:
        short = self.size.width < LONG
        labels = [(p.key, p.short if short else p.label) for p in PURPOSES.values()]
        return [(key, f"‹{label}›" if key == self.purpose else f" {label} ") for key, label in labels]

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        for key, name in self._names():
            if 0 <= x < len(name):
                self.post_message(PurposeWanted(key))
                return
            x -= len(name)
