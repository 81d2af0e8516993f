"""Step 3: what users will ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from planner.presets import presets
from tui.messages import Changed, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.number import NumberField, Scale

NUMBERS: tuple[tuple[str, str, str, Scale, str], ...] = (
    ("users", "Users at once", "", Scale(1, 10_000, optional=True),
     "requests in flight at the same time, not accounts; empty: usual for this hardware. Chat products see 1 in flight "
     "for 10-30 signed-in people. Moves: KV cache, per token."),
    ("rate", "Requests / minute", "", Scale(1, 600_000),
     "requests that arrive in a minute; how many are in flight follows from how long each takes. Moves: per token."),
    ("isl", "Prompt tokens", "", Scale(1, 1_000_000),
     "mean input length (ISL), history and retrieved text included. Moves: first token, KV cache."),
    ("osl", "Answer tokens", "", Scale(1, 200_000),
     "mean output length (OSL); reasoning models write 5,000-20,000. Moves: KV cache, request time."),
    ("max_model_len", "Longest request", "", Scale(256, 10_000_000, optional=True),
     "prompt and answer together that must be possible; empty: as long as fits, up to 32k. Moves: which plans fit."),
    ("prefix_percent", "Shared prefix", "%", Scale(0, 99),
     "share of prompt tokens that are found in the prefix cache. Moves: first token."),
    ("ttft_ms", "First token in", "ms", Scale(10, 120_000, optional=True),
     "what users were promised until the first token (TTFT); empty: no promise. Moves: the ranking."),
    ("tpot_ms", "Per token in", "ms", Scale(1, 10_000, optional=True),
     "what users were promised between tokens (TPOT); 50 ms reads as fluent; empty: no promise. Moves: the ranking."),
)  # fmt: skip
"""Field of the draft, label, unit, scale, meaning."""
LOADS = (
    Option("users", "Users", "a number of requests in flight at once"),
    Option("rate", "Rate", "requests that arrive per minute"),
    Option("full", "As much as fits", "offline work: as many requests in flight as the memory holds"),
)
GOALS = (
    Option("balanced", "Balanced", "speed, throughput and context together"),
    Option("latency", "Latency", "the fastest answer for one user"),
    Option("throughput", "Throughput", "the most tokens per second in total"),
    Option("users", "Users", "the most users at once"),
    Option("context", "Context", "the longest requests"),
    Option("fewest-gpus", "Fewest GPUs", "keep the promises with as few devices as possible"),
)
FLOOR_ABOUT = "the lowest precision of weights that is acceptable; a model's own published format always is."
ENGINE_ABOUT = "only this serving engine; any: those that are usual on this chip."
WEIGHTS_ABOUT = "only this weight format; any: all that are published, from the quality floor up."
FORMATS = ("bf16", "fp8", "nvfp4", "mxfp4", "w8a8-int8", "awq-int4", "gptq-int4", "gguf")


class WorkloadPane(Pane):
    """Load, lengths, promises, goal, limits. Every field says what it moves."""

    TITLE = "Workload"
    FIRST = "#choice-preset"
    HELP_TEXT = (
        "← →  move a slider or a choice · digits type a number, Enter takes it · Backspace empties\n"
        "Tab or ↓  next field · Enter  go on to the plans\n\n"
        "The best plan follows each change; p pins it, and ▲ ▼ then show what moved against it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", "Plans", id="workload.go-on", tooltip="Go on to the plans"),
        Binding("down", "app.focus_next", "Next field", show=False, id="workload.down"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="workload.up"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._presets = presets()

    def compose(self) -> ComposeResult:
        kinds = [Option(name, preset.label, preset.about) for name, preset in self._presets.items()]
        custom = Option("custom", "Custom", "numbers of your own")
        about = "a kind of use with typical lengths and promises."
        yield ChoiceField("Preset", [*kinds, custom], about, id="choice-preset")
        yield ChoiceField("Load", LOADS, "how the load is stated.", id="choice-load")
        for name, label, unit, scale, words in NUMBERS:
            yield NumberField(label, unit, scale, words, id=f"number-{name}")
        about = "what the ranking prefers when several plans keep the promises."
        yield ChoiceField("Goal", GOALS, about, id="choice-goal")
        yield ChoiceField("Quality floor", list(_floors()), FLOOR_ABOUT, id="choice-quality_floor")
        yield ChoiceField("Engine", list(_engines()), ENGINE_ABOUT, id="choice-engine")
        yield ChoiceField("Weights", [Option("", "Any"), *(Option(f, f) for f in FORMATS)], WEIGHTS_ABOUT,
                          id="choice-weights")  # fmt: skip

    def show(self, session: Session) -> None:
        draft = session.draft
        assumed = session.plan.assumed if session.plan is not None else {}
        for name, *_ in NUMBERS:
            field = self.query_one(f"#number-{name}", NumberField)
            field.value = getattr(draft, name)
            field.default = default_words(name, assumed)
        self.query_one("#number-users").display = draft.load == "users"
        self.query_one("#number-rate").display = draft.load == "rate"
        for choice in self.query(ChoiceField):
            chosen = getattr(draft, (choice.id or "").removeprefix("choice-")) or ""
            choice.options = with_value(choice.options, chosen)
            choice.value = chosen

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        event.stop()
        self.post_message(Changed({(event.field.id or "").removeprefix("number-"): event.value}))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        name = (event.field.id or "").removeprefix("choice-")
        self.post_message(
            Changed(self._preset_changes(event.value) if name == "preset" else {name: event.value or None})
        )

    def _preset_changes(self, name: str) -> dict[str, Any]:
        from tui.draft import Draft

        chosen = self._presets.get(name)
        if chosen is None:
            return {"preset": name}
        draft = Draft().with_preset(chosen)
        names = ("preset", "load", "isl", "osl", "max_model_len", "prefix_percent", "ttft_ms", "tpot_ms")
        return {field: getattr(draft, field) for field in names}

    def action_go_on(self) -> None:
        self.post_message(StepWanted("plans"))


def default_words(name: str, assumed: dict[str, Any]) -> str:
    """What an empty number stands for: what the planner assumed."""
    key = {"users": "workload.concurrency", "max_model_len": "max_model_len"}.get(name)
    if key is None:
        return ""
    value = assumed.get(key)
    return f"{value:.0f}" if isinstance(value, float) else str(value or "as usual here")


def with_value(options: tuple[Option, ...], value: str) -> tuple[Option, ...]:
    """The options, and the value where it is none of them: a fix may ask for an engine at a version."""
    return options if any(o.key == value for o in options) else (*options, Option(value, value))


def _floors() -> Iterator[Option]:
    from planner.models.quality import levels

    yield Option("", "Default", "int4: published evaluations keep 97-99 % of the scores")
    for level in reversed(levels()):
        yield Option(level, level)


def _engines() -> Iterator[Option]:
    from planner.engines.registry import engines

    yield Option("", "Any")
    for name in engines():
        yield Option(name, name)
