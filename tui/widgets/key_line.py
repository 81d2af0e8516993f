"""The keys that do something here, in one line: as many as fit, the nearest first, never cut."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

PALETTE = "^P commands"
GAP = 2
MOST = 5
ALWAYS = frozenset({"move(1)", "move(-1)", "explain"})
"""Actions that have a place whatever else there is."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the line."""

    key: str
    shown: str
    label: str
    action: str = ""

    @property
    def width(self) -> int:
        return len(self.shown) + 1 + len(self.label)


def chosen_keys(keys: list[Key]) -> list[Key]:
    """The five that matter: the nearest ones, the steps on both sides, and what explains."""
    always = [key for key in keys if key.action in ALWAYS]
    near = [key for key in keys if key.action not in ALWAYS]
    return near[: MOST - len(always)] + always


def fitting_keys(keys: list[Key], width: int) -> list[Key]:
    """The first of the keys that a width has room for, the palette's place kept free."""
    room, kept = width - len(PALETTE), []
    for key in keys:
        room -= key.width + GAP
        if room < 0:
            break
        kept.append(key)
    return kept


class KeyLine(Static):
    """What the footer is elsewhere, drawn as one line of text. A click presses the key."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._keys: list[Key] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.app.screen is screen:
            self._take_keys()

    def _take_keys(self) -> None:
        keys: dict[str, Key] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in keys:
                shown = self.app.get_key_display(binding)
                keys[binding.action] = Key(binding.key, shown, binding.description, binding.action)
        chosen = chosen_keys(list(keys.values()))
        if chosen != self._keys:
            self._keys = chosen
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        kept = fitting_keys(self._keys, width)
        used = sum(key.width + GAP for key in kept)
        pieces: list[tuple[str, str]] = []
        for key in kept:
            pieces += [(key.shown, "bold $footer-key-foreground"), (f" {key.label}{' ' * GAP}", "")]
        return Content.assemble(*pieces, " " * max(0, width - used - len(PALETTE)), PALETTE)

    def on_click(self, event: events.Click) -> None:
        x = event.x
        for key in fitting_keys(self._keys, self.size.width):
            if 0 <= x < key.width:
                self.app.simulate_key(key.key)
                return
            x -= key.width + GAP
        if event.x >= self.size.width - len(PALETTE):
            self.app.simulate_key("ctrl+p")
