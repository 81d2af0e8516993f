"""The one screen of the walk: steps in a line, the step in the middle, the answer always beside or below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import ContentSwitcher, Footer, Static

from tui.messages import Explained, StepWanted
from tui.panes.base import Pane
from tui.panes.hardware import HardwarePane
from tui.session import Session
from tui.widgets.answer import AnswerPanel, FoldedAnswer
from tui.widgets.step_bar import STEPS, StepBar

ORDER = tuple(step[0] for step in STEPS)


def _pane_class(step: str) -> type[Pane]:
    """Panes are imported when they are first wanted: the first paint needs only the first."""
    if step == "model":
        from tui.panes.model import ModelPane

        return ModelPane
    if step == "workload":
        from tui.panes.workload import WorkloadPane

        return WorkloadPane
    if step == "plans":
        from tui.panes.plans import PlansPane

        return PlansPane
    if step == "export":
        from tui.panes.export import ExportPane

        return ExportPane
    return HardwarePane


class WalkScreen(Screen[None]):
    """Header, steps, pane, answer, explanation, footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"go('{step}')", name, show=False, id=f"walk.{step}", tooltip=f"Go to {name}")
            for n, (step, name, _) in enumerate(STEPS, 1)
        ),
        Binding("ctrl+right", "move(1)", "Next step", id="walk.next", show=False, priority=True),
        Binding("ctrl+left", "move(-1)", "Step back", id="walk.back", show=False, priority=True),
        Binding("n", "move(1)", "Next", id="walk.next-letter", tooltip="Go to the next step"),
        Binding("b", "move(-1)", "Back", id="walk.back-letter", tooltip="Go back one step"),
        Binding("a", "answer", "Answer", show=False, id="walk.answer", tooltip="The whole answer"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.progress = ""

    def compose(self) -> ComposeResult:
        yield Static(id="site")
        yield StepBar(id="steps")
        with Horizontal(id="body"):
            with ContentSwitcher(id="panes", initial="hardware"):
                yield HardwarePane(id="hardware")
            with Vertical(id="beside"):
                yield AnswerPanel(id="answer")
        yield FoldedAnswer(id="folded")
        yield Static(id="explain")
        yield Footer(show_command_palette=True)

    @property
    def step(self) -> str:
        return self.query_one(ContentSwitcher).current or ORDER[0]

    def pane(self, step: str) -> Pane | None:
        """The pane of a step, when it was opened already."""
        found = self.query(f"#{step}").results(Pane)
        return next(iter(found), None)

    async def action_go(self, step: str) -> None:
        """Show a step, opening it the first time."""
        switcher = self.query_one(ContentSwitcher)
        if self.pane(step) is None:
            await switcher.add_content(_pane_class(step)(id=step), set_current=False)
        switcher.current = step
        self.query_one(StepBar).step = step
        pane = self.pane(step)
        if pane is not None:
            self.post_message(PaneOpened(pane))
            pane.show(self.session)
            self._focus_first(pane)

    def _focus_first(self, pane: Pane) -> None:
        focusable = [w for w in pane.query("*") if w.focusable and w.display]
        if focusable:
            focusable[-1 if pane.id == "model" else 0].focus()

    async def action_move(self, direction: int) -> None:
        index = ORDER.index(self.step) + direction
        if 0 <= index < len(ORDER):
            await self.action_go(ORDER[index])

    def action_answer(self) -> None:
        from tui.modals import AnswerModal

        self.app.push_screen(AnswerModal(self.session))

    async def on_step_wanted(self, event: StepWanted) -> None:
        await self.action_go(event.step)

    def on_explained(self, event: Explained) -> None:
        self.query_one("#explain", Static).update(Content(event.text))

    def refresh_all(self, progress: str | None = None) -> None:
        """Draw the session everywhere it shows."""
        if progress is not None:
            self.progress = progress
        self._show_site()
        steps = self.query_one(StepBar)
        steps.done = done_steps(self.session)
        self.query_one(AnswerPanel).show(self.session, self.progress)
        self.query_one(FoldedAnswer).show(self.session, self.progress)
        pane = self.pane(self.step)
        if pane is not None:
            pane.show(self.session)

    def show_progress(self, progress: str) -> None:
        """Only the progress changed."""
        self.progress = progress
        self.query_one(AnswerPanel).border_subtitle = progress

    def _show_site(self) -> None:
        from tui.panes.hardware import summary

        inventory = self.session.draft.inventory
        right = f"  {summary(inventory)}" if inventory else ""
        line = Content.assemble((" deploy-planner ", "bold"), f" {self.session.draft.site}{right}")
        self.query_one("#site", Static).update(line)

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_all)


def done_steps(session: Session) -> frozenset[str]:
    """Steps that have what they need."""
    done = set()
    if session.draft.inventory is not None:
        done |= {"hardware", "model", "workload"}
    if session.best is not None and session.current:
        done.add("plans")
    return frozenset(done)


class PaneOpened(Explained):
    """A pane was shown; the app hands it what it needs."""

    def __init__(self, pane: Pane) -> None:
        super().__init__("")
        self.pane = pane
