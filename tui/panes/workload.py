"""Step 3: what users will ask of it."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from planner.presets import presets
from tui.draft import TRACE, WORKLOAD, Draft
from tui.inputs import workload as inputs
from tui.messages import Changed, StepWanted, TraceWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.trace import UNIT_ABOUT, UNITS, Trace
from tui.widgets.choice import ChoiceField, Option, choice_field
from tui.widgets.number import NumberField, name_of, number_field
from tui.widgets.words import Words

TRACE_OPTION = Option(TRACE, "Trace file…", "rate and lengths of requests that were recorded")


class WorkloadPane(Pane):
    """Load, lengths, promises, goal, limits. Every field says what it moves."""

    TITLE = "Workload"
    FIRST = "#choice-preset"
    HELP_TEXT = (
        "← →  move a slider or a choice · digits type a number, Enter takes it · Backspace empties\n"
        "Tab or ↓  next field · Enter  go on to the plans · o  a trace file: rate and lengths of recorded requests\n\n"
        "The best plan follows each change; p pins it, and ▲ ▼ then show what moved against it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "Plans", id="workload.go-on", tooltip="Go on to the plans"),
        Binding("o", "trace", "Trace file", show=False, id="workload.trace", tooltip="Recorded requests as the load"),
        Binding("down", "app.focus_next", "Next field", show=False, id="workload.down", tooltip="The next field"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="workload.up", tooltip="The field before"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._presets = presets()
        self._preset = ""
        """The one of the draft."""
        self._trace: Trace | None = None

    def compose(self) -> ComposeResult:
        kinds = [Option(name, preset.label, preset.about) for name, preset in self._presets.items()]
        custom = Option("custom", "Custom", "numbers of your own")
        about = "a kind of use with typical lengths and promises; the last one, or o, asks for a trace file."
        yield ChoiceField("Preset", [*kinds, custom, TRACE_OPTION], about, id="choice-preset")
        yield Words(id="workload-trace")
        yield ChoiceField("Its times are", [Option(*unit) for unit in UNITS], UNIT_ABOUT, id="choice-trace_unit")
        load, *others = map(choice_field, inputs.choices())
        yield load
        yield from map(number_field, inputs.NUMBERS)
        yield from others

    def show(self, session: Session) -> None:
        draft = session.draft
        self._preset = draft.preset
        assumed = assumed_of(session)
        for number in inputs.NUMBERS:
            field = self.query_one(f"#number-{number.name}", NumberField)
            field.value = getattr(draft, number.name)
            field.default = default_words(number.name, assumed)
        self.query_one("#number-users").display = draft.load == "users"
        self.query_one("#number-rate").display = draft.load == "rate"
        self.query_one("#choice-kv_cache").display = draft.purpose == "serve"
        self.query_one("#number-image_tokens").display = bool(draft.images)
        for choice in self.query(ChoiceField):
            if choice.id != "choice-trace_unit":
                chosen = getattr(draft, (choice.id or "").removeprefix("choice-")) or ""
                choice.options = with_value(choice.options, chosen)
                choice.value = chosen
        self._show_trace(session)

    def _show_trace(self, session: Session) -> None:
        """What the file says, what is wrong with it, and which numbers are its."""
        trace = self._trace = session.draft.trace
        said = f"✗ {session.trace_problem}" if session.trace_problem else trace.words if trace else ""
        self.query_one("#workload-trace", Words).say(said)
        self.query_one("#choice-preset", ChoiceField).rename(TRACE, trace.name if trace else TRACE_OPTION.label)
        unit = self.query_one("#choice-trace_unit", ChoiceField)
        unit.display = trace is not None
        unit.value = trace.unit if trace else UNITS[0].key
        numbers = trace.numbers if trace else {}
        for field in self.query(NumberField):
            name = name_of(field)
            field.origin = "from the trace" if name in numbers and numbers[name] == field.value else ""

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        self.post_message(Changed({name_of(event.field): event.value}))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        name = (event.field.id or "").removeprefix("choice-")
        if name == "trace_unit":
            self.post_message(TraceWanted(self._trace.path if self._trace else "", event.value))  # type: ignore[arg-type]
        elif name == "preset" and event.value == TRACE:
            event.field.value = self._preset
            self.post_message(TraceWanted())
        else:
            changes = self._preset_changes(event.value) if name == "preset" else {name: event.value or None}
            self.post_message(Changed(changes))

    def _preset_changes(self, name: str) -> dict[str, Any]:
        chosen = self._presets.get(name)
        if chosen is None:
            return {"preset": name}
        draft = Draft().with_preset(chosen)
        names = {"preset", "load", *WORKLOAD} - {"users", "rate"}
        return {field: getattr(draft, field) for field in names}

    def action_trace(self) -> None:
        """Another file of recorded requests."""
        self.post_message(TraceWanted())

    def action_go_on(self) -> None:
        self.post_message(StepWanted("plans"))


def assumed_of(session: Session) -> dict[str, Any]:
    """What the planner took for inputs that are empty: for all plans, and for the one looked at."""
    own = session.best.estimate.assumed if session.best is not None else {}
    return {**own, **(session.plan.assumed if session.plan is not None else {})}


_UNSAID = {"image_tokens": "the model's own"}
"""What an empty number stands for while there is no plan."""


def default_words(name: str, assumed: dict[str, Any]) -> str:
    """What an empty number stands for: what the planner assumed."""
    key = {
        "users": "workload.concurrency",
        "max_model_len": "max_model_len",
        "image_tokens": "workload.image_tokens",
    }.get(name)
    if key is None:
        return ""
    value = assumed.get(key)
    return f"{value:.0f}" if isinstance(value, float) else str(value or _UNSAID.get(name, "as usual here"))


def with_value(options: tuple[Option, ...], value: str) -> tuple[Option, ...]:
    """The options, and the value where it is none of them: a fix may ask for an engine at a version."""
    return options if any(o.key == value for o in options) else (*options, Option(value, value))
