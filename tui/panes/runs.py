"""Step 4 of fine-tuning: the ranked runs, the memory of a step, what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from planner.documents.result import PlannedDeployment
from tui import run_rows
from tui.panes.plans import PlansPane
from tui.session import Session
from tui.widgets.columns import Column, Row


class RunsPane(PlansPane):
    """Like the plans of serving; a run has no curve over load."""

    TITLE = "Runs"
    HELP_TEXT = (
        "Rank 1 is what the planner would start; ! marks runs that take longer than the hours allowed.\n\n"
        "↑ ↓  look at another run · ← →  its figures · ?  the figure under the cursor · Enter  export it\n"
        "m memory · i why · t all figures · o Pareto · x mark, c compare · R rejected · Escape  back to the ranking"
    )
    TABS: ClassVar[tuple[str, ...]] = ("ranked", "memory", "why", "figures", "pareto", "compare", "rejected")
    TABLE: ClassVar[str] = "runs"
    STACKED: ClassVar[Sequence[Column]] = run_rows.STACKED
    WIDE: ClassVar[Sequence[Column]] = run_rows.WIDE

    def ranking(self, session: Session, *, stacked: bool) -> Iterator[Row]:
        return run_rows.ranking_rows(session)

    def memory_rows(self, plan: PlannedDeployment) -> Iterator[Row]:
        return run_rows.memory_rows(plan)
