"""Below the ranking, where there is room: why the plan looked at stands where it stands, and all in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import TabbedContent

from tui.plan_rows import why_lines
from tui.plots import Field, field_of
from tui.session import Session
from tui.tabs.tab import drawing
from tui.text import hanging
from tui.widgets.words import Words

REASONS = 5
"""The most important ones; the tab Why has them all."""
MARGIN = 2
"""Cells beside the lines."""
AROUND, LEAST_PLOT = 5, 10
"""Lines of tabs and of gaps, and those below which a plot says nothing."""


class Glance(Vertical):
    """Nothing of it is anywhere else on the same screen; on low ones it gives way to the ranking."""

    def compose(self) -> ComposeResult:
        yield Words(id="glance-why")
        yield Vertical(id="glance-plot")

    def show(self, session: Session, above: int) -> None:
        """Draw the plan looked at among the others, in what the ``above`` lines of the ranking leave."""
        tabs = self.query_ancestor(TabbedContent).size
        why = tuple(_why(session, max(20, tabs.width - MARGIN)))
        room = tabs.height - AROUND - above - len(why)
        self.display = bool(why) and room >= 0
        if self.display:
            self.query_one("#glance-why", Words).say("\n".join(why))
            self._plot(field_of(session) if room >= LEAST_PLOT else None)

    def _plot(self, field: Field | None) -> None:
        place = self.query_one("#glance-plot")
        place.display = field is not None
        if field is not None:
            from tui.widgets.plot import FieldPlot

            drawing(place, FieldPlot).show(field)


def _why(session: Session, width: int) -> Iterator[str]:
    """A heading and the first reasons, as lines; nothing without a plan."""
    if session.best is None:
        return
    yield f"Why {session.selected + 1} stands here"
    for reason in islice(why_lines(session.best), REASONS):
        yield from hanging(reason, width).splitlines()
