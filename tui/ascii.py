"""The app on terminals without Unicode: the last thing that happens to a line is that its signs become ASCII."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.signs import stand_in, wanted

__all__ = ["Ascii", "stand_in", "wanted"]


class Ascii(LineFilter):
    """The last thing that happens to a line before it is written."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(stand_in(text), style, control) for text, style, control in segments]
