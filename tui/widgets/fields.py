"""One-line inputs of the walk: a number with a slider, a choice among a few. Both explain themselves when focused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tui.messages import Explained

LABEL_WIDTH = 18
VALUE_WIDTH = 9
STEPS_OF_SLIDER = 40


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds of a number; the slider moves by equal ratios."""

    low: int
    high: int
    optional: bool = False
    """Whether the field may be empty."""

    def position(self, value: int) -> float:
        """0…1 along the slider."""
        span = math.log((self.high + 1) / (self.low + 1))
        return max(0.0, min(1.0, math.log((value + 1) / (self.low + 1)) / span))

    def step(self, value: int, direction: int) -> int:
        """The next value one slider step away."""
        span = math.log((self.high + 1) / (self.low + 1))
        moved = round((value + 1) * math.exp(direction * span / STEPS_OF_SLIDER) - 1)
        if moved == value:
            moved = value + direction
        return max(self.low, min(self.high, moved))


class Field(Static, can_focus=True):
    """A labelled line that explains itself when focused."""

    def __init__(self, label: str, about: str, *, id: str) -> None:
        super().__init__(id=id)
        self.label, self.about = label, about

    def on_focus(self) -> None:
        self.post_message(Explained(f"{self.label} — {self.about}"))


class NumberField(Field):
    """``Users at once  [   64 ] ├──────●────┤ 1 … 512``. Digits type, ← → slide, Enter takes, Escape gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "slide(-1)", "less", show=False, id="field.less"),
        Binding("right", "slide(1)", "more", show=False, id="field.more"),
        Binding("enter", "take", "take", show=False, id="field.take"),
        Binding("escape", "give_up", "give up", show=False, id="field.give-up"),
    ]
    value: reactive[int | None] = reactive(None)
    typed: reactive[str | None] = reactive(None)
    problem: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        """The number was changed by a person."""

        field: NumberField
        value: int | None

        @property
        def control(self) -> NumberField:
            return self.field

    def __init__(self, label: str, unit: str, scale: Scale, about: str, *, id: str) -> None:
        super().__init__(label, about, id=id)
        self.unit, self.scale = unit, scale

    def render(self) -> Content:
        shown = self.typed if self.typed is not None else self._shown_value()
        room = self.size.width - LABEL_WIDTH - VALUE_WIDTH - 6
        cursor = "▏" if self.typed is not None else ""
        tail = self.problem or self._slider(room)
        style = "$text-error" if self.problem else ""
        return Content.assemble(f"{self.label:<{LABEL_WIDTH}}[{shown + cursor:>{VALUE_WIDTH}}] ", (tail, style))

    def _shown_value(self) -> str:
        return "none" if self.value is None else f"{self.value}{' ' + self.unit if self.unit in ('ms', '%') else ''}"

    def _slider(self, room: int) -> str:
        low, high = f"{self.scale.low}", f"{self.scale.high}"
        bounds = f" {low} … {high}"
        width = max(0, min(STEPS_OF_SLIDER, room - len(bounds) - 3))
        if width < 8:
            return bounds.strip()
        spot = round(self.scale.position(self.value or self.scale.low) * (width - 1))
        return f"├{'─' * spot}●{'─' * (width - 1 - spot)}┤{bounds}"

    def on_key(self, event: events.Key) -> None:
        """Digits are text inside a field, whatever they mean outside."""
        if event.character and event.character.isdigit():
            self.typed = ((self.typed or "") + event.character)[:VALUE_WIDTH]
        elif event.key == "backspace":
            self.typed = (self.typed if self.typed is not None else str(self.value or ""))[:-1]
        else:
            return
        self.problem = ""
        event.stop()
        event.prevent_default()

    def on_blur(self) -> None:
        self.action_take()

    def action_slide(self, direction: int) -> None:
        self.typed = None
        self._commit(self.scale.step(self.value if self.value is not None else self.scale.low, direction))

    def action_give_up(self) -> None:
        self.typed, self.problem = None, ""

    def action_take(self) -> None:
        """Take what was typed; out of bounds is refused with the reason beside the field."""
        if self.typed is None:
            return
        if not self.typed:
            if self.scale.optional:
                self.typed = None
                self._commit(None)
            else:
                self.problem = "a number is needed"
            return
        number = int(self.typed)
        if not self.scale.low <= number <= self.scale.high:
            self.problem = f"from {self.scale.low:,} to {self.scale.high:,}"
            return
        self.typed = None
        self._commit(number)

    def _commit(self, value: int | None) -> None:
        self.problem = ""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))


class ChoiceField(Field):
    """``Preset  ‹ Chat ›  RAG  Code``: ← → choose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "previous", show=False, id="choice.previous"),
        Binding("right", "move(1)", "next", show=False, id="choice.next"),
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

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], about: str, *, id: str) -> None:
        super().__init__(label, about, id=id)
        self.choices = tuple(choices)

    def render(self) -> Content:
        names = [f"‹ {name} ›" if key == self.value else f"  {name}  " for key, name in self.choices]
        line = "".join(names)
        room = self.size.width - LABEL_WIDTH
        if len(line) > room:
            name = next((name for key, name in self.choices if key == self.value), self.value)
            line = f"‹ {name} ›  {self._index + 1} of {len(self.choices)}"
        return Content(f"{self.label:<{LABEL_WIDTH}}{line}")

    @property
    def _index(self) -> int:
        keys = [key for key, _ in self.choices]
        return keys.index(self.value) if self.value in keys else 0

    def action_move(self, direction: int) -> None:
        index = max(0, min(len(self.choices) - 1, self._index + direction))
        chosen = self.choices[index][0]
        if chosen != self.value:
            self.value = chosen
            self.post_message(self.Changed(self, chosen))

    def on_click(self, event: events.Click) -> None:
        """A click on a name chooses it."""
        x = event.x - LABEL_WIDTH
        for key, name in self.choices:
            width = len(name) + 4
            if 0 <= x < width and key != self.value:
                self.value = key
                self.post_message(self.Changed(self, key))
            x -= width
