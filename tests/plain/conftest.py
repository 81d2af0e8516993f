"""Conversations in plain mode: scripted answers in, the whole conversation out."""

from __future__ import annotations

import io
from dataclasses import dataclass

from tests.tui.conftest import LIBRARY, FakePlanner, inventory_of
from tui.plain.journey import Journey
from tui.plain.main import converse
from tui.plain.talk import Talk
from tui.services import Services


@dataclass(frozen=True)
class Conversation:
    """What became of a script."""

    code: int
    text: str
    errors: str
    journey: Journey

    def block(self, start: str) -> str:
        """From the last time ``start`` was said."""
        return self.text[self.text.rindex(start) :]


def held(*answers: str, hardware: str | None = "8xH200", planner: FakePlanner | None = None) -> Conversation:
    """A conversation held in this process; the planner is the real one, its answers kept."""
    source, sink, errors = io.StringIO("".join(f"{answer}\n" for answer in answers)), io.StringIO(), io.StringIO()
    services = Services(
        library=lambda overlays: LIBRARY,
        detect=lambda library: inventory_of("8xH200"),
        plan=(planner or FakePlanner()).plan,
    )
    journey = Journey(Talk(source, sink), services=services, hardware=hardware)
    code = converse(journey, errors)
    return Conversation(code, sink.getvalue(), errors.getvalue(), journey)


SERVE = ("", "", "", "", "", "", "")
"""Enter as far as the list of files: hardware, goal, model, kind of use, numbers, proposals, proposal in full."""
