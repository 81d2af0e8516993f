"""The five steps in one line, with what is done and where one stands."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.messages import StepWanted
from tui.purposes import SERVE, Purpose, Step


def _whole(step: Step, here: bool) -> str:
    return step.label


def _short(step: Step, here: bool) -> str:
    return step.short


def _here(step: Step, here: bool) -> str:
    """A name only where one stands."""
    return step.short if here else ""


class StepBar(Static):
    """``1 Hardware ✓ ── 2 Model ● ── …``; a click goes there."""

    purpose: reactive[Purpose] = reactive(SERVE)
    step: reactive[str] = reactive("hardware")
    done: reactive[frozenset[str]] = reactive(frozenset)

    def render(self) -> Content:
        pieces: list[tuple[str, str]] = []
        labels, join = self._fitting()
        for label, here in labels:
            if pieces:
                pieces.append((join, ""))
            pieces.append((label, "bold reverse" if here else ""))
        return Content.assemble(*pieces)

    def _fitting(self) -> tuple[list[tuple[str, bool]], str]:
        """The longest form that the width has room for: labels, and what stands between them."""
        for name, join in ((_whole, " ── "), (_whole, "─"), (_short, "─"), (_here, "")):
            labels = [(self._label(n, step, name), step.key == self.step) for n, step in self._numbered()]
            if sum(len(label) + len(join) for label, _ in labels) - len(join) <= self.size.width:
                break
        return labels, join

    def _numbered(self) -> list[tuple[int, Step]]:
        return list(enumerate(self.purpose.steps, 1))

    def _label(self, number: int, step: Step, name: Callable[[Step, bool], str]) -> str:
        here = step.key == self.step
        mark = "●" if here else "✓" if step.key in self.done else "·"
        words = name(step, here)
        return f" {number} {words} {mark} " if words else f" {number}{mark} "

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        labels, join = self._fitting()
        for (label, _), step in zip(labels, self.purpose.steps, strict=True):
            if 0 <= x < len(label):
                self.post_message(StepWanted(step.key))
                return
            x -= len(label) + len(join)
