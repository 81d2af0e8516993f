"""Step 4: the ranked proposals, why, and why not the others."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static, TabbedContent, TabPane

from planner.documents.result import PlannedDeployment
from planner.estimate import Estimate
from planner.units import human_bytes, human_count, human_seconds
from tui import text
from tui.messages import DraftChanged, Explained, PlanChosen
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.answer import bar_content

LETTERS = (
    ("W", "weights"),
    ("K", "kv_cache"),
    ("A", "activations"),
    ("G", "cuda_graphs"),
    ("N", "non_torch"),
)


class PlansPane(Pane):
    """A table of proposals; below it memory, terms, reasons and the rejected ones."""

    TITLE = "Plans"
    HELP_TEXT = (
        "Rank 1 is what the planner would start. * marks plans that no other beats in every respect (Pareto).\n\n"
        "↑ ↓  look at another plan · Tab  into the details · R  the rejected ones · p  pin\n"
        "Enter on a rejected group applies the change that would make it possible."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "tab('rejected')", "Rejected", id="plans.rejected", tooltip="What was ruled out, and why"),
        Binding("i", "tab('why')", "Why first", id="plans.why", tooltip="Why this plan stands where it stands"),
        Binding("t", "tab('terms')", "Terms", id="plans.terms", tooltip="Every figure with its range and origin"),
        Binding("m", "tab('memory')", "Memory", id="plans.memory", tooltip="Memory per GPU, part by part"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None
        self._shown: object = None

    def compose(self) -> ComposeResult:
        yield DataTable(id="plans-table", cursor_type="row")
        with TabbedContent(id="plan-tabs"):
            with TabPane("Memory", id="memory"):
                yield Static(id="plan-memory")
            with TabPane("Why", id="why"):
                yield Static(id="plan-why")
            with TabPane("Terms", id="terms"):
                yield Static(id="plan-terms")
            with TabPane("Rejected", id="rejected"):
                yield DataTable(id="rejected-table", cursor_type="row")

    def on_mount(self) -> None:
        super().on_mount()
        plans = self.query_one("#plans-table", DataTable)
        plans.add_columns("#", "Model", "Weights", "Engine", "Layout", "First", "Token", "All users", "Room", "")
        self.query_one("#rejected-table", DataTable).add_columns("Count", "Why not", "Way out")

    def action_tab(self, name: str) -> None:
        self.query_one(TabbedContent).active = name
        if name == "rejected":
            self.query_one("#rejected-table").focus()

    def show(self, session: Session) -> None:
        changed = self._session is None or self._shown is not session.plan
        self._session, self._shown = session, session.plan
        if changed:
            self._fill_tables(session)
        self._show_details(session)

    def _fill_tables(self, session: Session) -> None:
        plans, rejected = self.query_one("#plans-table", DataTable), self.query_one("#rejected-table", DataTable)
        plans.clear()
        rejected.clear()
        if session.plan is None:
            return
        self.border_subtitle = f"{session.plan.considered:,} considered"
        for plan in session.plan.candidates:
            plans.add_row(*(Text(cell) for cell in plan_cells(plan)))
        for item in session.plan.rejected:
            rejected.add_row(Text(f"{item.count:,}"), Text(f"{item.message} ({item.example})"), Text(item.fix))

    def _show_details(self, session: Session) -> None:
        plan = session.best
        empty = Content(text.no_plan_text(session.plan) if session.plan else "Looking for a plan …")
        width = max(20, self.content_size.width - 16)
        self.query_one("#plan-memory", Static).update(memory_content(plan, width) if plan else empty)
        self.query_one("#plan-why", Static).update(Content(why_text(plan)) if plan else empty)
        self.query_one("#plan-terms", Static).update(Content(terms_text(plan)) if plan else empty)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table.id == "plans-table":
            if event.data_table.has_focus:
                self.post_message(PlanChosen(event.cursor_row))
            about = "First and Token are means at the stated load; Room is how many of the longest requests fit."
        else:
            about = "Enter applies the change that would make this group possible, where there is one."
        if event.data_table.has_focus:
            self.post_message(Explained(about))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if event.data_table.id == "plans-table" or self._session is None or self._session.plan is None:
            return
        item = self._session.plan.rejected[event.cursor_row]
        changed = draft_with_change(self._session, item.change)
        if changed is None:
            self.post_message(Explained(item.fix or "No single change makes this possible."))
        else:
            self.post_message(changed)


def draft_with_change(session: Session, change: dict[str, object]) -> DraftChanged | None:
    """The draft with the fix of a rejection applied, where the walk has an input for it."""
    from dataclasses import replace

    length = change.get("serving.max_model_len")
    if isinstance(length, int):
        return DraftChanged(replace(session.draft, max_model_len=length))
    engine = change.get("engine.name")
    if isinstance(engine, str):
        return DraftChanged(replace(session.draft, engine=engine))
    return None


def plan_cells(plan: PlannedDeployment) -> tuple[str, ...]:
    """One row of the ranking."""
    speed = plan.estimate.performance
    memory = plan.estimate.memory
    return (
        f"{plan.rank}{'*' if plan.pareto else ''}",
        text.model_of(plan),
        text.weights_of(plan),
        text.engine_of(plan),
        text.layout_of(plan),
        text.seconds(speed.ttft_s) if speed else text.UNKNOWN,
        text.seconds(speed.tpot_s) if speed else text.UNKNOWN,
        text.rate(speed.output_tok_s) if speed else text.UNKNOWN,
        f"{memory.max_concurrency.value:,.0f}" if memory else text.UNKNOWN,
        text.VERDICTS[plan.estimate.verdict],
    )


def memory_content(plan: PlannedDeployment, width: int) -> Content:
    """Memory of the fullest GPU: the bar, then each part with its range and origin."""
    memory = plan.estimate.memory
    if memory is None:
        return Content("memory unknown")
    gpu = memory.per_gpu
    lines = [Content.assemble(bar_content(gpu, width), f"  of {human_bytes(gpu.capacity.value)}"), Content("")]
    for letter, part in LETTERS:
        figure: Estimate = getattr(gpu, part)
        lines.append(Content(f"{letter}  {part.replace('_', ' '):<12} {ranged(figure, human_bytes)}"))
    lines.append(Content(f"   {'total':<12} {ranged(gpu.total, human_bytes)}"))
    lines.append(Content(f"   {'needed':<12} {ranged(gpu.kv_needed, human_bytes)} of KV cache for this workload"))
    for device in memory.devices:
        sizes = f"weights {human_bytes(device.weights.value)}, KV {human_bytes(device.kv_cache.value)}"
        lines.append(Content(f"   {device.device:<12} {sizes}, compute {human_bytes(device.compute.value)}"))
    return Content("\n").join(lines)


def ranged(figure: Estimate, show: object) -> str:
    """``79.5 GiB  (78.3 – 80.7)  formula``."""
    as_text = human_bytes if show is human_bytes else human_count if show is human_count else human_seconds
    spread = f"  ({as_text(figure.low)} – {as_text(figure.high)})" if figure.low != figure.high else ""
    return f"{as_text(figure.value)}{spread}  {figure.origin}"


def why_text(plan: PlannedDeployment) -> str:
    """Reasons, findings and what was assumed."""
    lines = [f"• {reason}" for reason in plan.reasons] or ["• the only plan that fits"]
    lines += [f"! {f.message}" + (f" → {f.fix}" if f.fix else "") for f in plan.estimate.problems]
    if plan.estimate.assumed:
        lines += ["", "Assumed (engine defaults):"]
        lines += [f"  {key} = {value}" for key, value in sorted(plan.estimate.assumed.items())]
    return "\n".join(lines)


def term_value(value: float) -> str:
    """A term in base units, short."""
    return human_count(value) if abs(value) >= 1000 else f"{value:.4g}"


def terms_text(plan: PlannedDeployment) -> str:
    """Every figure of speed with its terms."""
    speed = plan.estimate.performance
    if speed is None:
        return "speed unknown"
    rows = (
        ("First token (TTFT)", speed.ttft_s, human_seconds),
        ("Per token (TPOT)", speed.tpot_s, human_seconds),
        ("One user", speed.decode_tok_s, human_count),
        ("Prompt speed", speed.prefill_tok_s, human_count),
        ("All users", speed.output_tok_s, human_count),
        ("Requests/s", speed.request_s, human_count),
    )
    lines: list[str] = []
    for name, figure, show in rows:
        if figure is None:
            continue
        lines.append(f"{name:<20} {ranged(figure, show)}")
        lines += [
            f"    {term} = {human_count(value) if abs(value) >= 1000 else f'{value:.4g}'}"
            for term, value in figure.terms.items()
        ]
    lines += [f"{phase} is bound by {what}" for phase, what in speed.bound.items()]
    return "\n".join(lines)
