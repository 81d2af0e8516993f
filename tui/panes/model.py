"""Step 2: which model."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from tui.catalogue_view import (
    BEST,
    ORDERS,
    View,
    after,
    describe,
    facts,
    precisions_of,
    rows_for,
    rows_of,
    uses_of,
)
from tui.explain import Explanation
from tui.messages import CataloguePaneShown, Changed, Explained, RowsShown, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.columns import Column
from tui.widgets.listing import Listing
from tui.widgets.words import Words

COLUMNS = (
    Column("mark", "", 3),
    Column("name", "Model", 30, elastic=True),
    Column("size", "Size", 11, need=1, right=True),
    Column("best", "Format", 11, need=5),
    Column("token", "Token", 7, need=2, right=True),
    Column("users", "Room", 6, need=4, right=True),
    Column("room", "Of", 5, need=6, right=True),
    Column("context", "Context", 8, need=7, right=True),
    Column("publisher", "Publisher", 14, need=9),
    Column("licence", "Licence", 14, need=8),
    Column("released", "Released", 10, need=10),
)
TUNE_COLUMNS = tuple(
    replace(column, label={"best": "Method", "token": "Time", "room": "Longest"}.get(column.key, column.label))
    for column in COLUMNS
    if column.key != "users"
)
"""What the badges say of training."""
SEARCH_ABOUT = (
    "Search — words of name, family, licence or use, or the path of a local model, which Enter takes. "
    "↓ goes to the list, Escape shows all of it again."
)
FIRST_WORKED_OUT = 24
"""Rows from the top of what is listed that are worked out before the rest of the catalogue."""


class ModelPane(Pane):
    """The catalogue, searched as you type; the first row leaves the choice to the planner."""

    TITLE = "Model"
    FIRST = "#models"
    HELP_TEXT = (
        "The first row lets the planner choose the best model of the catalogue that fits.\n\n"
        "/  search: name, family, licence, use, size class; a path to a directory, config.json or .gguf works too\n"
        "Enter  take the model and go on · d  its distills, bases and siblings · f  only what fits\n"
        "U  for one use · P  published in one format · F  the family of this model · l  a local path\n"
        "c  only for commercial use · o  another order · Escape  back to the whole list"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="model.search", tooltip="Type to filter the catalogue, or a path"),
        Binding("d", "relatives", "Distills", id="model.relatives", tooltip="Distills, bases, siblings of this model"),
        Binding("f", "fitting", "Fits", id="model.fitting", tooltip="Only what fits on this hardware"),
        Binding("c", "commercial", "Commercial", show=False, id="model.commercial", tooltip="Only for commercial use"),
        Binding("U", "use", "Use", show=False, id="model.use", tooltip="Only models for one use: the next"),
        Binding("P", "precision", "Published as", show=False, id="model.precision", tooltip="Only one weight format"),
        Binding("F", "family", "Family", show=False, id="model.family", tooltip="Only the family of this model"),
        Binding("o", "order", "Order", show=False, id="model.order", tooltip="By capability, size, date or name"),
        Binding("l", "local", "Local path", show=False, id="model.local", tooltip="Type the path of a local model"),
        Binding("escape", "whole", "Whole list", show=False, id="model.whole", tooltip="Back to the whole list"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None
        self._view = View()
        self._empty = False
        """No model of the catalogue is in the view."""

    def compose(self) -> ComposeResult:
        yield Input(placeholder="/ search the catalogue, or a local path, then Enter", id="model-search")
        yield Words(id="model-chips", fixed=True)
        yield Listing("model", COLUMNS, id="models")
        yield Words(id="model-about", fixed=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Listing).explainer = self._explained

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "whole":
            return self._view != View(order=self._view.order) or self.query_one(Input).has_focus
        return True

    def show(self, session: Session) -> None:
        first = self._session is None
        self._session = session
        self._fill()
        if first and session.draft.model:
            self.query_one(Listing).go_to(session.draft.model)
        self.ask(CataloguePaneShown)

    def _fill(self) -> None:
        session = self._session
        if session is None:
            return
        self.query_one(Listing).set_columns(TUNE_COLUMNS if session.draft.purpose == "tune" else COLUMNS)
        rows = list(rows_of(session, self._view))
        self._empty = session.catalogue is not None and not any(row.key != BEST for row in rows)
        self.query_one(Listing).fill(rows)
        self._show_titles(session)
        first = tuple(row.key for row in rows[:FIRST_WORKED_OUT] if row.key != BEST)
        self.ask(lambda: RowsShown(first))
        self._describe()

    def show_fits(self, session: Session, ids: frozenset[str]) -> None:
        """Only these models changed; the list itself changes where it shows what fits."""
        if self._view.fitting:
            self._fill()
            return
        listing = self.query_one(Listing)
        listing.change(row for row in rows_for(session, ids) if row.key in listing.listed)
        self._show_titles(session)
        if listing.at.row in ids:
            self._describe()

    def _show_titles(self, session: Session) -> None:
        self.query_one("#model-chips", Words).say(self._view.chips)
        listed = "nothing found, Escape shows all" if self._empty else self._view.words
        self.border_title = Content(f"{self.TITLE}: {listed}" if listed else self.TITLE)
        nobody = "the planner chooses" if session.draft.purpose == "serve" else "none chosen yet"
        chosen = session.draft.model or nobody
        self.border_subtitle = Content(f"{session.fits_activity} · {chosen}" if session.fits_activity else chosen)

    def _describe(self) -> None:
        listing = self.query_one(Listing)
        if self._session is not None:
            self.query_one("#model-about", Words).say(describe(self._session, listing.at.row))

    def _explained(self, row: str, column: str) -> Explanation | None:
        return facts(self._session, row) if self._session is not None else None

    # search

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id == "model-search":
            self.post_message(Explained(SEARCH_ABOUT))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._change_view(search=event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        typed = event.value.strip()
        if is_path(typed):
            self._take(typed)
        else:
            self._to_list()

    def _to_list(self) -> None:
        """From the search to the first model that it found."""
        listing = self.query_one(Listing)
        found = [key for key in listing.listed if key != BEST]
        if self._view.search and found and listing.at.row == BEST:
            listing.go_to(found[0])
        listing.focus()

    def on_key(self, event: events.Key) -> None:
        """↓ leaves the search for the list."""
        if event.key == "down" and self.query_one(Input).has_focus:
            event.stop()
            event.prevent_default()
            self._to_list()

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_local(self) -> None:
        """Start a path in the search line; what it names is taken with Enter."""
        search = self.query_one(Input)
        if not is_path(search.value):
            search.value = "./"
        search.focus()
        search.cursor_position = len(search.value)

    def action_fitting(self) -> None:
        self._change_view(fitting=not self._view.fitting)

    def action_commercial(self) -> None:
        self._change_view(commercial=not self._view.commercial)

    def action_order(self) -> None:
        self._change_view(order=ORDERS[(ORDERS.index(self._view.order) + 1) % len(ORDERS)])

    def action_use(self) -> None:
        if self._session is not None:
            self._change_view(use=after(uses_of(self._session), self._view.use))

    def action_precision(self) -> None:
        if self._session is not None:
            self._change_view(precision=after(precisions_of(self._session), self._view.precision))

    def action_family(self) -> None:
        """Only the family of the model under the cursor; again: every one."""
        row, session = self.query_one(Listing).at.row, self._session
        model = session.catalogue.find(row) if session and session.catalogue and row not in ("", BEST) else None
        if self._view.family or model is None:
            self._change_view(family="")
        else:
            self._change_view(family=model.family)

    def action_relatives(self) -> None:
        row = self.query_one(Listing).at.row
        if row in ("", BEST):
            self.notify("Put the cursor on a model: d then shows its distills, bases and siblings.", timeout=4)
        else:
            self._change_view(relatives_of="" if self._view.relatives_of == row else row)

    def action_whole(self) -> None:
        """Back to the whole list, the cursor staying on its model."""
        search = self.query_one(Input)
        with self.prevent(Input.Changed):
            search.value = ""
        self._view = View(order=self._view.order)
        self._fill()
        self.query_one(Listing).focus()

    def _change_view(self, **changes: object) -> None:
        self._view = replace(self._view, **changes)  # type: ignore[arg-type]
        self._fill()
        self.refresh_bindings()

    # choice

    def on_listing_looked(self, event: Listing.Looked) -> None:
        event.stop()
        self._describe()

    def on_listing_taken(self, event: Listing.Taken) -> None:
        event.stop()
        self._take(None if event.row == BEST else event.row)

    def _take(self, model: str | None) -> None:
        self.post_message(Changed({"model": model}))
        self.post_message(StepWanted("workload"))


def is_path(typed: str) -> bool:
    """Whether a search means a local model."""
    return typed.startswith(("/", "./", "~", "../")) or typed.endswith((".gguf", ".json", ".safetensors"))
