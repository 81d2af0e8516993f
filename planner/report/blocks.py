"""What a report is made of, before it has a form: plain values that both writers, HTML and Markdown, turn into text.

All text in here is data: the writers escape it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; ``value`` is the unrounded figure in base units where it is a number."""

    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; ``title`` stands above it."""

    items: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column heads; the first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: int | None = None
    """Index of the row that is the choice."""


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to type or to keep, verbatim."""

    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of a bar."""

    letter: str
    name: str
    size: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The memory of one device, in bytes; ``capacity`` is None where nobody knows it."""

    label: str
    parts: tuple[Part, ...]
    low: float
    high: float
    capacity: float | None


@dataclass(frozen=True, slots=True)
class MemoryChart:
    """Stacked bars over one axis of bytes."""

    title: str
    description: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure over the concurrency."""

    title: str
    unit: str
    """ "s" or "tok/s"."""
    mark: str
    """Shape of its points: circle square diamond."""
    points: tuple[tuple[float, Estimate], ...]
    promise: float | None = None
    """What users were promised, drawn as a line."""


@dataclass(frozen=True, slots=True)
class SpeedChart:
    """Panels over one logarithmic axis of requests in flight."""

    title: str
    description: str
    panels: tuple[Panel, ...]
    planned: float | None = None
    """The concurrency that was asked for."""


Block = Paragraph | Bullets | Table | Code | MemoryChart | SpeedChart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it."""

    title: str
    subtitle: str
    verdict: str
    footer: str
    sections: tuple[Section, ...] = field(default=())
