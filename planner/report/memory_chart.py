"""Memory as stacked bars: each stretch has a letter, so that nothing depends on colour."""

from __future__ import annotations

from collections.abc import Iterator

from planner.report.axes import ticks
from planner.report.blocks import Bar, MemoryChart
from planner.report.elements import Element, drawing, el, put
from planner.units import GIB, human_bytes

WIDTH = 680.0
LEFT, RIGHT = 84.0, 20.0
TOP, ROW, HEIGHT = 30.0, 70.0, 34.0
KEY_ROW = 18.0
NARROW = 14.0
"""Width below which a letter stands above its stretch."""
FILLS = {
    "W": "#8ecae6",
    "K": "#ffd166",
    "A": "#b7e4c7",
    "G": "#f4a6a6",
    "N": "#dddddd",
    "C": "#cdb4db",
    "B": "#b7e4c7",
    "R": "#f7b267",
    "T": "#ffd166",
    "O": "#f7b267",
    "F": "#cdb4db",
    "L": "#f4a6a6",
}
"""All light: black letters on them reach a contrast above 7."""
INK = "#111111"
KEY_COLUMNS = 3


def memory_svg(chart: MemoryChart, number: int) -> Element:
    """The drawing, with its title and description for those who hear it."""
    keys = sorted({(part.letter, part.name) for bar in chart.bars for part in bar.parts})
    key_rows = -(-len(keys) // KEY_COLUMNS) + 1
    axis_y = TOP + ROW * len(chart.bars)
    height = axis_y + 36 + KEY_ROW * key_rows
    svg = drawing(f"chart{number}", chart.title, chart.description, (WIDTH, height))
    svg.set("fill", INK)
    marks = ticks(max(_reach(bar) for bar in chart.bars) / GIB)
    scale = (WIDTH - LEFT - RIGHT) / (marks[-1] * GIB)
    put(svg, *_axis(marks, scale, axis_y))
    for i, bar in enumerate(chart.bars):
        put(svg, *_bar(bar, TOP + ROW * i, scale))
    put(svg, *_key(keys, axis_y + 44))
    return svg


def _reach(bar: Bar) -> float:
    return max(bar.capacity or 0.0, bar.high, sum(part.size for part in bar.parts))


def _axis(marks: list[float], scale: float, y: float) -> Iterator[Element]:
    for mark in marks:
        x = LEFT + mark * GIB * scale
        yield el("line", x1=x, y1=TOP - 6, x2=x, y2=y, stroke="#bbbbbb", stroke_width="0.7")
        yield el("text", f"{mark:g}", x=x, y=y + 14, text_anchor="middle")
    yield el("text", "GiB", x=LEFT - 10, y=y + 14, text_anchor="end")


def _bar(bar: Bar, y: float, scale: float) -> Iterator[Element]:
    yield el("text", bar.label[:14], x=LEFT - 10, y=y + HEIGHT / 2 + 14, text_anchor="end")
    x, above = LEFT, -1e9
    for part in bar.parts:
        width = part.size * scale
        yield el(
            "rect",
            el("title", f"{part.letter} {part.name}: {human_bytes(part.size)}"),
            x=x,
            y=y + 10,
            width=width,
            height=HEIGHT,
            fill=FILLS.get(part.letter, "#eeeeee"),
            stroke=INK,
            stroke_width="0.8",
        )
        middle = x + width / 2
        if width >= NARROW:
            yield el("text", part.letter, x=middle, y=y + HEIGHT / 2 + 15, text_anchor="middle", font_weight="bold")
        else:
            above = max(middle, above + 11)
            yield el("text", part.letter, x=above, y=y + 6, text_anchor="middle", font_size="11", font_weight="bold")
        x += width
    yield from _limits(bar, y, scale)


def _limits(bar: Bar, y: float, scale: float) -> Iterator[Element]:
    """The device's end, and the range of the sum as a whisker below the bar."""
    if bar.capacity:
        end = bar.capacity * scale
        yield el("rect", x=LEFT, y=y + 10, width=end, height=HEIGHT, fill="none", stroke=INK, stroke_width="2")
    low, high, line = LEFT + bar.low * scale, LEFT + bar.high * scale, y + HEIGHT + 17
    yield el("line", x1=low, y1=line, x2=high, y2=line, stroke=INK, stroke_width="1.5")
    for x in (low, high):
        yield el("line", x1=x, y1=line - 4, x2=x, y2=line + 4, stroke=INK, stroke_width="1.5")


def _key(keys: list[tuple[str, str]], y: float) -> Iterator[Element]:
    for i, (letter, name) in enumerate([*keys, ("", "white: free · thick frame: the device · line below: range")]):
        x = LEFT + (WIDTH - LEFT - RIGHT) / KEY_COLUMNS * (i % KEY_COLUMNS) if letter else LEFT
        row = y + KEY_ROW * (i // KEY_COLUMNS if letter else -(-len(keys) // KEY_COLUMNS))
        if letter:
            fill = FILLS.get(letter, "#eeeeee")
            yield el("rect", x=x, y=row - 11, width="15", height="14", fill=fill, stroke=INK, stroke_width="0.8")
            yield el("text", letter, x=x + 7.5, y=row, text_anchor="middle", font_weight="bold", font_size="11")
        yield el("text", name[:60], x=x + (20 if letter else 0), y=row)
