"""Step 1 of buying: what may be bought, and what comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult

from tui.inputs import Number
from tui.needs import Purchase
from tui.panes.form import FormPane
from tui.session import Session
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.number import number_field
from tui.widgets.words import Words

NUMBERS = (
    Number("budget_k", "Budget", "k", 1, 100_000, True,
     "thousands, in the currency of the prices, for devices, servers and network; empty: no limit. Rules fleets out."),
    Number("power_kw", "Room power", "kW", 1, 10_000, True,
     "that the room gives at its plugs, under full load; empty: no limit. Rules fleets out."),
    Number("max_nodes", "Servers at most", "", 1, 1000, False, "more are not looked at."),
)  # fmt: skip
SPARE = (
    Option("", "No", "the load breaks when a server is down"),
    Option("yes", "Yes", "one set of servers more than needed (N+1)"),
)
VENDORS = (
    Option("", "Any"),
    Option("nvidia", "NVIDIA"),
    Option("amd", "AMD"),
    Option("intel", "Intel"),
    Option("huawei", "Huawei"),
    Option("apple", "Apple"),
)
RANKS = (
    Option("purchase", "Purchase", "the cheapest to buy"),
    Option("tco", "A month", "the cheapest to own, everything in"),
    Option("power", "Power", "the least power"),
    Option("devices", "Devices", "the fewest devices"),
)


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
        yield ChoiceField("Best is", RANKS, "what comes first.", id="choice-rank_by")
        yield from map(number_field, NUMBERS)
        yield ChoiceField("Spare servers", SPARE, "whether the load must hold with a server down.", id="choice-spare")
        yield ChoiceField("Maker", VENDORS, "only accelerators of this maker.", id="choice-vendor")

    def default_of(self, name: str, session: Session) -> str:
        return ""

    def changed(self, value: Purchase, changes: dict[str, Any]) -> Purchase:
        return replace(value, **changes)
