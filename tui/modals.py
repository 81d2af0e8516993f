"""Small screens above the walk: other hardware, the whole answer, help."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.session import Session
from tui.widgets.answer import AnswerPanel

HARDWARE_HELP = (
    "8xH200 · 2x8xH100-SXM (nodes × cards) · 4xRTX-4090 · rtx-4090 · 8xMI300X · cpu\n"
    "or a file: an inventory, or saved output of nvidia-smi -q -x, rocm-smi --json, npu-smi info, hl-smi"
)


class SimulateModal(ModalScreen[str | None]):
    """Asks for hardware to plan with instead of this machine's."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="simulate.cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Plan for other hardware"
            yield Static(Content(HARDWARE_HELP))
            yield Input(placeholder="8xH200", id="spec")
            yield Static("Enter takes it · Escape goes back", classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class AnswerModal(ModalScreen[None]):
    """The whole answer, for narrow terminals."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,a,q", "dismiss(None)", "Close", id="answer.close"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield AnswerPanel(id="modal-answer")

    def on_mount(self) -> None:
        self.call_after_refresh(lambda: self.query_one(AnswerPanel).show(self.session))


class HelpModal(ModalScreen[None]):
    """Help for what has the focus: what it is, its keys, then the keys that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "dismiss(None)", "Close", id="help.close"),
    ]

    def __init__(self, about: str, keys: list[tuple[str, str]]) -> None:
        super().__init__()
        self.about, self.keys = about, keys

    def compose(self) -> ComposeResult:
        width = max((len(key) for key, _ in self.keys), default=0)
        rows = "\n".join(f"{key:<{width}}  {what}" for key, what in self.keys)
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            yield Static(Content(f"{self.about}\n\n{rows}"))


def help_for(focused: Widget | None) -> str:
    """The help text of the nearest ancestor that has one."""
    node: object = focused
    while isinstance(node, Widget):
        label, about = getattr(node, "label", None), getattr(node, "about", None)
        if isinstance(label, str) and isinstance(about, str):
            return f"{label} — {about}"
        written = getattr(node, "HELP_TEXT", None)
        if written:
            return f"{getattr(node, 'TITLE', '')}\n\n{written}"
        node = node.parent
    return "deploy-planner: five steps from this hardware to a deployment file."
