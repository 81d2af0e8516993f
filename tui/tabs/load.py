"""The plan looked at from one user to hundreds: a curve, and its table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import TabbedContent

from tui.load_rows import LOAD_COLUMNS, load_rows
from tui.messages import LoadCurveWanted, ask_as
from tui.plots import Curve, curve_of, holds_words
from tui.session import Session
from tui.tabs.tab import PlanTab, drawing
from tui.widgets.listing import Listing
from tui.widgets.words import Words

TALL = 26
"""Lines of the step from which curve and table stand above each other."""


class LoadTab(PlanTab):
    """The curve above the table, where there is room for both; ``turn`` changes to the other one elsewhere."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._plotted = True
        """Where there is room for one only: the curve, not its table."""

    def compose(self) -> ComposeResult:
        yield Words("working out the speed at other loads …", id="load-said")
        yield Vertical(id="load-plot")
        yield Listing("load", LOAD_COLUMNS, id="load-curve")

    def turn(self) -> None:
        """From the curve to its table, or back."""
        self._plotted = not self._plotted
        if self.session is not None:
            self.show(self.session)

    def draw(self, session: Session) -> None:
        if session.load_curve is None:
            ask_as(self, LoadCurveWanted)
        listing = self.query_one(Listing)
        listing.fill(load_rows(session, max(8, listing.size.width - 45)))
        self._place(curve_of(session), listing)

    def _place(self, curve: Curve | None, table: Listing) -> None:
        """Curve and table in the room that there is; the focus never stays on what is hidden."""
        place, tall = self.query_one("#load-plot"), self.query_ancestor(TabbedContent).size.height >= TALL
        place.display = curve is not None and (tall or self._plotted)
        lost = table.has_focus and not tall and place.display
        table.display = tall or not place.display
        if curve is None:
            return
        turn = "" if tall else " l: the table." if self._plotted else " l: the curve."
        self.query_one("#load-said", Words).say(holds_words(curve) + turn)
        if place.display:
            self._plot(curve, place, focus=lost)
        elif not table.has_focus and self._step_has_focus:
            table.focus()

    @property
    def _step_has_focus(self) -> bool:
        return self.query_ancestor(TabbedContent).has_focus_within

    def _plot(self, curve: Curve, place: Widget, *, focus: bool) -> None:
        from tui.widgets.plot import CurvePlot

        plot = drawing(place, CurvePlot)
        plot.show(curve)
        if focus:
            plot.focus()
