"""Step 3 of fine-tuning: the data, what must learn, how long it may take."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from planner.training.grid import grids
from planner.training.request import training_preset, training_presets
from planner.units import human_count
from tui.inputs import Number
from tui.needs import PRESET_FIELDS, Training
from tui.panes.form import FormPane
from tui.session import Session
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.number import number_field

NUMBERS = (
    Number("samples", "Samples", "", 1, 100_000_000, True,
     "examples of the dataset; empty: the tokens below say how large it is. Moves: time."),
    Number("sample_tokens", "Tokens a sample", "", 1, 1_000_000, False,
     "mean length of an example, question and answer together. Moves: time."),
    Number("tokens", "Tokens", "", 1_000, 100_000_000_000, True,
     "of the dataset, one epoch; empty: as usual for this kind of training. Moves: time, energy, cost."),
    Number("epochs", "Epochs", "", 1, 100, True, "how often the dataset is gone through. Moves: time."),
    Number("seq_len", "Sequence length", "", 128, 1_048_576, True,
     "tokens of a packed sample; longer ones cut what is too long. Moves: activations, so the peak per GPU."),
    Number("batch", "Samples a step", "", 1, 65_536, True,
     "global batch: samples of one optimizer step over all GPUs. Moves: which layouts are possible."),
    Number("rank", "Adapter rank", "", 1, 1024, True,
     "of LoRA and its kin; empty: 16. Moves: adapters, optimizer."),
    Number("hours", "Hours allowed", "h", 1, 10_000, True,
     "for the whole run; empty: no limit. Longer runs stand behind, marked with !"),
)  # fmt: skip
METHODS = (
    Option("", "Any", "all methods, the fastest first"),
    Option("qlora", "QLoRA", "adapters over a 4-bit base: the least memory"),
    Option("lora", "LoRA", "adapters over 16-bit weights"),
    Option("dora", "DoRA", "adapters and magnitudes, slower than LoRA"),
    Option("full", "Full", "every weight learns"),
)
QUALITY = (
    Option("", "Any", "a 4-bit base is allowed"),
    Option("16-bit", "16-bit base", "adapters over 16-bit weights, or every weight"),
    Option("full", "All weights", "every weight learns"),
)
GOALS = (
    Option("time", "Time", "the fastest run"),
    Option("memory", "Memory", "the least memory per GPU"),
    Option("fewest-gpus", "Fewest GPUs", "as few devices as possible"),
)


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
        kinds = [Option(p.name, p.label, p.about) for p in training_presets().values()]
        yield ChoiceField("Kind", kinds, "a kind of training with typical data.", id="choice-preset")
        numbers = {number.name: number_field(number) for number in NUMBERS}
        yield from (numbers[name] for name in ("samples", "sample_tokens", "tokens", "epochs", "seq_len"))
        yield ChoiceField("Method", METHODS, "what learns, and over which base. Moves: everything.", id="choice-method")
        yield ChoiceField("Quality", QUALITY, "what must learn at least; others are ruled out.", id="choice-quality")
        yield numbers["hours"]
        yield ChoiceField("Goal", GOALS, "what the ranking prefers.", id="choice-goal")
        yield ChoiceField("Trainer", list(_trainers()), "only this trainer; any: all that suit.", id="choice-trainer")
        yield from (numbers[name] for name in ("batch", "rank"))

    def show(self, session: Session) -> None:
        super().show(session)
        training = session.draft.training
        self.query_one("#number-sample_tokens").display = bool(training.samples)
        self.query_one("#number-tokens").display = not training.samples

    def default_of(self, name: str, session: Session) -> str:
        if name == "rank":
            return "16"
        if name not in PRESET_FIELDS:
            return ""
        preset = training_preset(session.draft.training.preset)
        value = getattr(preset, {"batch": "global_batch"}.get(name, name))
        return f"{value:.0f}" if value < 10_000 else human_count(value)

    def changed(self, value: Training, changes: dict[str, object]) -> Training:
        return value.changed(changes)


def _trainers() -> Iterator[Option]:
    yield Option("", "Any")
    yield from (Option(name, name) for name in dict.fromkeys(grid.trainer for grid in grids()))
