"""The marked plans side by side."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.compare_rows import compare_columns, compare_rows
from tui.session import Session
from tui.tabs.tab import PlanTab
from tui.widgets.listing import Listing
from tui.widgets.words import Words


class CompareTab(PlanTab):
    """Up to four plans, a column each; the first two where none is marked."""

    def compose(self) -> ComposeResult:
        yield Words(id="compare-hint")
        yield Listing("compare", (), id="comparison")

    def on_mount(self) -> None:
        self.query_one(Listing).explainer = self.explained

    def on_resize(self) -> None:
        """The columns share the width, which is known only now."""
        if self.session is not None:
            self.call_after_refresh(self.show, self.session)

    def draw(self, session: Session) -> None:
        candidates = session.plan.candidates if session.plan else ()
        indices = session.marked or tuple(range(min(2, len(candidates))))
        plans = [candidates[i] for i in sorted(indices)]
        hint = "" if session.marked else "The first two; x marks others in the ranking, up to four."
        self.query_one("#compare-hint", Words).say(hint)
        listing = self.query_one(Listing)
        listing.set_columns(compare_columns(plans, max(40, listing.size.width)))
        listing.fill(compare_rows(plans))
