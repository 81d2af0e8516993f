"""Simulated: the load run through the scheduler of the plan looked at, with the percentiles that its users see."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from tui import text
from tui.explain import Explanation
from tui.modals.aside import AsideScreen
from tui.simulated import COLUMNS, explained, load_of_draft, said_lines, simulated_rows
from tui.threads import in_thread
from tui.widgets.listing import Listing
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.documents.simulation import SimulationDocument
    from tui.desk.local import Desk
    from tui.session import Session


class SimulatedScreen(AsideScreen):
    """The plan and its load above, times and rates below."""

    TITLE: ClassVar[str] = "Simulated"
    HELP_TEXT: ClassVar[str] = (
        "Every request of the trace, or a thousand of the workload's own, goes through the plan's scheduler: batches,\n"
        "chunked prompts, the KV pool, preemptions. Percentiles are over requests; promises hold at the 95th.\n\n"
        "↑ ↓ ← →  a number · ?  its range and origin · Escape  back"
    )
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, desk: Desk) -> None:
        super().__init__(session)
        self._desk = desk
        self._stop = Event()
        self._document: SimulationDocument | None = None
        self._draft = session.planned_for or session.draft
        self._load = load_of_draft(self._draft)

    def body(self) -> Iterator[Widget]:
        yield Words(id="simulated-plan")
        yield Words(f"running {self._load.words} …", id="simulated-said")
        yield Listing("simulated", COLUMNS, id="simulated-times")

    def on_mount(self) -> None:
        super().on_mount()
        listing = self.query_one(Listing)
        listing.explainer = self._explained
        listing.display = False
        plan = self.session.best
        if plan is not None:
            self.query_one("#simulated-plan", Words).say(text.folded_lines(plan)[0])
            self._run(dict(plan.deployment))

    def on_unmount(self) -> None:
        self._stop.set()

    @work(exclusive=True, group="simulated", exit_on_error=False)
    async def _run(self, deployment: dict[str, object]) -> None:
        from planner.errors import PlannerError
        from tui.desk.tasks import SimulationOf

        said, task = self.query_one("#simulated-said", Words), SimulationOf(deployment, self._load)
        try:
            document = await in_thread(lambda: self._desk.do(task, stopped=self._stop.is_set), "simulated")
        except PlannerError as error:
            said.say(f"✗ {error}")
            return
        self._document = document
        said.say("\n".join(said_lines(self._load, document)))
        listing = self.query_one(Listing)
        listing.fill(simulated_rows(document, self._draft))
        listing.display = bool(listing.listed)
        if listing.display:
            listing.focus()

    def _explained(self, row: str, column: str) -> Explanation | None:
        return explained(self._document, row, column) if self._document is not None else None
