"""What workers and panes tell the app: small values, the newest of a kind replaces older ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from planner.documents.result import PlanDocument
    from tui.session import Draft


@dataclass
class DraftChanged(Message):
    """A pane changed an input."""

    draft: Draft


@dataclass
class StepWanted(Message):
    """Someone wants to go to another step."""

    step: str


@dataclass
class Explained(Message):
    """What the focused field or figure means, for the line at the bottom."""

    text: str


@dataclass
class InventoryReady(Message):
    """Hardware was detected or read."""

    inventory: Inventory
    site: str


@dataclass
class PlanReady(Message):
    """The planner answered."""

    draft: Draft
    plan: PlanDocument


@dataclass
class PlanProgress(Message):
    """How far the planner is."""

    done: int
    total: int
    text: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PlanProgress)


@dataclass
class Failed(Message):
    """Detection or planning failed for a reason a person can act on."""

    what: str
    reason: str


@dataclass
class PlanChosen(Message):
    """Another proposal is looked at."""

    index: int
