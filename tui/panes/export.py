"""Step 5: the document that starts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input

from tui.export_file import DEFAULT_NAME, Difference, difference, document_text, written
from tui.messages import Explained
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment


ABOUT = {
    "export-path": "File — where the document goes; ~ is your home. Enter goes on to the button.",
    "write": "Write — the deployment with its figures. A file that exists is replaced only on a second press.",
    "copy": "Copy — to the clipboard of your own terminal, by OSC 52: also over ssh.",
    "export-scroll": "The document, or what would change in the file on disk. ↑ ↓ scroll.",
}


class ExportPane(Pane):
    """Destination, write, copy, and the document or its difference from the file on disk."""

    TITLE = "Export"
    FIRST = "#write"
    HELP_TEXT = (
        "The TOML document carries the deployment, its figures with their ranges, and a hash.\n\n"
        "w  write · y  copy to the clipboard (OSC 52, works over ssh) · / change the file name\n"
        "An existing file is shown as a difference, and replaced only when w is pressed a second time."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write", id="export.write", tooltip="Write the document"),
        Binding("y", "copy", "Copy", id="export.copy", tooltip="Copy the document to the clipboard"),
        Binding("slash", "rename", "File name", id="export.rename", tooltip="Change the file's name"),
        Binding("escape", "leave_name", "Done", show=False, id="export.leave-name", tooltip="Leave the file's name"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text: str | None = None
        self._shown: PlannedDeployment | None = None
        self._confirm: Path | None = None

    def compose(self) -> ComposeResult:
        yield Input(value=DEFAULT_NAME, placeholder="file to write", id="export-path")
        with Horizontal(id="export-buttons"):
            yield Button("Write (w)", id="write", variant="primary")
            yield Button("Copy (y)", id="copy")
        yield Words(id="export-said")
        with VerticalScroll(id="export-scroll"):
            yield Words(id="export-preview")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("write", "copy"):
            return True if self._text is not None else None
        if action == "leave_name":
            return self.query_one(Input).has_focus
        return True

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.post_message(Explained(ABOUT.get(event.widget.id or "", "")))

    @property
    def path(self) -> Path:
        return Path(self.query_one(Input).value.strip() or DEFAULT_NAME).expanduser()

    def show(self, session: Session) -> None:
        plan = session.best
        stale = "" if session.current else "the inputs changed: this is the plan before"
        self.border_subtitle = stale
        if plan is None:
            self._text = None
            self.query_one("#export-preview", Words).say("Nothing to export yet: there is no plan that fits.")
            self._say("")
        elif plan is not self._shown:
            self._text = document_text(plan)
            self._confirm = None
            self._say("")
            self._preview()
        self._shown = plan
        self.refresh_bindings()

    def _preview(self) -> None:
        """The document, or what would change in the file that is there."""
        if self._text is None:
            return
        found = difference(self.path, self._text)
        self.query_one("#export-preview", Words).say(_diff_content(found) if found else self._text)
        self.border_title = f"Export: {found.words}" if found else self.TITLE

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._confirm = None
        self._preview()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#write").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "write":
            self.action_write()
        else:
            self.action_copy()

    def action_rename(self) -> None:
        self.query_one(Input).focus()

    def action_leave_name(self) -> None:
        self.query_one("#write").focus()

    def action_copy(self) -> None:
        if self._text is not None:
            self.app.copy_to_clipboard(self._text)
            self._say("Copied. If pasting gives nothing, this terminal does not take OSC 52: write the file instead.")

    def action_write(self) -> None:
        """Write the file; a second press replaces one that exists."""
        if self._text is None:
            self._say("Nothing to write: there is no plan that fits.")
            return
        path = self.path
        done = written(path, self._text, overwrite=self._confirm == path)
        self._confirm = path if done.exists else None
        self._say(done.words)
        if done.ok:
            self._preview()

    def _say(self, words: str) -> None:
        self.query_one("#export-said", Words).say(words)
        if words:
            self.post_message(Explained(words))


def _diff_content(found: Difference) -> Content:
    """Added and removed lines; the signs carry the meaning without colour."""
    styles = {"+": "$text-success", "-": "$text-error"}
    return Content("\n").join(Content.assemble((line, styles.get(line[:1], ""))) for line in found.lines)
