"""A report as one HTML page: no scripts, nothing fetched, drawings inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.report.blocks import Block, Bullets, Cell, Code, MemoryChart, Paragraph, Report, Section, SpeedChart, Table
from planner.report.elements import Element, el, markup, put
from planner.report.markdown import is_number
from planner.report.memory_chart import memory_svg
from planner.report.speed_chart import speed_svg
from planner.report.style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser fetches and runs nothing for this page, whatever stands in it."""

_PIECES = re.compile(r"\S{24}(?=\S)|(?:(?!\S{25}).)+|.", re.DOTALL)
"""Stretches without a word of more than 24 characters."""
ON_ONE_PAGE = 14
"""Rows of a table that is never parted by the end of a page."""


def html(report: Report) -> str:
    """The page."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", report.title),
        el("style", STYLE),
    )
    top = el("header", el("h1", report.title), el("p", report.verdict, class_="verdict"), el("p", report.subtitle))
    body = el("main")
    for number, section in enumerate(report.sections, 1):
        put(body, _section(section, number))
    page = el("html", head, el("body", top, body, el("footer", report.footer)), lang="en")
    return f"<!DOCTYPE html>\n{_spaced(markup(page))}\n"


def _spaced(text: str) -> str:
    """A line break after each row and block, for those who read the source or compare two reports."""
    for tag in ("</tr>", "</section>", "</table>", "</figure>", "</thead>", "</h2>", "</header>", "</head>"):
        text = text.replace(tag, tag + "\n")
    return text


def _section(section: Section, number: int) -> Element:
    made = el("section", el("h2", f"{number}. {section.title}", id=f"s{number}"), aria_labelledby=f"s{number}")
    for index, block in enumerate(section.blocks):
        put(made, *_block(block, 100 * number + index))
    return made


def _block(block: Block, number: int) -> Iterator[Element]:
    if isinstance(block, Paragraph):
        yield el("p", block.text, class_="strong") if block.strong else el("p", block.text)
    elif isinstance(block, Bullets):
        if block.title:
            yield el("p", block.title, class_="title")
        yield el("ul", *(el("li", item) for item in block.items))
    elif isinstance(block, Table):
        yield el("div", _table(block), class_="wide")
    elif isinstance(block, Code):
        yield el("figure", el("figcaption", block.caption), el("pre", el("code", block.text)), class_="code")
    else:
        yield el("figure", el("figcaption", block.title), _drawing(block, number))


def _drawing(block: MemoryChart | SpeedChart, number: int) -> Element:
    return memory_svg(block, number) if isinstance(block, MemoryChart) else speed_svg(block, number)


def _table(table: Table) -> Element:
    head = el("tr", *(_head(table, column) for column in range(len(table.head))))
    body = el("tbody")
    for index, row in enumerate(table.rows):
        line = el("tr", el("th", *_breakable(row[0].text), scope="row"), *(_cell(cell) for cell in row[1:]))
        if index == table.marked:
            line.set("class", "chosen")
        put(body, line)
    made = el("table", el("caption", table.caption), el("thead", head), body)
    kinds = [
        kind
        for kind, holds in (
            ("pairs", not table.head[0] and len(table.head) == 2),
            ("short", len(table.rows) <= ON_ONE_PAGE),
        )
        if holds
    ]
    if kinds:
        made.set("class", " ".join(kinds))
    return made


def _head(table: Table, column: int) -> Element:
    """A column's head, above its figures where it has any."""
    text = table.head[column]
    made = el("th", text, scope="col") if text else el("td")
    if column and is_number(table, column):
        made.set("class", "number")
    return made


def _breakable(text: str) -> Iterator[Element | str]:
    """Text in which words that are longer than a column may be broken."""
    for i, piece in enumerate(_PIECES.findall(text)):
        if i:
            yield el("wbr")
        yield piece


def _cell(cell: Cell) -> Element:
    if cell.value is None:
        return el("td", *_breakable(cell.text))
    return el("td", el("data", cell.text, value=repr(cell.value)), class_="number")
