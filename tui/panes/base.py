"""What every step of the walk is: a scrolling column that shows a session and posts changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

from tui.messages import ask_as
from tui.session import Session


class Pane(VerticalScroll, can_focus=False):
    """One step. ``show`` is called whenever the session changed; a pane never reaches into the app."""

    TITLE: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    """What the step is for and its own keys; the help screen shows it."""
    FIRST: ClassVar[str] = ""
    """What gets the focus when the step is opened: a selector."""

    def on_mount(self) -> None:
        self.border_title = self.TITLE

    def ask(self, make: Callable[[], Message]) -> None:
        """Post as this pane, whoever had it drawn."""
        ask_as(self, make)

    def show(self, session: Session) -> None:
        """Draw what the session says."""
        raise NotImplementedError


def can_have_focus(widget: Widget) -> bool:
    """Whether it takes the focus, and nothing that it is in is hidden: Textual would let a hidden one have it."""
    return widget.focusable and all(one.display for one in widget.ancestors_with_self if isinstance(one, Widget))
