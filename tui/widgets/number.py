"""A number with a slider: ``Users at once  [   64 ] ├──────●────┤ 1…10k``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from tui.explain import Explanation
from tui.inputs.kinds import Number
from tui.text import short_count
from tui.widgets.field import LABEL_WIDTH, Field

VALUE_WIDTH = 9
STEPS_OF_SLIDER = 40
BOUNDS_WIDTH = 8
"""Room behind every slider, so that they are of one length."""
SEPARATORS = str.maketrans("", "", " ,_'\u00a0\u202f")
"""Marks between thousands, dropped from what is pasted."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds of a number; the slider moves by equal ratios."""

    low: int
    high: int
    optional: bool = False
    """Whether the field may be empty."""

    @property
    def bounds(self) -> str:
        return f"{short_count(self.low)}…{short_count(self.high)}"

    def position(self, value: int) -> float:
        """0…1 along the slider."""
        span = math.log((self.high + 1) / (self.low + 1))
        return max(0.0, min(1.0, math.log((max(value, self.low) + 1) / (self.low + 1)) / span))

    def step(self, value: int, direction: int) -> int:
        """The next value one slider step away, with two digits that matter."""
        span = math.log((self.high + 1) / (self.low + 1))
        moved = _rounded((value + 1) * math.exp(direction * span / STEPS_OF_SLIDER) - 1)
        if (moved - value) * direction <= 0:
            moved = value + direction
        return max(self.low, min(self.high, moved))


def _rounded(number: float) -> int:
    """To two digits: 1,234 → 1,200."""
    whole = round(number)
    digits = len(str(abs(whole))) - 2
    return round(whole, -digits) if digits > 0 else whole


class NumberField(Field):
    """Digits type, ← → slide, Enter takes, Escape gives up; Backspace on an optional number empties it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "slide(-1)", "Less", show=False, id="field.less", tooltip="Move the slider down"),
        Binding("right", "slide(1)", "More", show=False, id="field.more", tooltip="Move the slider up"),
        Binding("enter", "take", "Take", show=False, id="field.take", tooltip="Take the number that was typed"),
        Binding("escape", "give_up", "Give up", show=False, id="field.give-up", tooltip="Back to the number before"),
    ]
    value: reactive[int | None] = reactive(None)
    typed: reactive[str | None] = reactive(None)
    problem: reactive[str] = reactive("")
    default: reactive[str] = reactive("")
    """What an empty field stands for."""
    origin: reactive[str] = reactive("")
    """Where the value comes from, when nobody typed it."""

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter and Escape belong to the field only while something is typed."""
        if action in ("take", "give_up"):
            return self.typed is not None
        return True

    def explain(self) -> Explanation:
        value = f"{self._shown_value()}, {self.origin}" if self.origin else self._shown_value()
        rows = [("value", value), ("range", f"{self.scale.low:,} … {self.scale.high:,}")]
        if self.scale.optional:
            rows.append(("empty", self._default_words or "nothing is promised"))
        return Explanation(self.label, self.about, tuple(rows))

    def render(self) -> Content:
        shown = f"{self.typed}▏" if self.typed is not None else self._shown_value()
        room = self.size.width - LABEL_WIDTH - VALUE_WIDTH - 6
        tail = (f"✗ {self.problem}", "$text-error") if self.problem else (self._tail(room), "")
        return Content.assemble(f"{self.head}[{shown:>{VALUE_WIDTH}}] ", tail)

    def _shown_value(self) -> str:
        if self.value is None:
            return "auto" if self.default else "none"
        return f"{self.value:,} {self.unit}".rstrip()

    def _tail(self, room: int) -> str:
        if self.value is None:
            return f"{self._default_words}  ({self.scale.bounds})" if self.default else f"({self.scale.bounds})"
        if self.origin:
            return f"{self.origin}  ({self.scale.bounds})"
        bounds = f" {self.scale.bounds:<{BOUNDS_WIDTH}}"
        width = max(0, min(STEPS_OF_SLIDER, room - len(bounds) - 2))
        if width < 8:
            return bounds.strip()
        spot = round(self.scale.position(self.value) * (width - 1))
        return f"├{'─' * spot}●{'─' * (width - 1 - spot)}┤{bounds}".rstrip()

    @property
    def _default_words(self) -> str:
        """``30,000 USD``: what an empty field stands for, written as a value is."""
        if not self.default.isdecimal():
            return self.default
        return f"{int(self.default):,} {self.unit}".rstrip()

    def on_key(self, event: events.Key) -> None:
        """Digits are text inside a field, whatever they mean outside; while typing so is every other letter."""
        character = event.character or ""
        if character.isdecimal() and character.isascii():
            self._type((self.typed or "") + character)
        elif event.key == "backspace":
            self._type((self.typed if self.typed is not None else str(self.value or ""))[:-1])
        elif self.typed is not None and event.is_printable:
            self.problem = "digits only"
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """A pasted number, with or without marks between thousands; anything else is refused."""
        event.stop()
        pasted = event.text.strip().translate(SEPARATORS)
        if pasted.isdecimal() and pasted.isascii():
            self._type(pasted)
        else:
            self.problem = "what was pasted is no whole number"

    def _type(self, digits: str) -> None:
        self.typed, self.problem = digits[: VALUE_WIDTH - 1], ""

    def on_blur(self) -> None:
        super().on_blur()
        self.action_take()

    def action_slide(self, direction: int) -> None:
        self.typed = None
        self._commit(self.scale.step(self._start, direction))

    @property
    def _start(self) -> int:
        """Where the slider stands: at the value, or at what an empty field stands for."""
        if self.value is not None:
            return self.value
        return int(self.default) if self.default.isdecimal() else self.scale.low

    def action_give_up(self) -> None:
        self.typed, self.problem = None, ""

    def action_take(self) -> None:
        """Take what was typed; out of bounds is refused with the reason beside the field."""
        if self.typed is None:
            return
        if not self.typed and not self.scale.optional:
            self.problem = "a number is needed"
            return
        number = int(self.typed) if self.typed else None
        if number is not None and not self.scale.low <= number <= self.scale.high:
            self.problem = f"from {self.scale.low:,} to {self.scale.high:,}"
            return
        self.typed = None
        self._commit(number)

    def _commit(self, value: int | None) -> None:
        self.problem = ""
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))


def number_field(number: Number) -> NumberField:
    """The field of an input, with the id ``number-NAME``."""
    scale = Scale(number.low, number.high, optional=number.optional)
    return NumberField(number.label, number.unit, scale, number.about, id=f"number-{number.name}")


def name_of(field: NumberField) -> str:
    """The input that a field is of."""
    return (field.id or "").removeprefix("number-")
