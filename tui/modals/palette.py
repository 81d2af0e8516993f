"""The palette of commands, without the picture that not every terminal has."""

from __future__ import annotations

from textual.command import CommandPalette, SearchIcon


class Palette(CommandPalette):
    """Textual's own, a sign of one cell before the line."""

    def on_mount(self) -> None:
        self.query_one(SearchIcon).icon = "/"
