"""A screen that asks for one line: what is typed is completed and checked while typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from tui.threads import in_thread

MAX_OPTIONS = 200


@dataclass(frozen=True, slots=True)
class Hint:
    """What is said of a line while it is typed."""

    words: str = ""
    """What it would mean, or what is wrong with it."""
    mark: str = "✓"
    """✓ good, ✗ wrong, or nothing."""
    options: Sequence[str] = field(default=())
    """Lines that it could become."""


class PromptModal(ModalScreen[str | None]):
    """Enter takes the line, ↓ goes to the completions, Escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel", tooltip="Back, nothing taken")
    ]

    def __init__(self, title: str, about: str, line: str, hint: Callable[[str], Hint]) -> None:
        """``hint`` is called beside the event loop: it may read files."""
        super().__init__()
        self.asked, self.about, self.line, self.hint = title, about, line, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self.asked)
            dialog.border_subtitle = "Enter takes it · ↓ completions · Escape goes back"
            yield Static(Content(self.about), classes="hint")
            yield Input(value=self.line, id="prompt-line", select_on_focus=False)
            yield Static(id="prompt-said")
            yield OptionList(id="prompt-options")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._look_up(self.line)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._look_up(event.value)

    @work(exclusive=True, group="hint", exit_on_error=False)
    async def _look_up(self, line: str) -> None:
        found = await in_thread(lambda: self.hint(line), "hint")
        said = f"{found.mark} {found.words}".strip() if found.words else ""
        self.query_one("#prompt-said", Static).update(Content(said))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Content(option) for option in list(found.options)[:MAX_OPTIONS]])
        options.display = bool(found.options)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The completions have a cursor as soon as they have the focus."""
        if isinstance(event.widget, OptionList) and event.widget.highlighted is None:
            event.widget.highlighted = 0

    def on_key(self, event: events.Key) -> None:
        options = self.query_one(OptionList)
        if event.key == "down" and self.query_one(Input).has_focus and options.display:
            event.stop()
            options.focus()
            options.highlighted = 0 if options.highlighted is None else options.highlighted
        elif event.key == "up" and options.has_focus and not options.highlighted:
            event.stop()
            event.prevent_default()
            self.query_one(Input).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A completion is put into the line; a second Enter takes it."""
        event.stop()
        line = self.query_one(Input)
        line.value = str(event.option.prompt)
        line.cursor_position = len(line.value)
        line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)
