"""What was answered so far, and what the planner made of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.answers import Bought, as_plan
from tui.draft import Draft
from tui.plain.talk import Talk
from tui.services import Services

if TYPE_CHECKING:
    from planner.buy_document import BuyDocument
    from planner.documents.result import PlanDocument
    from planner.library import Library
    from tui.answers import Answer

TELL_S = 5.0
"""A plan that takes longer says how far it is, this often."""


@dataclass
class Journey:
    """One walk. Values only; the steps ask and the planner answers."""

    talk: Talk
    services: Services = field(default_factory=Services)
    overlays: tuple[Path, ...] = ()
    hardware: str | None = None
    """Named on the command line."""
    draft: Draft = field(default_factory=Draft)
    answer: Answer | None = None
    """What the planner answered last."""
    deployment: dict[str, Any] = field(default_factory=dict)
    """What was chosen: ready to export."""
    pools: tuple[tuple[float, dict[str, Any]], ...] = ()
    """Of a fleet of two kinds: each with its share of the load, a deployment of its own."""
    pools_written: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    asked: Draft | None = None
    """The question that ``answer`` answers."""

    @property
    def plan(self) -> PlanDocument | None:
        """The answer as ranked proposals."""
        return as_plan(self.answer) if self.answer is not None else None

    @property
    def offers(self) -> BuyDocument | None:
        """The fleets, where they were asked for."""
        return self.answer.bought if isinstance(self.answer, Bought) else None

    @cached_property
    def library(self) -> Library:
        return self.services.library(self.overlays)

    def teller(self) -> Callable[[int, int, str], None]:
        """Says how far the planner is, now and then: a line for every model would never end being read."""
        last = time.monotonic()

        def tell(done: int, total: int, name: str) -> None:
            nonlocal last
            if time.monotonic() - last >= TELL_S:
                last = time.monotonic()
                self.talk.say(f"Still working: {done + 1} of {total}, {name}.")

        return tell
