"""The five steps in one line, with what is done and where one stands."""

from __future__ import annotations

from textual.reactive import reactive
from textual.widgets import Static

STEPS = (
    ("hardware", "Hardware", "Hw"),
    ("model", "Model", "Model"),
    ("workload", "Workload", "Workload"),
    ("plans", "Plans", "Plans"),
    ("export", "Export", "Export"),
)
"""Id, name, name at 80 columns; the digit before it is its key."""


class StepBar(Static):
    """``1 Hardware ✓ ── 2 Model ● ── …``."""

    step: reactive[str] = reactive("hardware")
    done: reactive[frozenset[str]] = reactive(frozenset)

    def render(self) -> str:
        narrow = self.size.width < 100
        names = [self._label(index, step, narrow) for index, step in enumerate(STEPS, 1)]
        return (" ─ " if narrow else " ── ").join(names)

    def _label(self, number: int, step: tuple[str, str, str], narrow: bool) -> str:
        name = step[2] if narrow else step[1]
        if step[0] == self.step:
            return f"[b reverse] {number} {name} ● [/]"
        return f"{number} {name} {'✓' if step[0] in self.done else '·'}"
