"""Latency and throughput over the requests in flight: one panel a figure, value as a line, range as a band."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.report.axes import doublings, ticks
from planner.report.blocks import Panel, SpeedChart
from planner.report.elements import Element, drawing, el, put
from planner.units import human_seconds

WIDTH = 680.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 18.0, 8.0, 40.0
PANEL, HEAD, GAP = 150.0, 22.0, 14.0
INK, LINE, BAND = "#111111", "#004c80", "#cfe5f3"
PROMISE, PLANNED = "#a11212", "#444444"
LARGE = 1e6
REACH = 2.0
"""How far above the highest value an axis goes before it cuts off the band, and says so."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a panel lies, and how its values become places."""

    top: float
    x: Callable[[float], float]
    y: Callable[[float], float]
    marks: tuple[float, ...]


def speed_svg(chart: SpeedChart, number: int) -> Element:
    """The drawing, with its title and description for those who hear it."""
    bottom = TOP + len(chart.panels) * (HEAD + PANEL + GAP)
    svg = drawing(f"chart{number}", chart.title, chart.description, (WIDTH, bottom + BOTTOM))
    svg.set("fill", INK)
    loads = [x for panel in chart.panels for x, _ in panel.points]
    low, high = max(min(loads), 1e-6), max(loads)
    place = _logarithmic(low, high)
    for i, panel in enumerate(chart.panels):
        frame = _frame(panel, TOP + i * (HEAD + PANEL + GAP) + HEAD, place)
        put(svg, *_grid(panel, frame, doublings(low, high)), *_curve(panel, frame))
        if chart.planned is not None and low <= chart.planned <= high:
            put(svg, *_planned(chart.planned, frame, i == 0))
    for x in doublings(low, high):
        put(svg, el("text", f"{x:g}", x=place(x), y=bottom + 4, text_anchor="middle"))
    put(svg, el("text", "requests in flight", x=(LEFT + WIDTH - RIGHT) / 2, y=bottom + 26, text_anchor="middle"))
    return svg


def _logarithmic(low: float, high: float) -> Callable[[float], float]:
    span = math.log2(high / low) or 1.0
    return lambda x: LEFT + (WIDTH - LEFT - RIGHT) * math.log2(max(x, low) / low) / span


def _frame(panel: Panel, top: float, place: Callable[[float], float]) -> Frame:
    values = [e.value for _, e in panel.points]
    highest = max(min(max(e.high for _, e in panel.points), REACH * max(values)), panel.promise or 0.0)
    if panel.promise is not None and panel.promise > 4 * max(values):
        highest = REACH * max(values)
    marks = ticks(highest, 4)
    return Frame(top, place, lambda v: top + PANEL * (1 - min(max(v, 0.0), marks[-1]) / marks[-1]), tuple(marks))


def _grid(panel: Panel, frame: Frame, columns: list[float]) -> Iterator[Element]:
    right, bottom = WIDTH - RIGHT, frame.top + PANEL
    cut = max(e.high for _, e in panel.points) > frame.marks[-1]
    title = f"{panel.title} ({panel.unit})" + ("; the range goes on above" if cut else "")
    yield el("text", title, x=LEFT, y=frame.top - 8, font_weight="bold")
    for mark in frame.marks:
        y = frame.y(mark)
        yield el("line", x1=LEFT, y1=y, x2=right, y2=y, stroke="#cccccc", stroke_width="0.7")
        yield el("text", _shown(mark, panel.unit), x=LEFT - 6, y=y + 4, text_anchor="end", font_size="11")
    for column in columns:
        x = frame.x(column)
        yield el("line", x1=x, y1=frame.top, x2=x, y2=bottom, stroke="#e4e4e4", stroke_width="0.7")


def _curve(panel: Panel, frame: Frame) -> Iterator[Element]:
    upper = [(frame.x(x), frame.y(e.high)) for x, e in panel.points]
    lower = [(frame.x(x), frame.y(e.low)) for x, e in reversed(panel.points)]
    yield el("polygon", points=_points([*upper, *lower]), fill=BAND, stroke="none")
    line = [(frame.x(x), frame.y(e.value)) for x, e in panel.points]
    yield el("polyline", points=_points(line), fill="none", stroke=LINE, stroke_width="2")
    for (x, y), (load, estimate) in zip(line, panel.points, strict=True):
        text = f"{load:g} in flight: {_shown(estimate.value, panel.unit)}"
        yield _mark(panel.mark, x, y, text)
    if panel.promise is not None and panel.promise <= frame.marks[-1]:
        y = frame.y(panel.promise)
        dashes = {"stroke": PROMISE, "stroke_width": "1.5", "stroke_dasharray": "6 4"}
        yield el("line", x1=LEFT, y1=y, x2=WIDTH - RIGHT, y2=y, **dashes)
        text = f"promised {_shown(panel.promise, panel.unit)}"
        below = y + 13 if y - frame.top < 14 else y - 4
        yield el("text", text, x=LEFT + 6, y=below, fill=PROMISE, font_size="11")


def _planned(load: float, frame: Frame, labelled: bool) -> Iterator[Element]:
    x = frame.x(load)
    dots = {"stroke": PLANNED, "stroke_width": "1.3", "stroke_dasharray": "2 3"}
    yield el("line", x1=x, y1=frame.top, x2=x, y2=frame.top + PANEL, **dots)
    if labelled:
        text, y = f"planned: {load:g}", frame.top + 11
        anchor, shift = ("start", 5.0) if x < WIDTH / 2 else ("end", -5.0)
        yield el("text", text, x=x + shift, y=y, text_anchor=anchor, fill=PLANNED, font_size="11")


def _mark(shape: str, x: float, y: float, text: str) -> Element:
    title = el("title", text)
    if shape == "square":
        return el("rect", title, x=x - 3.2, y=y - 3.2, width="6.4", height="6.4", fill=LINE)
    if shape == "diamond":
        corners = [(x, y - 4.4), (x + 4.4, y), (x, y + 4.4), (x - 4.4, y)]
        return el("polygon", title, points=_points(corners), fill=LINE)
    return el("circle", title, cx=x, cy=y, r="3.6", fill=LINE)


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in places)


def _shown(value: float, unit: str) -> str:
    """Short enough for the margin, whatever the size."""
    if value >= LARGE:
        return f"{value:.2g}"
    if unit == "s":
        return human_seconds(value) if value else "0"
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.2g}"
