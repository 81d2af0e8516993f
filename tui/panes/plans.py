"""Step 4: the ranked proposals, what they are made of, and what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import TabbedContent, TabPane

from planner.documents.result import PlannedDeployment
from tui import plan_rows as rows
from tui import text
from tui.explain import Explanation
from tui.figure_rows import memory_rows
from tui.figures import FIGURES
from tui.messages import Explained, PlanChosen, PlanMarked, StepWanted
from tui.panes.base import Pane, can_have_focus
from tui.session import Session
from tui.tabs.compare import CompareTab
from tui.tabs.facts import FiguresTab, MemoryTab, WhyTab
from tui.tabs.glance import Glance
from tui.tabs.load import LoadTab
from tui.tabs.pareto import ParetoTab
from tui.tabs.rejected import RejectedTab
from tui.tabs.tab import PlanTab
from tui.widgets.answer_lines import waiting_lines
from tui.widgets.columns import Column, Row
from tui.widgets.listing import Listing
from tui.widgets.words import Words

TAB_CLASSES: Mapping[str, type[PlanTab]] = {
    "why": WhyTab,
    "figures": FiguresTab,
    "load": LoadTab,
    "pareto": ParetoTab,
    "compare": CompareTab,
    "rejected": RejectedTab,
}
"""Beside the ranking, which is always drawn, and the memory, whose parts depend on the purpose."""


WITHOUT_PLAN = frozenset({"ranked", "rejected"})
"""Tabs that have something to say where nothing fits."""
TABS_ABOUT = "← → another tab, ↓ or Tab into it; m i t l o c R Escape go straight there."
TABS_WITHOUT_PLAN = "← → another tab, ↓ or Tab into it; R goes to what was ruled out, and why."


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
        self._within = False
        """A key turned to another tab: what had the focus may be hidden before the new tab takes it."""

    def compose(self) -> ComposeResult:
        with TabbedContent(id="plan-tabs"):
            with TabPane("Ranked", id="ranked"):
                yield Words(id="plan-waiting")
                yield Listing(self.TABLE, self.STACKED, id="ranking", lines=2)
                yield Glance(id="ranking-glance")
            for name in self.TABS:
                if name != "ranked":
                    yield self._tab(name)

    def _tab(self, name: str) -> PlanTab:
        return MemoryTab(name, self.memory_rows) if name == "memory" else TAB_CLASSES[name](name)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#ranking", Listing).explainer = self._of_plan

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "tab" and parameters == ("ranked",):
            return bool(self._tabs.active) and self._tabs.active != "ranked"
        if action == "tab" and parameters[0] not in self.TABS:
            return False
        if action == "mark" or (action == "tab" and parameters[0] != "rejected"):
            return True if self._session is not None and self._session.best is not None else None
        return True

    @property
    def _tabs(self) -> TabbedContent:
        return self.query_one(TabbedContent)

    # drawing

    def on_resize(self) -> None:
        """What has another height now is laid out anew only once this layout is done."""
        if self._session is not None:
            self.call_after_refresh(self.show, self._session)

    def show(self, session: Session) -> None:
        self._session = session
        self.refresh_bindings()
        self.border_subtitle = Content(f"{session.plan.considered:,} considered" if session.plan else "")
        self._show_ranking(session)
        self._open_tabs()
        self._show_tab()

    def _open_tabs(self) -> None:
        """Without a plan there is nothing in most tabs: what was in them is of another plan."""
        none = self._session is None or self._session.best is None
        if none and self._tabs.active not in WITHOUT_PLAN:
            self.action_tab("ranked")
        for name in self.TABS:
            self._tabs.get_tab(name).disabled = none and name not in WITHOUT_PLAN

    def _show_ranking(self, session: Session) -> None:
        listing = self.query_one("#ranking", Listing)
        stacked = self.size.width < rows.SIDE_BY_SIDE
        listing.set_columns(self.STACKED if stacked else self.WIDE, lines=2 if stacked else 1)
        listing.fill(self.ranking(session, stacked=stacked))
        listing.go_to(str(session.selected))
        if listing.has_focus and not listing.listed:
            self.query_one("Tabs").focus()  # the keys of the step are those of what has the focus in it
        listing.display = bool(listing.listed)
        self.query_one(Glance).show(session, listing.virtual_size.height)
        self.query_one("#plan-waiting", Words).say("" if listing.listed else "\n".join(waiting_lines(session, "R")))

    def ranking(self, session: Session, *, stacked: bool) -> Iterator[Row]:
        """The proposals as rows."""
        return rows.ranking_rows(session, stacked=stacked)

    def memory_rows(self, plan: PlannedDeployment) -> Iterator[Row]:
        """The memory of the fullest GPU, part by part."""
        return memory_rows(plan)

    def _show_tab(self) -> None:
        """Only the tab on the screen is drawn."""
        tab = self._tabs.active_pane
        if self._session is not None and isinstance(tab, PlanTab):
            tab.show(self._session)

    # keys

    def action_tab(self, name: str) -> None:
        if name == self._tabs.active == "load":
            self.query_one(LoadTab).turn()
        self._within = self.has_focus_within
        self._tabs.active = name

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._show_tab()
        within, self._within = self.has_focus_within or self._within, False
        if within and not self.query_one("Tabs").has_focus:
            first = next((w for w in event.pane.query("*") if can_have_focus(w)), None)
            (first or self.query_one("Tabs")).focus()
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id is None:
            self.post_message(Explained(TABS_ABOUT if self._session and self._session.best else TABS_WITHOUT_PLAN))

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
        else:
            event.listing.action_explain()

    # explanations

    def _of_plan(self, row: str, column: str) -> Explanation | None:
        session, figure = self._session, FIGURES.get(column)
        if session is None or session.plan is None or figure is None or not row:
            return None
        plan = session.plan.candidates[int(row)]
        return figure.explained(plan, f"plan {plan.rank}, {text.layout_of(plan)}")
