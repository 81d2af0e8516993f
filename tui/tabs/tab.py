"""What every tab of step 4 is."""

from __future__ import annotations

from typing import TypeVar

from textual.widget import Widget
from textual.widgets import TabPane

from tui import text
from tui.explain import Explanation
from tui.figures import FIGURES
from tui.session import Session

Plot = TypeVar("Plot", bound=Widget)


class PlanTab(TabPane):
    """One tab. ``show`` is called when it is on the screen and the session changed."""

    def __init__(self, name: str) -> None:
        super().__init__(name.capitalize(), id=name)
        self.session: Session | None = None
        """The one shown last."""

    def show(self, session: Session) -> None:
        """Draw what the session says, where there is anything to draw."""
        self.session = session
        if session.best is not None:
            self.draw(session)

    def draw(self, session: Session) -> None:
        """Of a session that has a plan."""
        raise NotImplementedError

    def explained(self, row: str, column: str) -> Explanation | None:
        """The figure of a row: of the plan that the column names, else of the one looked at."""
        session, figure = self.session, FIGURES.get(row)
        if session is None or session.plan is None or session.best is None or figure is None:
            return None
        plan = next((p for p in session.plan.candidates if f"plan{p.rank}" == column), session.best)
        return figure.explained(plan, f"plan {plan.rank}, {text.layout_of(plan)}")


def drawing(place: Widget, kind: type[Plot]) -> Plot:
    """The plot in a place, put there the first time."""
    found = next(iter(place.query(kind)), None)
    if found is None:
        place.mount(found := kind())
    return found
