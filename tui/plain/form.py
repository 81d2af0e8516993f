"""Several inputs as one numbered list: Enter goes on, a number changes one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tui.plain.ask import Bounds, Choice, choose, number
from tui.plain.talk import Back, Talk

GO_ON = "go on"


@dataclass(frozen=True, slots=True)
class Field:
    """One input: a number with bounds, or one of several choices."""

    name: str
    label: str
    about: str
    bounds: Bounds | None = None
    choices: tuple[Choice, ...] = ()
    empty: str = "none"
    """What stands for no value."""

    def shown(self, value: Any) -> str:
        if value is None or value == "":
            return self.empty
        if isinstance(value, int) and self.bounds:
            return f"{value:,} {self.bounds.unit}".rstrip()
        return next((choice.label for choice in self.choices if choice.key == value), str(value))


def fill(talk: Talk, title: str, fields: Sequence[Field], values: dict[str, Any], onward: str) -> dict[str, Any]:
    """The values after as many changes as wanted. ``onward`` says what going on leads to."""
    values = dict(values)
    while True:
        choices = [Choice(GO_ON, onward, "takes everything as it stands here")]
        choices += [Choice(f.name, f"{f.label}: {f.shown(values.get(f.name))}", f.about) for f in fields]
        about = "These are the inputs as they stand. A number changes one of them, Enter goes on."
        key = choose(talk, title, choices, default=GO_ON, about=about)
        if key == GO_ON:
            return values
        chosen = next(f for f in fields if f.name == key)
        try:
            values[key] = _changed(talk, chosen, values.get(key))
        except Back:
            continue


def _changed(talk: Talk, asked: Field, value: Any) -> Any:
    if asked.bounds is not None:
        return number(talk, asked.label, asked.bounds, value, asked.about)
    default = value if any(c.key == value for c in asked.choices) else asked.choices[0].key
    return choose(talk, asked.label, asked.choices, default=default, about=asked.about) or None
