"""The same report as Markdown (GitHub's dialect), for a ticket; what the drawings show stands in tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from planner.report.blocks import Block, Bullets, Code, Paragraph, Report, Section, Table

_ACTIVE = frozenset("\\`*_[]<>#|~&$@{}")
"""Characters that could become markup, a link, a mention, a formula or the end of a cell."""
_LEADING = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+=])(?=[\s=+-]|$)")
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")
_FENCES = re.compile("`+")
WORD_JOINER = "\N{WORD JOINER}"


def markdown(report: Report) -> str:
    """The whole report."""
    lines = [f"# {escaped(report.title)}", "", f"**{escaped(report.verdict)}**", "", escaped(report.subtitle), ""]
    for number, section in enumerate(report.sections, 1):
        lines += [f"## {number}. {escaped(section.title)}", "", *_section(section)]
    return "\n".join([*lines, "---", "", escaped(report.footer)]) + "\n"


def escaped(text: str) -> str:
    """Text that stays text: no markup, no links, no end of a cell."""
    flat = " ".join(text.split())
    flat = _LINKS.sub(lambda found: found[1] + WORD_JOINER, flat)
    plain = "".join(f"\\{c}" if c in _ACTIVE else c for c in flat)
    return _LEADING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", plain)


def _section(section: Section) -> Iterator[str]:
    for block in section.blocks:
        lines = list(_block(block))
        if lines:
            yield from (*lines, "")


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"**{escaped(block.text)}**" if block.strong else escaped(block.text)
    elif isinstance(block, Bullets):
        if block.title:
            yield from (f"{escaped(block.title)}:", "")
        yield from (f"- {escaped(item)}" for item in block.items)
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Code):
        yield from _code(block)


def _table(table: Table) -> Iterator[str]:
    yield f"**{escaped(table.caption)}**"
    yield ""
    yield _row(table.head)
    yield _row("---:" if is_number(table, i) else "---" for i in range(len(table.head)))
    for row in table.rows:
        yield _row(escaped(cell.text) for cell in row)


def is_number(table: Table, column: int) -> bool:
    """Whether the column's first known cell is a figure."""
    return any(row[column].value is not None for row in table.rows if column < len(row))


def _row(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def _code(code: Code) -> Iterator[str]:
    """A fence longer than any run of backticks inside."""
    longest = max((len(run) for run in _FENCES.findall(code.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{escaped(code.caption)}:"
    yield ""
    yield fence
    yield code.text
    yield fence
