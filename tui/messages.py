"""What workers, panes and widgets tell: small values, the newest of a kind replaces older ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from tui.draft import Draft
    from tui.explain import Explanation
    from tui.fits import Fit
    from tui.trace import Unit


@dataclass
class Changed(Message):
    """A person changed inputs: fields of the draft and their new values."""

    changes: dict[str, Any]


@dataclass
class StepWanted(Message):
    """Someone wants to go to another step; ``move`` counts from the present one."""

    step: str = ""
    move: int = 0


@dataclass
class PurposeWanted(Message):
    """Someone wants another kind of walk: serve, tune or buy."""

    purpose: str


@dataclass
class StepShown(Message):
    """Another step is on the screen."""

    step: str


@dataclass
class Explained(Message):
    """What the focused field or figure means, for the lines at the bottom."""

    text: str
    subject: str = ""
    """One line before it, cut to the width: the row that the cursor is on."""


@dataclass
class ExplainWanted(Message):
    """``?`` was pressed on something."""

    explanation: Explanation


@dataclass
class PlanProgress(Message):
    """How far the planner is."""

    draft: Draft
    done: int
    total: int
    text: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PlanProgress)


@dataclass
class FitsProgress(Message):
    """More of the catalogue was worked out for a draft."""

    draft: Draft
    fits: dict[str, Fit]
    total: int


@dataclass
class PlanChosen(Message):
    """Another proposal is looked at."""

    index: int


@dataclass
class PlanMarked(Message):
    """A proposal is to be compared, or no longer."""

    index: int


@dataclass
class CataloguePaneShown(Message):
    """The catalogue is on the screen: its badges are wanted."""


@dataclass
class RowsShown(Message):
    """Models that are on the screen, to be worked out first."""

    ids: tuple[str, ...]


@dataclass
class LoadCurveWanted(Message):
    """The curve over load is on the screen and not known yet."""


@dataclass
class PoolWanted(Message):
    """Another pool of the fleet looked at is to be exported."""

    index: int


@dataclass
class ExportShown(Message):
    """The files of the plan looked at are on the screen and not rendered yet."""


@dataclass
class TraceWanted(Message):
    """Recorded requests are to be the workload: those of a file, or of one that is asked for."""

    path: str = ""
    unit: Unit = "s"


@dataclass
class HardwareWanted(Message):
    """Hardware was named, or a file with it."""

    spec: str


def ask_as(sender: Widget, make: Callable[[], Message]) -> None:
    """Post in the name of a widget: a message goes no further than the one in whose name it was made."""
    sender.call_later(lambda: sender.post_message(make()))
