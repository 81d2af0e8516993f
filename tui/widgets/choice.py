"""A choice among a few: ``Preset  ‹ Chat ›  RAG  Code``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from tui.explain import Explanation
from tui.inputs.kinds import OneOf
from tui.widgets.field import LABEL_WIDTH, Field


@dataclass(frozen=True, slots=True)
class Option:
    """One of the choices."""

    key: str
    label: str
    about: str = ""


class ChoiceField(Field):
    """← → choose. What does not fit into the line is scrolled to, with "…" where there is more."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Previous", show=False, id="choice.previous", tooltip="The choice before"),
        Binding("right", "move(1)", "Next", show=False, id="choice.next", tooltip="The next choice"),
    ]
    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        """Another choice was made by a person."""

        field: ChoiceField
        value: str

        @property
        def control(self) -> ChoiceField:
            return self.field

    def __init__(self, label: str, options: Sequence[Option], about: str, *, id: str) -> None:
        super().__init__(label, about, id=id)
        self.options = tuple(options)

    def explain(self) -> Explanation:
        rows = tuple((("▸ " if o.key == self.value else "  ") + o.label, o.about) for o in self.options)
        return Explanation(self.label, self.about, rows)

    def render(self) -> Content:
        first, last = self._window()
        names = "".join(name for _, name in self._names()[first:last])
        more = ("…" if first else "", "…" if last < len(self.options) else "")
        return Content(f"{self.head}{more[0]}{names.rstrip() if not more[1] else names}{more[1]}")

    def rename(self, key: str, label: str) -> None:
        """Another label for one of the choices."""
        renamed = tuple(replace(o, label=label) if o.key == key else o for o in self.options)
        if renamed != self.options:
            self.options = renamed
            self.refresh()

    @property
    def index(self) -> int:
        return next((i for i, option in enumerate(self.options) if option.key == self.value), 0)

    def _names(self) -> list[tuple[str, str]]:
        return [(o.key, f"‹ {o.label} ›" if o.key == self.value else f"  {o.label}  ") for o in self.options]

    def _window(self) -> tuple[int, int]:
        """First and last choice that the line has room for, the chosen one among them."""
        widths = [len(name) for _, name in self._names()]
        room = max(1, self.size.width - LABEL_WIDTH - 4)
        first, last = 0, len(widths)
        while sum(widths[first:last]) > room and last - 1 > self.index:
            last -= 1
        while sum(widths[first:last]) > room and first < self.index:
            first += 1
        return first, last

    def action_move(self, direction: int) -> None:
        self._choose(self.options[max(0, min(len(self.options) - 1, self.index + direction))].key)

    def on_click(self, event: events.Click) -> None:
        """A click on a name chooses it."""
        first, last = self._window()
        x = event.x - LABEL_WIDTH - 1 - (1 if first else 0)
        for key, name in self._names()[first:last]:
            if 0 <= x < len(name):
                self._choose(key)
                return
            x -= len(name)

    def _choose(self, key: str) -> None:
        if key != self.value:
            self.value = key
            self.post_message(self.Changed(self, key))


def choice_field(choice: OneOf) -> ChoiceField:
    """The field of an input that is one of several."""
    options = [Option(*kind) for kind in choice.kinds]
    return ChoiceField(choice.label, options, choice.about, id=f"choice-{choice.name}")
