"""A table that chooses its columns by its width, keeps its cursor on its row, and explains what is under it.

Drawn line by line: moving the cursor draws two rows anew, whatever the length of the list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.explain import Explanation, column_about
from tui.messages import Explained, ExplainWanted
from tui.widgets.columns import Column, Row, Shown, cells_of, fitting, heading

HEADER = 1
"""Lines of the heading, which stays when the rows scroll."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the cursor of a listing is."""

    row: str = ""
    column: str = ""


class Listing(ScrollView, can_focus=True):
    """Rows by key. ``fill`` with other rows keeps the cursor on its row and the view where it was."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--head", "listing--row", "listing--cell", "listing--dim"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", "Row above", show=False, id="listing.up", tooltip="The row above"),
        Binding("down", "go(1)", "Row below", show=False, id="listing.down", tooltip="The row below"),
        Binding("left", "aside(-1)", "Column before", show=False, id="listing.left", tooltip="The column before"),
        Binding("right", "aside(1)", "Next column", show=False, id="listing.right", tooltip="The next column"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="listing.page-up", tooltip="A page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="listing.page-down", tooltip="A page down"),
        Binding("home", "go(-1000000)", "First row", show=False, id="listing.first", tooltip="The first row"),
        Binding("end", "go(1000000)", "Last row", show=False, id="listing.last", tooltip="The last row"),
        Binding("enter", "take", "Take", show=False, id="listing.take", tooltip="Take the row under the cursor"),
        Binding("question_mark", "explain", "Explain", id="listing.explain", tooltip="The number under the cursor"),
    ]

    @dataclass
    class Looked(Message):
        """A person moved the cursor to another cell."""

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

    def __init__(self, name: str, columns: Sequence[Column], *, id: str, lines: int | None = 1) -> None:
        """``name`` is the table's in the file of explanations; ``lines`` of each row, None: as many as it takes."""
        super().__init__(id=id)
        self.table_name, self.all_columns, self.lines = name, tuple(columns), lines
        self.listed: dict[str, Row] = {}
        self.shown: Shown = ()
        self.at = Cursor()
        self.explainer: Callable[[str, str], Explanation | None] = lambda row, column: None
        self._keys: list[str] = []
        self._tops: list[int] = []
        self._drawn: dict[str, list[list[str]]] = {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing is listed, ``?`` is the place's own."""
        return bool(self.listed) if action == "explain" else True

    # what is listed

    def set_columns(self, columns: Sequence[Column], lines: int | None = 1) -> None:
        """Other columns; the rows stay."""
        if tuple(columns) != self.all_columns or lines != self.lines:
            self.all_columns, self.lines, self.shown = tuple(columns), lines, ()
            self._lay_out()

    def fill(self, rows: Iterable[Row]) -> None:
        """Take these rows, the cursor staying on its row where that is still listed."""
        listed = {row.key: row for row in rows}
        keys = list(listed)
        if keys == self._keys and self.lines is not None:
            self.change(listed.values())
            return
        filled = bool(keys) != bool(self._keys)
        self.listed, self._keys = listed, keys
        if filled:
            self.refresh_bindings()
        self._measure()
        self._settle()

    def change(self, rows: Iterable[Row]) -> None:
        """Rows that are listed already, drawn anew where they differ."""
        for row in rows:
            if self.listed.get(row.key) != row:
                self.listed[row.key] = row
                self._redraw_row(row.key)
                if row.key == self.at.row:
                    self._tell_if_focused()

    def go_to(self, key: str) -> None:
        """Put the cursor on a row, without a word about it."""
        if key in self.listed:
            self._move_to(Cursor(key, self.at.column))

    # drawing

    def _lay_out(self) -> None:
        """Choose columns for the width; measure anew only when they changed."""
        width = self.scrollable_content_region.width
        shown = fitting(self.all_columns, width) if width > 1 else ()
        if shown and shown != self.shown:
            self.shown = shown
            self._measure()
            self._settle()

    def _measure(self) -> None:
        """Where each row starts."""
        self._drawn.clear()
        self._tops, line = [], 0
        for key in self._keys:
            self._tops.append(line)
            line += self.lines if self.lines is not None else len(self._cells(key))
        self.virtual_size = Size(max(0, self.scrollable_content_region.width), line + HEADER)
        self.refresh(layout=True)

    def _settle(self) -> None:
        """The cursor on its row, or on the first where that is gone; on a column that is shown."""
        if not self._keys or not self.shown:
            return
        row = self.at.row if self.at.row in self.listed else self._keys[0]
        columns = [column.key for column, _ in self.shown]
        column = self.at.column if self.at.column in columns else columns[min(1, len(columns) - 1)]
        self._move_to(Cursor(row, column), follow=row != self.at.row)
        self._tell_if_focused()

    def _cells(self, key: str) -> list[list[str]]:
        """The lines of a row, kept until it or the cursor on it changes."""
        if key not in self._drawn:
            mark = "▸" if key == self.at.row else " "
            self._drawn[key] = cells_of(self.listed[key], self.shown, lines=self.lines, mark=mark)
        return self._drawn[key]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y < HEADER:
            head = self.get_component_rich_style("listing--head")
            return Strip([Segment("".join(heading(self.shown)), head)]).adjust_cell_length(width, self.rich_style)
        line = y - HEADER + round(self.scroll_y)
        index = bisect_right(self._tops, line) - 1
        if index < 0 or not self.shown:
            return Strip.blank(width, self.rich_style)
        key = self._keys[index]
        cells = self._cells(key)
        if line - self._tops[index] >= len(cells):
            return Strip.blank(width, self.rich_style)
        return self._strip(key, cells[line - self._tops[index]], width)

    def _strip(self, key: str, cells: list[str], width: int) -> Strip:
        row = key == self.at.row
        base = self.rich_style + self.get_component_rich_style("listing--row", partial=True) if row else self.rich_style
        if self.listed[key].dim:
            base += Style(color=self.get_component_rich_style("listing--dim").color)
        under = base + self.get_component_rich_style("listing--cell", partial=True)
        segments = [
            Segment(cell, under if row and self.has_focus and column.key == self.at.column else base)
            for cell, (column, _) in zip(cells, self.shown, strict=True)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _redraw_row(self, key: str) -> None:
        self._drawn.pop(key, None)
        if key in self.listed and self.shown:
            top = self._tops[self._keys.index(key)]
            self.refresh(Region(0, top + HEADER - round(self.scroll_y), self.size.width, self._height(key)))

    def _height(self, key: str) -> int:
        return self.lines if self.lines is not None else len(self._cells(key))

    # the cursor

    def _move_to(self, place: Cursor, *, follow: bool = True) -> bool:
        """Take a new place; False where it is there already."""
        if place == self.at:
            return False
        before, self.at = self.at, place
        for key in {before.row, place.row}:
            self._redraw_row(key)
        if follow:
            self._scroll_to_cursor()
        return True

    def _scroll_to_cursor(self) -> None:
        if self.at.row not in self.listed or not self._tops:
            return
        top, room = self._tops[self._keys.index(self.at.row)], max(1, self.size.height - HEADER)
        bottom, first = top + self._height(self.at.row), round(self.scroll_y)
        if top < first:
            self.scroll_to(y=top, animate=False)
        elif bottom > first + room:
            self.scroll_to(y=min(top, bottom - room), animate=False)

    def _person_moved(self, row: int, column: int) -> None:
        """A person went to a cell, by numbers."""
        if not self._keys or not self.shown:
            return
        row, column = max(0, min(len(self._keys) - 1, row)), max(0, min(len(self.shown) - 1, column))
        if self._move_to(Cursor(self._keys[row], self.shown[column][0].key)):
            self._tell()
            self.post_message(self.Looked(self, self.at.row, self.at.column))

    @property
    def _row(self) -> int:
        return self._keys.index(self.at.row) if self.at.row in self.listed else 0

    @property
    def _column(self) -> int:
        return next((i for i, (column, _) in enumerate(self.shown) if column.key == self.at.column), 0)

    def action_go(self, rows: int) -> None:
        self._person_moved(self._row + rows, self._column)

    def action_aside(self, columns: int) -> None:
        self._person_moved(self._row, self._column + columns)

    def action_page(self, direction: int) -> None:
        each = self.lines or 3
        self.action_go(direction * max(1, (self.size.height - HEADER) // each - 1))

    def action_take(self) -> None:
        if self.at.row in self.listed:
            self.post_message(self.Taken(self, self.at.row))

    def on_click(self, event: events.Click) -> None:
        """A click goes to a cell; a second one on it takes the row."""
        line = event.y - HEADER + round(self.scroll_y)
        index, x, column = bisect_right(self._tops, line) - 1, event.x, 0
        if index < 0 or event.y < HEADER or line >= self.virtual_size.height - HEADER:
            return
        for column, cell in enumerate(heading(self.shown)):  # noqa: B007 - the last one is wanted
            if x < len(cell):
                break
            x -= len(cell)
        self._person_moved(index, column)
        if event.chain == 2:
            self.action_take()

    def on_focus(self) -> None:
        self._redraw_row(self.at.row)
        self._tell()

    def on_blur(self) -> None:
        self._redraw_row(self.at.row)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        self._scroll_to_cursor()

    # explanations

    def _tell_if_focused(self) -> None:
        """Whoever made the change: what is posted while another's method runs goes no further than that one."""
        if self.has_focus:
            self.call_later(self._tell)

    def _tell(self) -> None:
        row = self.listed.get(self.at.row)
        if row is None:
            return
        column = next((c for c, _ in self.shown if c.key == self.at.column), None)
        about = column_about(self.table_name, self.at.column)
        label = (column.label.strip() or self.at.column) if column else ""
        self.post_message(Explained(f"{label} — {about}" if about else "", row.about))

    def action_explain(self) -> None:
        """The whole of what is under the cursor."""
        if self.at.row not in self.listed:
            return
        found = self.explainer(self.at.row, self.at.column) or self._own_explanation()
        if found is not None:
            self.post_message(ExplainWanted(found))

    def _own_explanation(self) -> Explanation | None:
        row = self.listed.get(self.at.row)
        if row is None:
            return None
        rows = tuple((c.label.strip() or c.key, row.cells.get(c.key, "").replace("\n", " ")) for c in self.all_columns)
        return Explanation(row.about or row.key, column_about(self.table_name, self.at.column), rows)
