"""Step 1 of buying: what may be bought, and what comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult

from tui.inputs import purchase as inputs
from tui.needs import Purchase
from tui.panes.form import FormPane
from tui.session import Session
from tui.widgets.choice import choice_field
from tui.widgets.number import number_field
from tui.widgets.words import Words


class LimitsPane(FormPane):
    """Budget, room, spare servers, makers, order."""

    TITLE = "Limits"
    FIRST = "#choice-rank_by"
    PART = "purchase"
    NEXT = "model"
    HELP_TEXT = (
        "Which fleets may be bought: every kind of accelerator in the servers it is sold in is tried, the\n"
        "smallest fleet that carries the load is offered. Load: step 3, model: step 2.\n\n"
        "← →  move a slider or a choice · digits type a number, Enter takes it · Backspace empties · Enter  go on"
    )
    ABOUT: ClassVar[str] = (
        "Fleets of every kind of accelerator for a model and a load, ranked.\n"
        "Prices are dated facts, each with its source; your own go into price files."
    )

    def compose(self) -> ComposeResult:
        yield Words(self.ABOUT, id="limits-about")
        first, *others = map(choice_field, inputs.CHOICES)
        yield first
        yield from map(number_field, inputs.NUMBERS)
        yield from others

    def default_of(self, name: str, session: Session) -> str:
        return ""

    def changed(self, value: Purchase, changes: dict[str, Any]) -> Purchase:
        return replace(value, **changes)
