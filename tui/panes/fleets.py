"""Step 4 of buying: the ranked fleets, what each leaves idle, what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from tui import fleet_rows
from tui.panes.plans import PlansPane
from tui.session import Session
from tui.widgets.columns import Column, Row


class FleetsPane(PlansPane):
    """Like the plans of serving, a fleet a row."""

    TITLE = "Fleets"
    HELP_TEXT = (
        "The first fleet is the cheapest, or the best by the order of step 1. Prices are dated facts.\n\n"
        "↑ ↓  look at another fleet · ← →  its figures · ?  the figure under the cursor · Enter  export it\n"
        "m memory · i why, and what it leaves · t all figures · l load · x mark, c compare · R rejected · $ its cost"
    )
    TABLE: ClassVar[str] = "fleets"
    STACKED: ClassVar[Sequence[Column]] = fleet_rows.STACKED
    WIDE: ClassVar[Sequence[Column]] = fleet_rows.WIDE

    def ranking(self, session: Session, *, stacked: bool) -> Iterator[Row]:
        return fleet_rows.ranking_rows(session)
