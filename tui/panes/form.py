"""A step that is a list of fields over one frozen value of the draft: numbers and choices by name."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.messages import Changed, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.choice import ChoiceField
from tui.widgets.number import NumberField, name_of


class FormPane(Pane):
    """Fields have the ids ``number-NAME`` and ``choice-NAME``; ``PART`` is the draft's field that holds them all."""

    PART: ClassVar[str] = ""
    NEXT: ClassVar[str] = "plans"
    """The step that Enter goes on to."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "Go on", id="form.go-on", tooltip="Go on to the next step"),
        Binding("down", "app.focus_next", "Next field", show=False, id="form.down", tooltip="The next field"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="form.up", tooltip="The field before"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._value: Any = None

    def show(self, session: Session) -> None:
        self._value = getattr(session.draft, self.PART)
        for number in self.query(NumberField):
            name = name_of(number)
            number.value, number.default = getattr(self._value, name), self.default_of(name, session)
        for choice in self.query(ChoiceField):
            choice.value = getattr(self._value, (choice.id or "").removeprefix("choice-"))

    @abstractmethod
    def default_of(self, name: str, session: Session) -> str:
        """What an empty number stands for; empty where nothing does."""

    @abstractmethod
    def changed(self, value: Any, changes: dict[str, Any]) -> Any:
        """The value with other fields."""

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        self._take(name_of(event.field), event.value)

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        self._take((event.field.id or "").removeprefix("choice-"), event.value)

    def _take(self, name: str, value: object) -> None:
        if self._value is not None:
            self._value = self.changed(self._value, {name: value})
            self.post_message(Changed({self.PART: self._value}))

    def action_go_on(self) -> None:
        self.post_message(StepWanted(self.NEXT))
