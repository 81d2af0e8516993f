"""The one screen of the walk: steps in a line, the step in the middle, the answer always beside or below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from tui.messages import Explained, ExplainWanted, StepShown, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.text import elided
from tui.widgets.answer import AnswerPanel, FoldedAnswer
from tui.widgets.key_line import KeyLine
from tui.widgets.site_line import SiteLine
from tui.widgets.step_bar import STEPS, StepBar
from tui.widgets.words import Words

ORDER = tuple(step[0] for step in STEPS)


def _pane_class(step: str) -> type[Pane]:
    """Panes are imported when they are first wanted, the first right after the first paint."""
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
    from tui.panes.hardware import HardwarePane

    return HardwarePane


class WalkScreen(Screen[None]):
    """Header, steps, pane, answer, explanation, footer."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"go('{step}')", name, show=False, id=f"walk.{step}", tooltip=f"Go to {name}")
            for n, (step, name, _) in enumerate(STEPS, 1)
        ),
        Binding("n", "move(1)", "Next", id="walk.next", tooltip="Go to the next step"),
        Binding("q,b", "move(-1)", "Back", id="walk.back", tooltip="Go back one step"),
        Binding(
            "ctrl+right", "move(1)", "Next step", show=False, id="walk.next-arrow", priority=True, tooltip="Next step"
        ),
        Binding(
            "ctrl+left", "move(-1)", "Step back", show=False, id="walk.back-arrow", priority=True, tooltip="Step back"
        ),
        Binding("question_mark", "explain", "Explain", id="walk.explain", tooltip="What is under the cursor, in full"),
        Binding("a", "answer", "Answer", show=False, id="walk.answer", tooltip="The answer so far, in full"),
        Binding("escape", "app.stop", "Stop", show=False, id="walk.stop", tooltip="Stop what is being worked out"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        yield SiteLine(id="site")
        with Horizontal(id="progress"):
            yield StepBar(id="steps")
            yield Words(id="activity", fixed=True)
        with Horizontal(id="body"):
            yield ContentSwitcher(id="panes")
            with VerticalScroll(id="beside", can_focus=False):
                yield AnswerPanel(id="answer")
        yield FoldedAnswer(id="folded")
        yield Words(id="explain", fixed=True)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        self.call_after_refresh(self.call_after_refresh, self.action_go, ORDER[0])

    @property
    def step(self) -> str:
        return self.query_one(ContentSwitcher).current or ORDER[0]

    def pane(self, step: str) -> Pane | None:
        """The pane of a step, when it was opened already."""
        found = self.query(f"#{step}").results(Pane)
        return next(iter(found), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Beyond the first and the last step there is nothing."""
        if action == "move":
            return self.step != (ORDER[-1] if parameters[0] == 1 else ORDER[0])
        return True

    async def action_go(self, step: str) -> None:
        """Show a step, opening it the first time."""
        switcher = self.query_one(ContentSwitcher)
        kind = _pane_class(step)
        if self.pane(step) is None:
            await switcher.add_content(kind(id=step), set_current=False)
        switcher.current = step
        self.query_one(StepBar).step = step
        pane = self.pane(step)
        if pane is not None:
            pane.show(self.session)
            self.call_after_refresh(self._focus_first, kind)
        self.refresh_bindings()
        self.post_message(StepShown(step))

    def _focus_first(self, kind: type[Pane]) -> None:
        """The first thing of the step that can have the focus, unless something of it has it already."""
        pane = next(iter(self.query(kind)), None)
        if pane is None or not pane.display or pane.has_focus_within:
            return
        wanted = [w for w in pane.query(kind.FIRST) if w.focusable] if kind.FIRST else []
        first = next(iter(wanted), None) or next((w for w in pane.query("*") if w.focusable), None)
        if first is not None:
            first.focus()

    async def action_move(self, direction: int) -> None:
        index = ORDER.index(self.step) + direction
        if 0 <= index < len(ORDER):
            await self.action_go(ORDER[index])

    def action_answer(self) -> None:
        """The panel beside the step gets the focus; where it is folded, it opens in full."""
        panel = self.query_one(AnswerPanel)
        if self.query_one("#beside").display:
            panel.focus()
        else:
            from tui.modals.reader import AnswerModal

            self.app.push_screen(AnswerModal(self.session))

    def action_explain(self) -> None:
        """What has the focus, in full; what explains itself has a key of its own for it."""
        explain = getattr(self.focused, "explain", None)
        if callable(explain):
            self.post_message(ExplainWanted(explain()))
        else:
            self.app.action_help()  # type: ignore[attr-defined]

    def on_explain_wanted(self, event: ExplainWanted) -> None:
        from tui.modals.reader import ExplainModal

        self.app.push_screen(ExplainModal(event.explanation))

    async def on_step_wanted(self, event: StepWanted) -> None:
        if event.move:
            await self.action_move(event.move)
        else:
            await self.action_go(event.step)

    def on_explained(self, event: Explained) -> None:
        place = self.query_one("#explain", Words)
        subject = elided(event.subject, max(20, place.size.width))
        place.say("\n".join(part for part in (subject, event.text) if part))

    def redraw(self) -> None:
        """Draw the session everywhere it shows."""
        self._draw_activity()
        self.query_one(SiteLine).show(self.session)
        self.query_one(StepBar).done = done_steps(self.session)
        self.query_one(AnswerPanel).show(self.session)
        self.query_one(FoldedAnswer).show(self.session)
        pane = self.pane(self.step)
        if pane is not None:
            pane.show(self.session)

    def show_fits(self, ids: frozenset[str]) -> None:
        """How some models do became known."""
        from tui.panes.model import ModelPane

        pane = self.pane("model")
        if isinstance(pane, ModelPane) and pane.display:
            pane.show_fits(self.session, ids)

    def show_activity(self) -> None:
        """What is being worked out changed; the answer says it too while there is none."""
        if self.session.best is None:
            self.redraw()
        else:
            self._draw_activity()

    def _draw_activity(self) -> None:
        place = self.query_one("#activity", Words)
        place.say(elided(self.session.activity, max(8, place.size.width)))

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)


def done_steps(session: Session) -> frozenset[str]:
    """Steps that have what they need."""
    done = set()
    if session.draft.inventory is not None:
        done |= {"hardware", "model", "workload"}
    if session.best is not None and session.current:
        done.add("plans")
    return frozenset(done)
