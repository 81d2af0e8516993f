"""What tables of every kind of plan have in common: the verdict, what was ruled out, cells of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from planner.cli.tables import VERDICT_MARKS
from planner.documents.result import PlanDocument, Rejection

MOST_REJECTED = 12
"""Rules that a table lists; the document has all."""


def verdict_line(document: PlanDocument, nothing: str) -> str:
    """The answer in a line; ``nothing`` says what it means that there is no proposal."""
    count = len(document.candidates)
    found = f"{count} proposal{'s' if count != 1 else ''}" if count else nothing
    ruled_out = sum(r.count for r in document.rejected)
    return (
        f"{VERDICT_MARKS[document.verdict]}  {document.verdict}: {found} from {document.considered} configurations, "
        f"{ruled_out} ruled out"
    )


def rejection_lines(rejected: tuple[Rejection, ...]) -> Iterator[str]:
    """What was ruled out, most frequent first."""
    for rejection in rejected[:MOST_REJECTED]:
        yield f"  {rejection.count:>5} × {rejection.rule}: {rejection.message}"
        yield f"          e.g. {rejection.example}" + (f" → {rejection.fix}" if rejection.fix else "")
    if len(rejected) > MOST_REJECTED:
        yield f"  … and {len(rejected) - MOST_REJECTED} more rules (--json has all)"


def rejection_markdown(rejected: tuple[Rejection, ...]) -> Iterator[str]:
    """The same as a section of Markdown; nothing where nothing was."""
    if rejected:
        rows = ((str(r.count), r.rule, r.message, r.example, r.fix) for r in rejected)
        yield from ("## Ruled out", "", *pipe_table(("count", "rule", "why", "example", "way out"), rows), "")


def pipe_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of Markdown."""
    yield pipe(head)
    yield pipe(["---"] * len(head))
    yield from map(pipe, rows)


def pipe(cells: Iterable[object]) -> str:
    """A row of it."""
    return "| " + " | ".join(escaped(str(cell)) for cell in cells) + " |"


def escaped(text: str) -> str:
    """Text that cannot break a table or become markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "|`*_<>[]" else c for c in flat)
