"""Listings: columns by width, the cursor on its row, explanations."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical

from tui.messages import Explained, ExplainWanted
from tui.widgets.columns import GAP, NARROWEST, Column, Row, cells_of, fitting, heading
from tui.widgets.listing import Listing

COLUMNS = (
    Column("mark", "", 2),
    Column("name", "Name", 10, elastic=True),
    Column("size", "Size", 6, need=1, right=True),
    Column("late", "Released", 10, need=2),
)


class Table(App[None]):
    """One listing and what it said."""

    def __init__(self, lines: int | None = 1) -> None:
        super().__init__()
        self.lines, self.said, self.wanted = lines, list[str](), list[str]()
        self.looked, self.taken = list[tuple[str, str]](), list[str]()

    def compose(self) -> ComposeResult:
        yield Listing("hardware", COLUMNS, id="table", lines=self.lines)

    def on_listing_looked(self, event: Listing.Looked) -> None:
        self.looked.append((event.row, event.column))

    def on_listing_taken(self, event: Listing.Taken) -> None:
        self.taken.append(event.row)

    def on_explained(self, event: Explained) -> None:
        self.said.append(event.subject)

    def on_explain_wanted(self, event: ExplainWanted) -> None:
        self.wanted.append(event.explanation.title)

    @property
    def table(self) -> Listing:
        return self.query_one(Listing)

    def text(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


def rows(*names: str) -> list[Row]:
    return [Row(name, {"mark": "✓", "name": f"{name} of the list", "size": "7"}, f"about {name}") for name in names]


@pytest.mark.parametrize("width", range(12, 120))
def test_columns_fill_the_width_and_the_needless_go_first(width: int) -> None:
    shown = fitting(COLUMNS, width)
    keys = [column.key for column, _ in shown]
    assert keys[:2] == ["mark", "name"]
    assert "late" not in keys or "size" in keys
    used = sum(cells + GAP for _, cells in shown) - GAP
    assert used == max(width, 2 + GAP + NARROWEST)


def test_cells_are_as_wide_as_their_columns_whatever_they_hold() -> None:
    shown = fitting(COLUMNS, 40)
    long = Row("x", {"name": "ein sehr langer Name, der nicht passt " * 3, "size": "漢字漢字漢字"})
    widths = [len(label) for label in heading(shown)]
    from rich.cells import cell_len

    for line in cells_of(long, shown, lines=2, mark="▸"):
        assert [cell_len(cell) for cell in line] == widths
    assert "…" in cells_of(long, shown, lines=1, mark="")[0][1]


def test_wrapped_rows_lose_no_word() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve"
    shown = fitting(COLUMNS, 24)
    lines = cells_of(Row("x", {"name": words}), shown, lines=None, mark=" ")
    assert " ".join(line[1].strip() for line in lines).split() == words.split()


async def test_the_cursor_moves_tells_and_takes() -> None:
    app = Table()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.fill(rows("a", "b", "c"))
        app.table.focus()
        await pilot.press("down", "right", "enter", "question_mark")
        assert app.table.at.row == "b" and app.taken == ["b"] and app.wanted == ["about b"]
        assert app.looked == [("b", "name"), ("b", "size")]
        assert app.said[-1] == "about b"
        assert [line[0] for line in app.text()[1:4]] == [" ", "▸", " "]
        await pilot.press("end", "down", "down")
        assert app.table.at.row == "c"
        await pilot.press("home", "up")
        assert app.table.at.row == "a"


async def test_filling_anew_keeps_the_cursor_and_the_view() -> None:
    app = Table()
    async with app.run_test(size=(40, 8)) as pilot:
        names = [f"n{i:03}" for i in range(200)]
        app.table.fill(rows(*names))
        app.table.focus()
        for _ in range(4):
            await pilot.press("pagedown")
        await pilot.pause()
        held, scrolled, told = app.table.at, app.table.scroll_offset.y, len(app.looked)
        assert scrolled > 0
        app.table.fill(rows(*names)[: int(held.row[1:]) + 2])
        await pilot.pause()
        assert app.table.at == held and app.table.scroll_offset.y == scrolled
        assert any(line.startswith("▸") and held.row in line for line in app.text())
        app.table.change([Row(held.row, {"mark": "✗", "name": "changed"}, "")])
        assert any("▸✗" in line and "changed" in line for line in app.text())
        assert len(app.looked) == told, "a person moved nothing"


async def test_a_row_that_is_gone_gives_the_cursor_to_the_first() -> None:
    app = Table()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.fill(rows("a", "b"))
        app.table.go_to("b")
        app.table.fill(rows("c", "d"))
        await pilot.pause()
        assert app.table.at.row == "c"
        app.table.fill([])
        app.table.focus()
        await pilot.press("down", "enter", "question_mark")
        assert app.taken == []


async def test_a_resize_chooses_other_columns_and_the_cursor_stays() -> None:
    app = Table()
    async with app.run_test(size=(60, 8)) as pilot:
        app.table.fill(rows("a", "b", "c"))
        app.table.focus()
        await pilot.press("down", "right", "right")
        assert app.table.at.column == "late"
        await pilot.resize_terminal(24, 8)
        await pilot.pause()
        assert app.table.at.row == "b" and "Released" not in app.text()[0]
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert "Released" in app.text()[0]


@pytest.mark.parametrize("lines", [1, 2, None])
async def test_a_click_goes_to_a_cell_and_a_second_takes_it(lines: int | None) -> None:
    app = Table(lines)
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.fill(rows("a", "b", "c"))
        await pilot.pause()
        y = 1 + app.table._tops[2]
        await pilot.click(Listing, offset=(5, y))
        assert app.table.at.row == "c" and app.taken == []
        await pilot.click(Listing, offset=(5, y), times=2)
        assert app.taken == ["c"]
        await pilot.click(Listing, offset=(5, 0))
        await pilot.click(Listing, offset=(5, 11))
        assert app.table.at.row == "c"


class Holder(Vertical):
    """What the listing is in, as a pane is: it changes rows in a callback of its own."""

    def compose(self) -> ComposeResult:
        yield Listing("hardware", COLUMNS, id="table")

    def change(self) -> None:
        self.call_later(lambda: self.query_one(Listing).change([Row("a", {"name": "a"}, "now about another")]))


class Held(Table):
    def compose(self) -> ComposeResult:
        yield Holder()


async def test_a_row_that_changes_under_the_cursor_is_told_of_whoever_changed_it() -> None:
    app = Held()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.fill(rows("a", "b"))
        app.table.focus()
        await pilot.pause()
        assert app.said[-1] == "about a"
        app.query_one(Holder).change()
        await pilot.pause()
        assert app.said[-1] == "now about another"
