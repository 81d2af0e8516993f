"""Screens to read: an explanation, the whole answer, help."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui.messages import Explained, ExplainWanted
from tui.widgets.answer import AnswerPanel

if TYPE_CHECKING:
    from tui.explain import Explanation
    from tui.session import Session

CLOSE = "Escape closes"
BACK = "Back to where you were"


class ExplainModal(ModalScreen[None]):
    """One number, column or field in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Close", id="explain.close", tooltip=BACK),
    ]

    def __init__(self, explanation: Explanation) -> None:
        super().__init__()
        self.explanation = explanation

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title, dialog.border_subtitle = Content(self.explanation.title), CLOSE
            yield Static(explanation_content(self.explanation, dialog_width(self.app.size.width)))


class AnswerModal(ModalScreen[None]):
    """The whole answer, for narrow terminals."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,a,q", "dismiss(None)", "Close", id="answer.close", tooltip=BACK),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title, dialog.border_subtitle = "The answer", Content(f"↑ ↓ figures · ? explains · {CLOSE}")
            with VerticalScroll(id="answer-scroll", can_focus=False):
                yield AnswerPanel(id="modal-answer")
            yield Static(id="answer-explain")

    def on_mount(self) -> None:
        panel = self.query_one(AnswerPanel)
        panel.show(self.session)
        self.call_after_refresh(panel.focus)

    def on_explained(self, event: Explained) -> None:
        event.stop()
        self.query_one("#answer-explain", Static).update(Content(event.text))

    def on_explain_wanted(self, event: ExplainWanted) -> None:
        event.stop()
        self.app.push_screen(ExplainModal(event.explanation))


class HelpModal(ModalScreen[None]):
    """Help for what has the focus: what it is, then every key that works there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "dismiss(None)", "Close", id="help.close", tooltip=BACK),
    ]

    def __init__(self, about: str, keys: list[tuple[str, str]]) -> None:
        super().__init__()
        self.about, self.keys = about, keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title, dialog.border_subtitle = "Help", CLOSE
            yield Static(Content(f"{self.about}\n\n{aligned(self.keys)}"))


def aligned(rows: list[tuple[str, str]]) -> str:
    """Pairs as two columns."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {what}" for name, what in rows)


def dialog_width(screen: int) -> int:
    """Cells of text that a dialog has room for, as the style sheet makes it."""
    return max(20, min(110, screen * 94 // 100) - 7)


def explanation_content(explanation: Explanation, width: int) -> Content:
    """What it is, its figures as two columns, notes."""
    names = min(24, max((len(name) for name, _ in explanation.rows), default=0))
    lines = [Content(explanation.about), Content("")] if explanation.about else []
    for name, value in explanation.rows:
        first, *more = wrap(value, max(10, width - names - 2)) or [""]
        lines.append(Content.assemble((f"{name:<{names}}  ", "bold"), first))
        lines += [Content(" " * (names + 2) + line) for line in more]
    lines += [Content(""), *map(Content, explanation.notes)] if explanation.notes else []
    return Content("\n").join(lines)


def help_for(focused: Widget | None) -> str:
    """The help text of what has the focus, then of the step it is in."""
    texts: list[str] = []
    node: object = focused
    while isinstance(node, Widget):
        label, about = getattr(node, "label", None), getattr(node, "about", None)
        if isinstance(label, str) and isinstance(about, str):
            texts.append(f"{label} — {about}")
        written = getattr(node, "HELP_TEXT", None)
        if written and isinstance(written, str):
            texts.append(f"{getattr(node, 'TITLE', '')}\n{written}")
        node = node.parent
    return "\n\n".join(texts) or "deploy-planner: five steps from this hardware to a deployment file."
