"""Step 5: the document that starts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from planner.errors import BadInput
from tui.messages import Explained
from tui.panes.base import Pane
from tui.session import Session

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment

DEFAULT_PATH = "deployment.toml"


class ExportPane(Pane):
    """Preview, destination, write, copy. An existing file is replaced only when asked a second time."""

    TITLE = "Export"
    HELP_TEXT = (
        "The TOML document carries the deployment, its figures with their ranges, and a hash.\n\n"
        "w  write · y  copy to the clipboard (OSC 52, works over ssh)\n"
        "An existing file is replaced only when w is pressed a second time."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write", id="export.write", tooltip="Write the document"),
        Binding("y", "copy", "Copy", id="export.copy", tooltip="Copy the document to the clipboard"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text: str | None = None
        self._shown: PlannedDeployment | None = None
        self._confirm: Path | None = None

    def compose(self) -> ComposeResult:
        yield Input(value=DEFAULT_PATH, placeholder="file to write", id="export-path")
        with Horizontal(id="export-buttons"):
            yield Button("Write (w)", id="write", variant="primary")
            yield Button("Copy (y)", id="copy")
        yield Static(id="export-said")
        yield Static(id="export-preview")

    def show(self, session: Session) -> None:
        plan = session.best
        if plan is None:
            self._text = None
            self.query_one("#export-preview", Static).update(Content("Nothing to export yet: no plan fits."))
        elif plan is not self._shown:
            self._text = document_text(plan)
            self.query_one("#export-preview", Static).update(Content(self._text))
            self.query_one("#export-said", Static).update("")
            self._confirm = None
        self._shown = plan

    def on_input_changed(self) -> None:
        self._confirm = None

    def on_input_submitted(self) -> None:
        self.action_write()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "write":
            self.action_write()
        else:
            self.action_copy()

    def action_copy(self) -> None:
        if self._text is not None:
            self.app.copy_to_clipboard(self._text)
            self._say("Copied. If nothing was pasted, this terminal does not take OSC 52: write the file instead.")

    def action_write(self) -> None:
        """Write the file; a second press replaces one that exists."""
        from planner.documents.files import write_whole

        if self._text is None:
            self._say("Nothing to write: no plan fits.")
            return
        path = Path(self.query_one(Input).value.strip() or DEFAULT_PATH).expanduser()
        try:
            write_whole(path, self._text, overwrite=self._confirm == path)
        except BadInput as error:
            self._refused(path, error)
            return
        self._confirm = None
        self._say(f"Wrote {path.resolve()}\nNext: deploy-planner estimate {path}")

    def _refused(self, path: Path, error: BadInput) -> None:
        if path.is_file() and "exists" in error.problems[0].message:
            self._confirm = path
            self._say(f"{path} exists. Press w again to replace it, or choose another name.")
        else:
            self._say(str(error))

    def _say(self, words: str) -> None:
        self.query_one("#export-said", Static).update(Content(words))
        self.post_message(Explained(words.splitlines()[0]))


def document_text(plan: PlannedDeployment) -> str:
    """The deployment document with its estimate, provenance and hash."""
    from planner.documents.files import deployment_toml, parse_deployment
    from planner.export.document import with_estimate

    return deployment_toml(with_estimate(parse_deployment(plan.deployment, "plan"), plan.estimate))
