"""What full screens beside the walk share: a title line, the explanation lines, the key line, the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from tui.messages import Explained, ExplainWanted
from tui.text import elided
from tui.widgets.key_line import KeyLine
from tui.widgets.site_line import SiteLine
from tui.widgets.words import Words

if TYPE_CHECKING:
    from tui.session import Session


class AsideScreen(Screen[None]):
    """Escape and q go back to the walk."""

    TITLE: ClassVar[str] = ""
    HELP_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", id="aside.back", tooltip="Back to the walk"),
        Binding("down", "app.focus_next", "Next", show=False, id="aside.down", tooltip="The next field"),
        Binding("up", "app.focus_previous", "Before", show=False, id="aside.up", tooltip="The field before"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        yield SiteLine(id="site")
        with Vertical(classes="aside") as body:
            body.border_title = self.TITLE
            yield from self.body()
        yield Words(id="explain", fixed=True)
        yield KeyLine(id="keys")

    def body(self) -> Iterator[Widget]:
        """What the screen is about."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.query_one(SiteLine).show(self.session)
        self.refresh_bindings()

    def redraw(self) -> None:
        """The session changed while the screen is open."""
        self.query_one(SiteLine).show(self.session)

    def on_explained(self, event: Explained) -> None:
        event.stop()
        place = self.query_one("#explain", Words)
        subject = elided(event.subject, max(20, place.size.width))
        place.say("\n".join(part for part in (subject, event.text) if part))

    def on_explain_wanted(self, event: ExplainWanted) -> None:
        event.stop()
        from tui.modals.reader import ExplainModal

        self.app.push_screen(ExplainModal(event.explanation))
