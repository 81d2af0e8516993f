"""The memory of devices as bars, one line each, as wide as there is room."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.bars import COLOURS, Bar
from tui.text import shown


def bar_content(bar: Bar, width: int) -> Content:
    """The bar with a colour for each part; the letters carry the meaning without it."""
    return Content.assemble(*((letter, COLOURS.get(letter, "")) for letter in bar.cells(width)))


class MemoryBars(Static):
    """``GPU0-7 WWWWWWKKKA··  92% of 139.8 GiB``."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._bars: tuple[Bar, ...] = ()

    def show(self, bars: tuple[Bar, ...]) -> None:
        self._bars = bars
        self.refresh(layout=True)

    def render(self) -> Content:
        return Content("\n").join(self._line(bar, max(20, self.content_size.width)) for bar in self._bars)

    def _line(self, bar: Bar, width: int) -> Content:
        if not bar.capacity:
            return Content(
                f"{bar.name} {shown(sum(size for _, size in bar.parts), 'B')}, of a size that is not reported"
            )
        tail = f" {bar.share:4.0%} of {shown(bar.capacity, 'B')}"
        return Content.assemble(f"{bar.name} ", bar_content(bar, width - len(bar.name) - len(tail) - 1), tail)
