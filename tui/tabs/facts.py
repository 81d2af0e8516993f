"""Tabs of the plan looked at alone: its memory, why it stands where it stands, every figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import TabbedContent

from planner.documents.result import PlannedDeployment
from tui.bars import bars_of
from tui.figure_rows import FIGURE_COLUMNS, MEMORY_COLUMNS, figure_rows
from tui.messages import Explained
from tui.plan_rows import why_lines
from tui.session import Session
from tui.tabs.tab import PlanTab
from tui.text import hanging
from tui.widgets.columns import Row
from tui.widgets.listing import Listing
from tui.widgets.memory_bars import MemoryBars
from tui.widgets.words import Words


class MemoryTab(PlanTab):
    """The memory of the fullest GPU: a bar, and its parts."""

    def __init__(self, name: str, parts: Callable[[PlannedDeployment], Iterator[Row]]) -> None:
        super().__init__(name)
        self._parts = parts

    def compose(self) -> ComposeResult:
        yield MemoryBars(id="plan-bars")
        yield Listing("memory", MEMORY_COLUMNS, id="memory-parts")

    def on_mount(self) -> None:
        self.query_one(Listing).explainer = self.explained

    def draw(self, session: Session) -> None:
        if session.best is not None:
            self.query_one(MemoryBars).show(bars_of(session.best, session.draft.inventory))
            self.query_one(Listing).fill(self._parts(session.best))


MARGIN = 3
"""Beside the lines: the scroll bar and a cell on each side."""


class WhyTab(PlanTab):
    """Reasons, and what was assumed."""

    def compose(self) -> ComposeResult:
        yield VerticalScroll(Words(id="plan-why"), id="plan-why-scroll")

    def draw(self, session: Session) -> None:
        if session.best is not None:
            width = max(20, self.query_ancestor(TabbedContent).size.width - MARGIN)
            lines = (hanging(line, width) for line in why_lines(session.best))
            self.query_one("#plan-why", Words).say("\n".join(lines))

    def on_descendant_focus(self) -> None:
        words = "Why it stands here, the most important first; then what was assumed. ↑ ↓ scroll."
        self.post_message(Explained(words))


class FiguresTab(PlanTab):
    """Every figure with its range and origin."""

    def compose(self) -> ComposeResult:
        yield Listing("figures", FIGURE_COLUMNS, id="all-figures")

    def on_mount(self) -> None:
        self.query_one(Listing).explainer = self.explained

    def draw(self, session: Session) -> None:
        if session.best is not None:
            self.query_one(Listing).fill(figure_rows(session.best))
