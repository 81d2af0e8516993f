"""Step 3 of fine-tuning: the data, what must learn, how long it may take."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget

from tui.inputs import training as inputs
from tui.needs import Training
from tui.panes.form import FormPane
from tui.session import Session
from tui.widgets.choice import choice_field
from tui.widgets.number import number_field

ORDER = (
    "preset", "samples", "sample_tokens", "tokens", "epochs", "seq_len", "method", "quality", "hours", "goal",
    "trainer", "batch", "rank",
)  # fmt: skip


class TrainingPane(FormPane):
    """Data, method, quality, hours."""

    TITLE = "Training"
    FIRST = "#choice-preset"
    PART = "training"
    HELP_TEXT = (
        "← →  move a slider or a choice · digits type a number, Enter takes it · Backspace empties\n"
        "Tab or ↓  next field · Enter  go on to the runs\n\n"
        "Empty numbers are the preset's. The best run follows each change; p pins it."
    )

    def compose(self) -> ComposeResult:
        fields: dict[str, Widget] = {number.name: number_field(number) for number in inputs.NUMBERS}
        fields |= {choice.name: choice_field(choice) for choice in inputs.choices()}
        yield from (fields[name] for name in ORDER)

    def show(self, session: Session) -> None:
        super().show(session)
        training = session.draft.training
        self.query_one("#number-sample_tokens").display = bool(training.samples)
        self.query_one("#number-tokens").display = not training.samples

    def default_of(self, name: str, session: Session) -> str:
        return inputs.usual(name, session.draft.training.preset)

    def changed(self, value: Training, changes: dict[str, object]) -> Training:
        return value.changed(changes)
