"""Step 3: what users will ask of it."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult

from planner.presets import presets
from tui.messages import DraftChanged
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.fields import ChoiceField, NumberField, Scale

NUMBERS: tuple[tuple[str, str, str, Scale, str], ...] = (
    ("users", "Users at once", "", Scale(1, 4096),
     "requests in flight at the same time, not accounts. Chat products see 1 in flight for 10-30 signed-in people. "
     "Moves: KV cache, per token."),
    ("isl", "Prompt tokens", "", Scale(1, 1_000_000),
     "mean input length (ISL), history and retrieved text included. Moves: first token, KV cache."),
    ("osl", "Answer tokens", "", Scale(1, 200_000),
     "mean output length (OSL); reasoning models write 5,000-20,000. Moves: KV cache, request time."),
    ("max_model_len", "Longest request", "", Scale(256, 2_000_000, optional=True),
     "prompt and answer together that must be possible; empty: as the workload needs. Moves: which plans fit."),
    ("prefix_percent", "Shared prefix", "%", Scale(0, 99),
     "share of prompt tokens that are found in the prefix cache. Moves: first token."),
    ("ttft_ms", "First token in", "ms", Scale(10, 120_000, optional=True),
     "what users were promised until the first token (TTFT); empty: no promise. Moves: the ranking."),
    ("tpot_ms", "Per token in", "ms", Scale(1, 10_000, optional=True),
     "what users were promised between tokens (TPOT); 50 ms reads as fluent. Moves: the ranking."),
)  # fmt: skip
"""Field of the draft, label, unit, scale, meaning."""
GOALS = (
    ("balanced", "Balanced"),
    ("latency", "Latency"),
    ("throughput", "Throughput"),
    ("users", "Users"),
    ("context", "Context"),
    ("fewest-gpus", "Fewest GPUs"),
)
FLOORS = (("", "Default"), ("bf16", "bf16"), ("fp8", "fp8"), ("int4", "int4"))


class WorkloadPane(Pane):
    """Load, lengths, promises, goal. Every field says what it moves."""

    TITLE = "Workload"
    HELP_TEXT = (
        "← →  move a slider or a choice · digits type a number · Enter takes it · Tab next field\n\n"
        "The best plan follows each change; p pins it, and ▲ ▼ then show what moved against it."
    )

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None
        self._presets = presets()

    def compose(self) -> ComposeResult:
        kinds = (*((name, preset.label) for name, preset in self._presets.items()), ("custom", "Custom"))
        yield ChoiceField("Preset", kinds, "a kind of use with typical lengths and promises.", id="preset")
        for name, label, unit, scale, about in NUMBERS:
            yield NumberField(label, unit, scale, about, id=f"number-{name}")
        yield ChoiceField("Goal", GOALS, "what the ranking prefers when several plans keep the promises.", id="goal")
        yield ChoiceField("Quality floor", FLOORS, "the lowest precision of weights that is acceptable.", id="floor")

    def show(self, session: Session) -> None:
        self._session = session
        draft = session.draft
        for name, *_ in NUMBERS:
            self.query_one(f"#number-{name}", NumberField).value = getattr(draft, name)
        self.query_one("#preset", ChoiceField).value = draft.preset
        self.query_one("#goal", ChoiceField).value = draft.goal
        self.query_one("#floor", ChoiceField).value = draft.quality_floor or ""

    def on_number_field_changed(self, event: NumberField.Changed) -> None:
        if self._session is not None and event.field.id is not None:
            name = event.field.id.removeprefix("number-")
            self.post_message(DraftChanged(self._session.draft.with_number(name, event.value)))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        if self._session is None:
            return
        draft = self._session.draft
        if event.field.id == "preset":
            chosen = self._presets.get(event.value)
            draft = draft.with_preset(chosen) if chosen else replace(draft, preset=event.value)
        elif event.field.id == "goal":
            draft = replace(draft, goal=event.value)
        else:
            draft = replace(draft, quality_floor=event.value or None)
        self.post_message(DraftChanged(draft))
