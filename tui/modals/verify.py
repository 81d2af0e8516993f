"""Verify: a log or a metrics page beside the plan, part by part, with the likely reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from tui import text
from tui.messages import Explained
from tui.modals.aside import AsideScreen
from tui.threads import in_thread
from tui.verify_file import COLUMNS, Compared, compared, kept, part_rows, words_of
from tui.widgets.listing import Listing
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.library import Library
    from tui.session import Session

ASK = "The start-up log of the engine, a saved metrics page, or http://host:8000/metrics; Enter compares."

HOW = (
    "What the engine prints while it starts is held against this plan, part by part:\n\n"
    "  ./start.log                     what it printed, also compressed\n"
    "  http://127.0.0.1:8000/metrics   what it says of itself now\n\n"
    "How to keep the log:\n\n"
    "  ./serve.sh 2>&1 | tee start.log\n"
    "  docker logs NAME > start.log 2>&1\n"
    "  journalctl -u NAME -b > start.log"
)
"""Before anything was compared."""


class VerifyScreen(AsideScreen):
    """Path or address, the parts, the reasons; k keeps what was measured."""

    TITLE: ClassVar[str] = "Verify: planned beside actual"
    HELP_TEXT: ClassVar[str] = (
        "Takes the engine's start-up log (also compressed or from journalctl), a saved Prometheus page, or the\n"
        "address of the engine's own /metrics, and holds every figure against the plan that is looked at.\n\n"
        "/  another file · Enter  compare · k  keep the measured overheads for later plans on this machine"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "rename", "File", id="verify.file", tooltip="Another log, page or address"),
        Binding("k", "keep", "Keep", id="verify.keep", tooltip="Keep what was measured for later plans here"),
    ]

    def __init__(self, session: Session, library: Callable[[], Library]) -> None:
        super().__init__(session)
        self._library = library
        self._found: Compared | None = session.compared if _of(session.compared, session) else None

    def body(self) -> Iterator[Widget]:
        plan = self.session.best
        if plan is not None:
            yield Words(" · ".join(text.folded_lines(plan)[:1]), id="verify-plan")
        yield Input(value=self._found.source if self._found else "", placeholder="log file, metrics page or address",
                    id="verify-path")  # fmt: skip
        yield Words(id="verify-said")
        yield Listing("verify", COLUMNS, id="verify-parts")
        yield VerticalScroll(Words(id="verify-words"), id="verify-scroll")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Input).focus()
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "keep":
            return True if self._found is not None else None
        return True

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id == "verify-path":
            self.post_message(Explained(ASK))
        elif event.widget.id == "verify-scroll":
            self.post_message(Explained("What it comes to, and the likely reasons. ↑ ↓ scroll."))

    def on_key(self, event: events.Key) -> None:
        """Escape leaves the line before it leaves the screen."""
        if event.key == "escape" and self.query_one(Input).has_focus and self._found is not None:
            event.stop()
            event.prevent_default()
            self.query_one(Listing).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        source = event.value.strip()
        if source and self.session.best is not None:
            self._compare(source if "://" in source else str(Path(source).expanduser()))

    def action_rename(self) -> None:
        self.query_one(Input).focus()

    @work(exclusive=True, group="verify", exit_on_error=False)
    async def _compare(self, source: str) -> None:
        from planner.errors import PlannerError

        plan = self.session.best
        if plan is None:
            return
        self.query_one("#verify-said", Words).say(f"reading {source[:200]} …")
        try:
            found = await in_thread(lambda: compared(plan, source, self._library()), "verify")
        except PlannerError as error:
            self.query_one("#verify-said", Words).say(f"✗ {error}")
            return
        self._found = self.session.compared = found
        self.query_one("#verify-said", Words).say("")
        self._draw()
        self.query_one(Listing).focus()

    def _draw(self) -> None:
        listing, found = self.query_one(Listing), self._found
        listing.fill(part_rows(found.answer) if found else ())
        listing.display = bool(listing.listed)
        self.query_one("#verify-words", Words).say("\n".join(words_of(found)) if found else HOW)
        self.refresh_bindings()

    @work(exclusive=True, group="verify", exit_on_error=False)
    async def action_keep(self) -> None:
        """Keep the measured overheads as calibration of this site."""
        from planner.errors import PlannerError

        found = self._found
        if found is None:
            return
        try:
            said = await in_thread(lambda: kept(found.plan, found.source, self._library()), "keep")
        except PlannerError as error:
            said = f"✗ {error}"
        self.query_one("#verify-said", Words).say(said)


def _of(found: Compared | None, session: Session) -> bool:
    return found is not None and found.plan is session.best
