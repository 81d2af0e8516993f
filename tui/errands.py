"""What runs beside the event loop for one screen: rendering for export, the account of a plan, a log compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from tui.jobs import Jobs
from tui.threads import in_thread

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment


class Errands(Jobs):
    """Answers go into the session, dropped when another plan is looked at by then."""

    @work(exclusive=True, group="render", exit_on_error=False)
    async def render_export(self, plan: PlannedDeployment) -> None:
        """Every target's files of a plan."""
        from planner.errors import PlannerError
        from tui.export_bundle import rendered

        try:
            found = await in_thread(lambda: rendered(plan, self.library()), "render")
        except PlannerError as error:
            self.refused("nothing to export", str(error))
            return
        if plan is self.session.best:
            self.session.rendered = found
            self.redraw()
