"""Step 4: the ranked proposals, what they are made of, and what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from planner.documents.result import PlannedDeployment
from tui import plan_rows as rows
from tui import text
from tui.bars import bars_of
from tui.explain import Explanation
from tui.figures import FIGURES
from tui.fixes import changes_of, in_words
from tui.messages import Changed, Explained, LoadCurveWanted, PlanChosen, PlanMarked, StepWanted
from tui.panes.base import Pane
from tui.plots import curve_of, field_of, holds_words
from tui.session import Session
from tui.widgets.answer_lines import waiting_lines
from tui.widgets.columns import Column, Row
from tui.widgets.listing import Listing
from tui.widgets.memory_bars import MemoryBars
from tui.widgets.words import Words

ELSEWHERE = {
    "less-capable-model": ("model", "Take a model here: then only that one is planned."),
    "model-too-large": ("model", "✗ marks what does not fit; e names more hardware."),
    "images-need-vision": ("model", "U shows vision models only; or empty Images a request in step 3."),
    "tp-across-nodes-needs-fabric": ("hardware", "Fabric names the network between the machines."),
    "device-unknown": ("hardware", "e names hardware that is known; the nearest stand below."),
    "device-unusable": ("hardware", "r looks again once the device is back."),
}
"""Rules whose way out is a step: where it is, and what to do there."""
NO_INPUT = "Steps 1 to 3 hold the inputs; layouts, engines and formats the search has tried by itself."

TALL = 26
"""Lines of the step from which curve and table stand above each other."""
PARETO_ABOUT = "Each number is a proposal by its rank; * marks those that no other beats in every respect."
LABELS: dict[str, str] = {}
"""Of tabs whose label is not their name."""


class PlansPane(Pane):
    """Tabs: the ranking, then memory, reasons, figures and load of the plan looked at, comparison, the rejected."""

    TITLE = "Plans"
    FIRST = "#ranking"
    HELP_TEXT = (
        "Rank 1 is what the planner would start; * marks plans that no other beats in every respect (Pareto).\n\n"
        "↑ ↓  look at another plan · ← →  its figures · ?  the figure under the cursor · Enter  export it\n"
        "m memory · i why · t all figures · l load, again: curve or table · o Pareto · x mark, c compare\n"
        "s simulated: percentiles of the trace or the load, step by step\n"
        "R rejected, Enter there applies the way out\n"
        "Escape  back to the ranking · p  pin: ▲ ▼ compare with it from then on"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "tab('memory')", "Memory", show=False, id="plans.memory", tooltip="Memory, part by part"),
        Binding("i", "tab('why')", "Why", id="plans.why", tooltip="Why this plan stands where it stands"),
        Binding("t", "tab('figures')", "Figures", show=False, id="plans.figures", tooltip="Every figure, its range"),
        Binding("l", "tab('load')", "Load", show=False, id="plans.load", tooltip="Speed from one user to hundreds"),
        Binding("o", "tab('pareto')", "Pareto", show=False, id="plans.pareto", tooltip="All proposals in one picture"),
        Binding("x", "mark", "Mark", id="plans.mark", tooltip="Mark this plan, up to four, to compare"),
        Binding(
            "s", "app.simulated", "Simulated", show=False, id="plans.simulated", tooltip="Percentiles, step by step"
        ),
        Binding("c", "tab('compare')", "Compare", show=False, id="plans.compare", tooltip="Marked plans side by side"),
        Binding("R,shift+r", "tab('rejected')", "Rejected", id="plans.rejected", tooltip="What was ruled out, and why"),
        Binding("escape", "tab('ranked')", "Ranking", show=False, id="plans.ranked", tooltip="Back to the ranking"),
    ]

    TABS: ClassVar[tuple[str, ...]] = (
        "ranked", "memory", "why", "figures", "load", "pareto", "compare", "rejected",
    )  # fmt: skip
    TABLE: ClassVar[str] = "plans"
    """Of the ranking, in the file of explanations."""
    STACKED: ClassVar[Sequence[Column]] = rows.STACKED
    WIDE: ClassVar[Sequence[Column]] = rows.WIDE

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None
        self._plotted = True
        """Where there is room for one only: the curve over load, not its table."""

    def compose(self) -> ComposeResult:
        with TabbedContent(id="plan-tabs"):
            for name in self.TABS:
                with TabPane(LABELS.get(name, name.capitalize()), id=name):
                    yield from self._tab(name)

    def _tab(self, name: str) -> Iterator[Widget]:
        """What one tab holds."""
        if name == "ranked":
            yield Words(id="plan-waiting")
            yield Listing(self.TABLE, self.STACKED, id="ranking", lines=2)
        elif name == "memory":
            yield MemoryBars(id="plan-bars")
            yield Listing("memory", rows.MEMORY_COLUMNS, id="memory-parts")
        elif name == "why":
            yield VerticalScroll(Words(id="plan-why"), id="plan-why-scroll")
        elif name == "figures":
            yield Listing("figures", rows.FIGURE_COLUMNS, id="all-figures")
        elif name == "load":
            yield Words("working out the speed at other loads …", id="load-said")
            yield Vertical(id="load-plot")
            yield Listing("load", rows.LOAD_COLUMNS, id="load-curve")
        elif name == "pareto":
            yield Words(PARETO_ABOUT, id="pareto-said")
            yield Vertical(id="pareto-plot")
        elif name == "compare":
            yield Words(id="compare-hint")
            yield Listing("compare", (), id="comparison")
        elif name == "rejected":
            yield Listing("rejected", rows.REJECTED_COLUMNS, id="rejections", lines=None)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#ranking", Listing).explainer = self._of_plan
        for name in ("#memory-parts", "#all-figures", "#comparison"):
            self.query_one(name, Listing).explainer = self._of_figure

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "tab" and parameters == ("ranked",):
            return bool(self._tabs.active) and self._tabs.active != "ranked"
        if action == "tab":
            return parameters[0] in self.TABS
        return True

    @property
    def _tabs(self) -> TabbedContent:
        return self.query_one(TabbedContent)

    # drawing

    def on_resize(self) -> None:
        if self._session is not None:
            self.show(self._session)

    def show(self, session: Session) -> None:
        self._session = session
        considered = f"{session.plan.considered:,} considered" if session.plan else ""
        self.border_subtitle = considered
        self._show_ranking(session)
        self._show_tab()

    def _show_ranking(self, session: Session) -> None:
        listing = self.query_one("#ranking", Listing)
        stacked = self.size.width < rows.SIDE_BY_SIDE
        listing.set_columns(self.STACKED if stacked else self.WIDE, lines=2 if stacked else 1)
        listing.fill(self.ranking(session, stacked=stacked))
        listing.go_to(str(session.selected))
        listing.display = bool(listing.listed)
        self.query_one("#plan-waiting", Words).say("" if listing.listed else "\n".join(waiting_lines(session)))

    def ranking(self, session: Session, *, stacked: bool) -> Iterator[Row]:
        """The proposals as rows."""
        return rows.ranking_rows(session, stacked=stacked)

    def memory_rows(self, plan: PlannedDeployment) -> Iterator[Row]:
        """The memory of the fullest GPU, part by part."""
        return rows.memory_rows(plan)

    def _show_tab(self) -> None:
        """Only the tab on the screen is drawn."""
        session, plan = self._session, self._session.best if self._session else None
        if session is None:
            return
        draw = {"memory": self._show_memory, "why": self._show_why, "figures": self._show_figures,
                "load": self._show_load, "pareto": self._show_pareto, "compare": self._show_compare,
                "rejected": self._show_rejected}  # fmt: skip
        active = self._tabs.active
        if active in draw and (plan is not None or active == "rejected"):
            draw[active]()

    def _show_memory(self) -> None:
        session, plan = self._session, self._session.best if self._session else None
        if session is None or plan is None:
            return
        self.query_one(MemoryBars).show(bars_of(plan, session.draft.inventory))
        self.query_one("#memory-parts", Listing).fill(self.memory_rows(plan))

    def _show_why(self) -> None:
        if self._session and self._session.best:
            self.query_one("#plan-why", Words).say("\n".join(rows.why_lines(self._session.best)))

    def _show_figures(self) -> None:
        if self._session and self._session.best:
            self.query_one("#all-figures", Listing).fill(rows.figure_rows(self._session.best))

    def _show_load(self) -> None:
        if self._session is None:
            return
        if self._session.load_curve is None:
            self.ask(LoadCurveWanted)
        listing = self.query_one("#load-curve", Listing)
        listing.fill(rows.load_rows(self._session, max(8, listing.size.width - 45)))
        self._draw_curve(self._session)

    def _draw_curve(self, session: Session) -> None:
        """The curve above the table, where there is room for both; l turns to one of them elsewhere."""
        curve, place = curve_of(session), self.query_one("#load-plot")
        tall = self.size.height >= TALL
        place.display = curve is not None and (tall or self._plotted)
        table = self.query_one("#load-curve")
        lost = table.has_focus and not tall and place.display
        table.display = tall or not place.display
        if curve is None:
            return
        turn = "" if tall else " l: the table." if self._plotted else " l: the curve."
        self.query_one("#load-said", Words).say(holds_words(curve) + turn)
        if place.display:
            from tui.widgets.plot import CurvePlot

            plot = next(iter(place.query(CurvePlot)), None)
            if plot is None:
                place.mount(plot := CurvePlot())
            plot.show(curve)
            if lost:
                plot.focus()
        elif not table.has_focus and self.has_focus_within:
            table.focus()

    def _show_pareto(self) -> None:
        """Proposals as points."""
        field = field_of(self._session) if self._session else None
        place = self.query_one("#pareto-plot")
        place.display = field is not None
        self.query_one("#pareto-said", Words).say(PARETO_ABOUT if field else "Fewer than two proposals to draw.")
        if field is not None:
            from tui.widgets.plot import FieldPlot

            plot = next(iter(place.query(FieldPlot)), None)
            if plot is None:
                place.mount(plot := FieldPlot())
            plot.show(field)

    def _show_compare(self) -> None:
        session = self._session
        if session is None or session.plan is None:
            return
        indices = session.marked or tuple(range(min(2, len(session.plan.candidates))))
        plans = [session.plan.candidates[i] for i in sorted(indices)]
        hint = "" if session.marked else "The first two; x marks others in the ranking, up to four."
        self.query_one("#compare-hint", Words).say(hint)
        listing = self.query_one("#comparison", Listing)
        listing.set_columns(rows.compare_columns(plans, max(40, listing.size.width)))
        listing.fill(rows.compare_rows(plans))

    def _show_rejected(self) -> None:
        if self._session is not None:
            self.query_one("#rejections", Listing).fill(rows.rejected_rows(self._session))

    # keys

    def action_tab(self, name: str) -> None:
        if name == self._tabs.active == "load":
            self._plotted = not self._plotted
            self._show_tab()
        self._tabs.active = name

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._show_tab()
        if self.has_focus_within and not self.query_one("Tabs").has_focus:
            first = next((w for w in event.pane.query("*") if w.focusable), None)
            if first is not None:
                first.focus()
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id == "plan-why-scroll":
            self.post_message(
                Explained("Why it stands here, the most important first; then what was assumed. ↑ ↓ scroll.")
            )
        elif event.widget.id is None:
            self.post_message(Explained("← → another tab, ↓ or Tab into it; m i t l o c R Escape go straight there."))

    def action_mark(self) -> None:
        if self._session is not None:
            self.post_message(PlanMarked(self._session.selected))

    def on_listing_looked(self, event: Listing.Looked) -> None:
        event.stop()
        if event.listing.id == "ranking" and event.row:
            self.post_message(PlanChosen(int(event.row)))

    def on_listing_taken(self, event: Listing.Taken) -> None:
        event.stop()
        if event.listing.id == "ranking":
            self.post_message(StepWanted("export"))
        elif event.listing.id == "rejections":
            self._apply(int(event.row))
        else:
            event.listing.action_explain()

    def _apply(self, index: int) -> None:
        """Change the input that a rejection asks for, or say where it can be changed."""
        session = self._session
        if session is None or session.plan is None:
            return
        item = session.plan.rejected[index]
        changes = changes_of(item, session.draft)
        if changes:
            self.post_message(Changed(changes))
            self.notify(f"Changed: {in_words(changes)}. u takes it back.", timeout=6)
        elif item.rule in ELSEWHERE:
            step, words = ELSEWHERE[item.rule]
            self.post_message(StepWanted(step))
            self.notify(words, timeout=6)
        else:
            self.post_message(Explained(NO_INPUT, item.fix or "No single change makes this possible."))

    # explanations

    def _of_plan(self, row: str, column: str) -> Explanation | None:
        session, figure = self._session, FIGURES.get(column)
        if session is None or session.plan is None or figure is None or not row:
            return None
        plan = session.plan.candidates[int(row)]
        return figure.explained(plan, f"plan {plan.rank}, {text.layout_of(plan)}")

    def _of_figure(self, row: str, column: str) -> Explanation | None:
        session, figure = self._session, FIGURES.get(row)
        if session is None or session.plan is None or session.best is None or figure is None:
            return None
        compared = next((p for p in session.plan.candidates if f"plan{p.rank}" == column), session.best)
        return figure.explained(compared, f"plan {compared.rank}, {text.layout_of(compared)}")
