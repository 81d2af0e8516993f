"""Other inputs tried beside those that stand: the planner is asked, nothing of the session changes."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from tui.draft import Draft
from tui.threads import in_thread
from tui.traces import Traces

if TYPE_CHECKING:
    from tui.answers import Answer

STEPS = ("workload", "plans")
"""Steps on which a plan is looked at."""


class WhatIfs(Traces):
    """The key, and the answers that its screen shows."""

    @property
    def what_if_here(self) -> bool:
        """On a step where a plan is looked at."""
        return self.screen is self.walk and self.walk.step in STEPS

    def action_what_if(self) -> None:
        """Single changes, held against the pinned plan."""
        from tui.modals.what_if import WhatIfScreen

        self.push_screen(WhatIfScreen(self.session, self.answer_to))

    async def answer_to(self, draft: Draft, stop: Event) -> Answer:
        """The planner's answer to inputs that are not the session's. Raises PlannerError."""
        from tui.desk.tasks import AnswerTo

        def ask() -> Answer:
            with self._planner_at_work:
                return self.desk.do(AnswerTo(draft), stopped=self.giving_way(stop))

        return await in_thread(ask, "what-if")
