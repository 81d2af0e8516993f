"""What runs beside the event loop for one screen: rendering for export, the account of a plan, a log compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from tui.jobs import Jobs
from tui.messages import PoolWanted
from tui.threads import in_thread

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from tui.walk import WalkScreen


LIVE_S = 5.0
"""How often the machine is looked at again while its step is on the screen."""


class Errands(Jobs):
    """Answers go into the session, dropped when another plan is looked at by then."""

    def watch_hardware(self) -> None:
        """Look again now and then; nothing is planned anew for it."""
        self.set_interval(LIVE_S, self._look_again)

    def _look_again(self) -> None:
        inventory = self.session.draft.inventory
        busy = self.planning or self.running("hardware") or self.running("live")
        if inventory is not None and inventory.origin == "detected" and self.hardware_shown and not busy:
            self._live()

    @property
    def walk(self) -> WalkScreen:
        raise NotImplementedError

    @property
    def hardware_shown(self) -> bool:
        """Whether the hardware is on the screen."""
        raise NotImplementedError

    @work(exclusive=True, group="live", exit_on_error=False)
    async def _live(self) -> None:
        seen = await in_thread(lambda: self.services.detect(self.library()), "live")
        if seen != self.session.live:
            self.session.live = seen
            self.redraw()

    def on_pool_wanted(self, event: PoolWanted) -> None:
        self.session.pool = event.index
        self.redraw()

    @work(exclusive=True, group="render", exit_on_error=False)
    async def render_export(self, plan: PlannedDeployment) -> None:
        """Every target's files of a plan."""
        from planner.errors import PlannerError
        from tui.desk.tasks import FilesOf

        try:
            found = await in_thread(lambda: self.desk.do(FilesOf(plan)), "render")
        except PlannerError as error:
            self.refused("nothing to export", str(error))
            return
        self.session.rendered = replace(found, plan=plan)
        self.redraw()  # where another plan is looked at by now, its files are asked for
