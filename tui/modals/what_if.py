"""What if: single changes of the inputs, each worked out and held against the pinned plan. Enter takes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType
from textual.widget import Widget

from tui import text
from tui.draft import Draft
from tui.explain import Explanation
from tui.figures import FIGURES
from tui.messages import Changed, Explained
from tui.modals.aside import AsideScreen
from tui.what_if import changes_for
from tui.what_if_rows import BASE, Outcome, base_row, columns, row_of, words_of
from tui.widgets.listing import Listing
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from tui.answers import Answer
    from tui.session import Session

Ask = Callable[[Draft, Event], Awaitable["Answer"]]
"""The planner's answer to other inputs, made beside the event loop until the event stops it."""


def held_against(session: Session) -> PlannedDeployment | None:
    """The pinned plan, else the first: what a change comes to is the first plan with it."""
    first = session.plan.candidates[0] if session.plan is not None and session.plan.candidates else None
    return session.pinned or first


class WhatIfScreen(AsideScreen):
    """The pinned plan in the first row, one change in every other; nothing is taken before Enter."""

    TITLE: ClassVar[str] = "What if"
    HELP_TEXT: ClassVar[str] = (
        "Each row changes one input and shows what that does to the best plan: ▲ better, ▼ worse, = the same, against\n"
        "the pinned plan, or plan 1; behind → the model, where it becomes another. Rows fill in the background, one\n"
        "after the other.\n\n"
        "Enter  take the change, u takes it back · ← → ?  a figure in full · Escape  back, everything as it was"
    )
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, ask: Ask) -> None:
        super().__init__(session)
        self._ask, self._stop = ask, Event()
        self._draft = session.draft
        self._pinned = session.pinned is not None
        self._base = held_against(session)
        self._outcomes: dict[str, Outcome] = {}
        if session.plan is not None and session.plan.candidates:
            found = changes_for(session.draft, session.plan.candidates[0], session.plan)
            self._outcomes = {change.key: Outcome(change) for change in found}

    def body(self) -> Iterator[Widget]:
        yield Words(id="what-if-said")
        yield Listing("what-if", (), id="what-ifs")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(".aside").border_subtitle = "Enter takes a change · Escape leaves all as it was"
        listing = self.query_one(Listing)
        listing.explainer = self._explained
        listing.focus()
        self.call_after_refresh(self._fill)
        self._try_all()

    def on_unmount(self) -> None:
        self._stop.set()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def redraw(self) -> None:
        """Another plan may have been pinned."""
        super().redraw()
        base = held_against(self.session)
        if base is not self._base:
            self._base, self._pinned = base, self.session.pinned is not None
            self._fill()

    def _fill(self) -> None:
        """All rows, for the width there is."""
        if self._base is None:
            return
        listing, purpose = self.query_one(Listing), self._draft.purpose
        width = listing.size.width
        listing.set_columns(columns(purpose, width))
        rows = (row_of(outcome, self._base, purpose, width) for outcome in self._outcomes.values())
        listing.fill([base_row(self._base, purpose, pinned=self._pinned), *rows])
        self._say()

    def _say(self) -> None:
        base, left = self._base, sum(not (o.answer or o.reason) for o in self._outcomes.values())
        if base is not None:
            against = "the pinned plan" if self._pinned else "plan 1"
            doing = f" · {left} left to work out" if left else ""
            words = f"Against {against}, {text.model_of(base)} {words_of(base)}{doing}"
            self.query_one("#what-if-said", Words).say(words)

    @work(exclusive=True, group="what-if", exit_on_error=False)
    async def _try_all(self) -> None:
        """One after the other, the first first."""
        from planner.errors import PlannerError

        for key, outcome in list(self._outcomes.items()):
            try:
                answer = await self._ask(outcome.change.draft(self._draft), self._stop)
            except PlannerError as error:
                self._took(key, replace(outcome, reason=str(error).splitlines()[0]))
            else:
                if self._stop.is_set():
                    return
                self._took(key, replace(outcome, answer=answer))

    def _took(self, key: str, outcome: Outcome) -> None:
        self._outcomes[key] = outcome
        listing = self.query_one(Listing)
        if self._base is not None and key in listing.listed:
            listing.change([row_of(outcome, self._base, self._draft.purpose, listing.size.width)])
        self._say()

    def on_listing_taken(self, event: Listing.Taken) -> None:
        """Enter: the inputs with the change; nothing where nothing fits with it."""
        event.stop()
        outcome = self._outcomes.get(event.row)
        if outcome is None:
            self.post_message(Explained("This is the plan that the changes are held against. ↓ goes to them."))
        elif outcome.why_none:
            self.post_message(Explained("Not taken: nothing fits with it.", f"{outcome.why_none}"))
        else:
            self._take(outcome)

    def _take(self, outcome: Outcome) -> None:
        session, change = self.session, outcome.change
        if outcome.answer is not None:
            session.foresee(change.draft(session.draft), outcome.answer)
        if session.pinned is None:
            session.pinned = self._base
        self.dismiss(None)
        self.app.post_message(Changed(change.changes))
        words = "u takes it back. ▲ ▼ compare with the plan before, p lets it go."
        self.app.notify(words, title=change.label, timeout=6, markup=False)

    def _explained(self, row: str, column: str) -> Explanation | None:
        outcome = self._outcomes.get(row)
        plan = self._base if row == BASE else outcome.plan if outcome else None
        figure = FIGURES.get(column)
        if plan is None or figure is None:
            return None
        return figure.explained(plan, outcome.change.label if outcome else "the plan held against")
