"""All proposals in one picture: two figures across and up."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.plots import field_of
from tui.session import Session
from tui.tabs.tab import PlanTab, drawing
from tui.widgets.words import Words

ABOUT = "Each number is a proposal by its rank; * marks those that no other beats in every respect."


class ParetoTab(PlanTab):
    """Proposals as points."""

    def compose(self) -> ComposeResult:
        yield Words(ABOUT, id="pareto-said")
        yield Vertical(id="pareto-plot")

    def draw(self, session: Session) -> None:
        field, place = field_of(session), self.query_one("#pareto-plot")
        place.display = field is not None
        self.query_one("#pareto-said", Words).say(ABOUT if field else "Fewer than two proposals to draw.")
        if field is not None:
            from tui.widgets.plot import FieldPlot

            drawing(place, FieldPlot).show(field)
