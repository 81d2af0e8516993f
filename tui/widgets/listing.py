"""A table that chooses its columns by its width, keeps its cursor on its row, and explains what is under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from tui.explain import Explanation, column_about
from tui.messages import Explained, ExplainWanted
from tui.text import elided

GAP = 2
NARROWEST = 8
"""Cells that an elastic column keeps whatever happens."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``need`` 0 is always shown; of the others the highest go first when the width is short."""

    key: str
    label: str
    width: int
    need: int = 0
    right: bool = False
    """Figures stand at the right."""
    elastic: bool = False
    """Takes the width that is left; ``width`` is then the least."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: text by column, a line about it."""

    key: str
    cells: Mapping[str, str]
    about: str = ""
    dim: bool = False


def fitting(columns: Sequence[Column], width: int) -> tuple[tuple[Column, int], ...]:
    """The columns that a width has room for, each with its own; the elastic one gives way last."""
    kept = list(columns)
    while _least(kept) > width and any(column.need for column in kept):
        kept.remove(max((c for c in kept if c.need), key=lambda c: c.need))
    spare = width - _least(kept)
    return tuple((c, max(NARROWEST, c.width + spare) if c.elastic else c.width) for c in kept)


def _least(columns: Sequence[Column]) -> int:
    return sum(column.width + GAP for column in columns) - GAP


@dataclass
class Cursor:
    """Where the cursor of a listing is."""

    row: str = ""
    column: str = ""


class Listing(DataTable[Text]):
    """Rows by key. ``fill`` with the same rows changes cells in place: nothing jumps under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "explain", "Explain", id="listing.explain", tooltip="The number under the cursor"),
        Binding("home", "scroll_top", "First row", show=False),
        Binding("end", "scroll_bottom", "Last row", show=False),
    ]

    @dataclass
    class Looked(Message):
        """The cursor went to another cell."""

        listing: Listing
        row: str
        column: str

        @property
        def control(self) -> Listing:
            return self.listing

    @dataclass
    class Taken(Message):
        """Enter on a row."""

        listing: Listing
        row: str

        @property
        def control(self) -> Listing:
            return self.listing

    def __init__(
        self, name: str, columns: Sequence[Column], *, id: str, lines: int | None = 1, marked: bool = True
    ) -> None:
        """``name`` is the table's in the file of explanations; ``lines`` of each row, None: as many as it takes.

        ``marked``: the first column starts with the marker of the row under the cursor.
        """
        super().__init__(id=id, cursor_type="cell", cell_padding=0, zebra_stripes=False)
        self.table_name, self.all_columns, self.lines, self.marked = name, tuple(columns), lines, marked
        self.listed: dict[str, Row] = {}
        self.shown: tuple[tuple[Column, int], ...] = ()
        self.at = Cursor()
        self.explainer: Callable[[str, str], Explanation | None] = lambda row, column: None

    # what is listed

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; the rows stay."""
        if tuple(columns) != self.all_columns:
            self.all_columns = tuple(columns)
            self._lay_out()

    def fill(self, rows: Iterable[Row]) -> None:
        """Take these rows, the cursor staying on its row where that is still listed."""
        listed = {row.key: row for row in rows}
        if self.shown and list(listed) == list(self.listed):
            changed = [row for key, row in listed.items() if row != self.listed[key]]
            self.listed = listed
            for row in changed:
                self._change(row)
            if changed:
                self._tell_if_focused()
            return
        self.listed = listed
        self._write()

    def row_index(self, key: str) -> int | None:
        return next((i for i, known in enumerate(self.listed) if known == key), None)

    def go_to(self, key: str) -> None:
        """Put the cursor on a row, without a word about it."""
        index = self.row_index(key)
        if index is not None and self.shown:
            with self.prevent(DataTable.CellHighlighted):
                self.move_cursor(row=index)
            self._moved(self._place())

    # drawing

    def _lay_out(self) -> None:
        """Choose columns for the width; write anew only when they changed."""
        width = self.scrollable_content_region.width
        shown = fitting(self.all_columns, width) if width > 1 else ()
        if shown and shown != self.shown:
            self.shown = shown
            self._write()

    def _write(self) -> None:
        if not self.shown:
            return
        held = self.at
        scrolled = self.scroll_offset
        with self.prevent(DataTable.CellHighlighted):
            self.clear(columns=True)
            for column, width in self.shown:
                last = column is self.shown[-1][0]
                label = column.label.rjust(width) if column.right else column.label.ljust(width)
                self.add_column(Text(elided(label, width)), key=column.key, width=width + (0 if last else GAP))
            for row in self.listed.values():
                self.add_row(*self._texts(row), key=row.key, height=self.lines)
            index = self.row_index(held.row)
            columns = [column.key for column, _ in self.shown]
            at = columns.index(held.column) if held.column in columns else min(1, len(columns) - 1)
            self.move_cursor(row=index or 0, column=at, scroll=index is not None)
        if index is not None:
            self.scroll_to(y=scrolled.y, animate=False)
        self._moved(self._place())
        self._tell_if_focused()

    def _change(self, row: Row) -> None:
        for (column, _), cell in zip(self.shown, self._texts(row), strict=True):
            self.update_cell(row.key, column.key, cell)

    def _texts(self, row: Row) -> list[Text]:
        return [self._text(row, column, width) for column, width in self.shown]

    def _text(self, row: Row, column: Column, width: int) -> Text:
        words = row.cells.get(column.key, "")
        if self.marked and column is self.shown[0][0]:
            words = ("▸" if row.key == self.at.row else " ") + words
        style = "dim" if row.dim else ""
        if self.lines is None and column.elastic:
            return Text(words, style)
        lines = [elided(line, width) for line in words.split("\n")]
        return Text("\n".join(line.rjust(width) if column.right else line for line in lines), style)

    # the cursor

    def _place(self) -> Cursor:
        if not self.listed or not self.shown:
            return Cursor()
        row, column = self.cursor_coordinate
        keys = list(self.listed)
        return Cursor(keys[min(row, len(keys) - 1)], self.shown[min(column, len(self.shown) - 1)][0].key)

    def _moved(self, place: Cursor) -> bool:
        """Take a new place; the marker moves along."""
        if place == self.at:
            return False
        before, self.at = self.at, place
        if self.marked and before.row != place.row:
            for key in (before.row, place.row):
                row = self.listed.get(key)
                if row is not None and key in self.rows:
                    column, width = self.shown[0]
                    self.update_cell(key, column.key, self._text(row, column, width))
        return True

    def on_data_table_cell_highlighted(self, event: DataTable.CellHighlighted) -> None:
        event.stop()
        if self._moved(self._place()):
            self.post_message(self.Looked(self, self.at.row, self.at.column))
        self._tell_if_focused()

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        event.stop()
        if self.at.row:
            self.post_message(self.Taken(self, self.at.row))

    def on_focus(self) -> None:
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    # explanations

    def _tell_if_focused(self) -> None:
        if self.has_focus:
            self._tell()

    def _tell(self) -> None:
        row = self.listed.get(self.at.row)
        if row is None:
            return
        column = next((c for c, _ in self.shown if c.key == self.at.column), None)
        about = column_about(self.table_name, self.at.column)
        heading = (column.label.strip() or self.at.column) if column else ""
        self.post_message(Explained(f"{heading} — {about}" if about else "", row.about))

    def action_explain(self) -> None:
        """The whole of what is under the cursor."""
        found = self.explainer(self.at.row, self.at.column) or self._own_explanation()
        if found is not None:
            self.post_message(ExplainWanted(found))

    def _own_explanation(self) -> Explanation | None:
        row = self.listed.get(self.at.row)
        if row is None:
            return None
        rows = tuple((c.label.strip() or c.key, row.cells.get(c.key, "").replace("\n", " ")) for c in self.all_columns)
        about = column_about(self.table_name, self.at.column)
        return Explanation(row.about.split("\n")[0] or row.key, about, rows)
