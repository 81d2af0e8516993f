"""Recorded requests: asked for by name, read beside the event loop, run through the scheduler of a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from textual import work

from tui.errands import Errands
from tui.messages import Changed, TraceWanted
from tui.threads import in_thread

if TYPE_CHECKING:
    from tui.modals.prompt import Hint
    from tui.trace import Unit


class Traces(Errands):
    """A file that is none is said beside its field, and everything stays as it was."""

    def on_trace_wanted(self, event: TraceWanted) -> None:
        if event.path:
            self.take_trace(event.path, event.unit)
        else:
            self._ask_for_trace()

    def _ask_for_trace(self) -> None:
        from tui.modals.prompt import PromptModal
        from tui.trace import ABOUT

        known = self.session.draft.trace
        unit: Unit = known.unit if known else "s"
        line = known.path if known else f"{Path.cwd()}/"

        def hint(line: str) -> Hint:
            return trace_hint(line, unit, self.giving_way(Event()))

        def take(path: str | None) -> None:
            if path:
                self.take_trace(path, unit)

        self.push_screen(PromptModal("A trace of requests", ABOUT, line, hint), take)

    @work(exclusive=True, group="trace", exit_on_error=False)
    async def take_trace(self, path: str, unit: Unit) -> None:
        """Read the file; its load becomes the workload."""
        from planner.errors import PlannerError
        from tui.trace import read_trace_file, said_of

        self.show_activity(f"reading {Path(path).name[:40]} …")
        try:
            trace = await in_thread(lambda: read_trace_file(path, unit, self.giving_way(Event())), "trace")
        except PlannerError as error:
            self.session.trace_problem = said_of(error)
            self.session.activity = ""
            self.redraw()
        else:
            self.session.trace_problem = ""
            self.show_activity("")
            self.post_message(Changed(trace.changes()))

    def action_simulated(self) -> None:
        """The load run through the scheduler of the plan looked at."""
        from tui.modals.simulated import SimulatedScreen

        self.push_screen(SimulatedScreen(self.session, self.desk))


def trace_hint(line: str, unit: Unit, pause: Callable[[], object]) -> Hint:
    """What a file says as a trace, or entries that continue a path."""
    from planner.errors import PlannerError
    from tui.hints import file_hint
    from tui.modals.prompt import Hint
    from tui.paths import expanded
    from tui.trace import read_trace_file, said_of

    if not expanded(line).is_file():
        return file_hint(line)
    try:
        return Hint(read_trace_file(line, unit, pause).words)
    except PlannerError as error:
        return Hint(said_of(error), mark="✗")
