"""Figures of one plan as rows: all of them, and the memory of the fullest GPU part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui import text
from tui.figures import FIGURES, PARTS, Figure, every, known
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment

FIGURE_COLUMNS = (
    Column("name", "  Figure", 16),
    Column("value", "Value", 14, right=True),
    Column("range", "Range", 22, elastic=True),
    Column("origin", "Origin", 9, need=1),
)
MEMORY_COLUMNS = (
    Column("part", "  Part", 20),
    Column("value", "Bytes", 10, right=True),
    Column("share", "Share", 6, right=True),
    Column("range", "Range", 20, elastic=True),
    Column("origin", "Origin", 9, need=1),
)


def figure_rows(plan: PlannedDeployment) -> Iterator[Row]:
    """Every figure of speed, memory and cost."""
    for figure, estimate in known(plan, every(plan)):
        unit = figure.unit_of(plan)
        cells = {
            "name": figure.label,
            "value": text.shown(estimate.value, unit),
            "range": text.span(estimate, unit) or "exact",
            "origin": estimate.origin,
        }
        yield Row(figure.key, cells, about_figure(figure))


def memory_rows(plan: PlannedDeployment) -> Iterator[Row]:
    """The parts of the fullest GPU, with the letters of the bar."""
    from tui.bars import LETTERS

    capacity = FIGURES["capacity"].of(plan)
    if capacity is None:
        return
    for figure, estimate in known(plan, (*PARTS, FIGURES["total"], capacity_row := FIGURES["kv_needed"])):
        inset = "  " if figure is capacity_row else ""
        cells = {
            "part": f"{LETTERS.get(figure.key, '')} {inset}{figure.label}".strip(),
            "value": text.shown(estimate.value, "B"),
            "share": f"{estimate.value / capacity.value:.1%}" if capacity.value > 0 else "",
            "range": text.span(estimate, "B") or "exact",
            "origin": estimate.origin,
        }
        yield Row(figure.key, cells, about_figure(figure))
        if figure is PARTS[-1]:
            yield from _context_row(plan, capacity.value)


def _context_row(plan: PlannedDeployment, capacity: float) -> Iterator[Row]:
    """The driver's context, where the total has one that the parts have not."""
    from tui.bars import context_of

    size = context_of(plan.estimate.memory) if plan.estimate.memory else 0.0
    if size > 0 and capacity > 0:
        cells = {"part": "N Context", "value": text.shown(size, "B"), "share": f"{size / capacity:.1%}"}
        yield Row("context", cells, "Context — what the driver keeps on the card for each process that uses it.")


def about_figure(figure: Figure) -> str:
    from tui.explain import figure_text

    words = figure_text(figure.key)
    return f"{figure.label} — {words.get('about', '')}"
