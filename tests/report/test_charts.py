"""Drawings: inside their boxes, readable without colour, described for those who hear them."""

from __future__ import annotations

import pytest

from planner.estimate import Estimate
from planner.load_curve import ladder
from planner.report.axes import doublings, ticks
from planner.report.blocks import Bar, MemoryChart, Panel, Part, SpeedChart
from planner.report.memory_chart import FILLS, INK, memory_svg
from planner.report.speed_chart import PROMISE, speed_svg
from planner.report.write import report_text
from tests.report.material import DATE, library, planned
from tests.report.page import tree

GIB = 2.0**30
CHARACTER = 7.0
"""A generous width of a letter at the charts' font size."""


def places(svg):
    """Every corner that is drawn, texts with their breadth."""
    for e in svg.iter():
        get = lambda name, e=e: float(e.get(name, "0"))  # noqa: E731
        if e.tag == "rect":
            yield from ((get("x"), get("y")), (get("x") + get("width"), get("y") + get("height")))
        elif e.tag == "line":
            yield from ((get("x1"), get("y1")), (get("x2"), get("y2")))
        elif e.tag == "circle":
            yield from ((get("cx") - get("r"), get("cy") - get("r")), (get("cx") + get("r"), get("cy") + get("r")))
        elif e.tag in ("polygon", "polyline"):
            yield from (tuple(float(v) for v in pair.split(",")) for pair in e.get("points").split())
        elif e.tag == "text":
            breadth = CHARACTER * len(e.text or "")
            left = get("x") - {"middle": breadth / 2, "end": breadth}.get(e.get("text-anchor"), 0.0)
            yield from ((left, get("y") - 10), (left + breadth, get("y") + 3))


def assert_inside(svg) -> None:
    left, top, width, height = (float(v) for v in svg.get("viewBox").split())
    for x, y in places(svg):
        assert left - 1 <= x <= left + width + 1 and top - 1 <= y <= top + height + 1, (x, y, width, height)


@pytest.mark.parametrize(
    ("hardware", "model"), [("2xH100-SXM", "qwen3-32b"), ("rtx-4090", "qwen3-8b"), ("cpu", "qwen3-8b")]
)
def test_of_real_plans(hardware: str, model: str) -> None:
    root = tree(report_text(planned(hardware, model), library(), ".html", DATE))
    drawings = list(root.iter("svg"))
    assert drawings
    for svg in drawings:
        assert_inside(svg)
        assert svg.get("role") == "img" and svg.findtext("title") and svg.findtext("desc")
        ids = {e.get("id") for e in root.iter() if e.get("id")}
        assert set(svg.get("aria-labelledby").split()) <= ids
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("capacity", [None, 80 * GIB])
def test_memory_of_any_size(scale: float, capacity: float | None) -> None:
    parts = tuple(
        Part(letter, "part " + letter, size * GIB * scale)
        for letter, size in zip("WKAGNCBR", (40, 20, 5, 1, 0.1, 0.01, 3, 0.2), strict=True)
    )
    bars = tuple(Bar(f"device {i}", parts, 60 * GIB * scale, 90 * GIB * scale, capacity) for i in range(3))
    svg = memory_svg(MemoryChart("t", "d", bars), 1)
    assert_inside(svg)
    letters = [e.text for e in svg.iter("text")]
    assert all(letters.count(part.letter) == 4 for part in parts), "each on three bars and once in the key"


def test_bars_are_to_scale() -> None:
    bar = Bar("gpu", (Part("W", "weights", 40 * GIB), Part("K", "KV cache", 20 * GIB)), 59 * GIB, 61 * GIB, 80 * GIB)
    rects = [e for e in memory_svg(MemoryChart("t", "d", (bar,)), 1).iter("rect")]
    weights, cache, device = (float(e.get("width", "0")) for e in rects[:3])
    assert weights / cache == pytest.approx(2, rel=1e-3) and weights / device == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("values", [(0.0, 0.0), (1e-6, 1e-6), (1e3, 1e9), (5.0, 1.0)])
@pytest.mark.parametrize("promise", [None, 1e-9, 0.5, 1e12])
def test_speed_of_any_size(values: tuple[float, ...], promise: float | None) -> None:
    points = tuple((x, Estimate(v / 2, v, v * 50)) for x, v in zip((1.0, 4096.0), values, strict=True))
    panels = tuple(Panel("name", unit, mark, points, promise) for unit, mark in (("s", "circle"), ("tok/s", "square")))
    assert_inside(speed_svg(SpeedChart("t", "d", panels, 64.0), 1))


def test_one_point_is_no_division_by_zero() -> None:
    panel = Panel("name", "s", "diamond", ((1.0, Estimate(1, 2, 3)),))
    assert_inside(speed_svg(SpeedChart("t", "d", (panel,), 1.0), 1))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_letters_stand_out() -> None:
    assert all(contrast(fill, INK) >= 7 for fill in FILLS.values())
    assert contrast(PROMISE, "#cfe5f3") >= 4.5 and contrast(PROMISE, "#ffffff") >= 4.5


@pytest.mark.parametrize("top", [1e-9, 0.3, 1.0, 79.2, 1e12, 0.0, float("inf"), float("nan")])
def test_ticks_reach_the_top(top: float) -> None:
    marks = ticks(top)
    assert marks[0] == 0 and marks == sorted(marks) and 2 <= len(marks) <= 12
    if 0 < top < float("inf"):
        assert marks[-1] >= top * (1 - 1e-6) and marks[-2] < top


def test_doublings_are_few() -> None:
    assert doublings(1, 16) == [1, 2, 4, 8, 16]
    assert len(doublings(1, 2**30)) <= 9


@pytest.mark.parametrize(("top", "asked"), [(16.0, None), (4096.0, 64.0), (100.0, 5000.0), (500.0, 2.5)])
def test_ladder(top: float, asked: float | None) -> None:
    steps = ladder(top, asked)
    assert steps == sorted(set(steps)) and steps[0] == 1.0 and steps[-1] == top and 8 <= len(steps) <= 13
    assert asked is None or asked > top or asked in steps
