"""The one screen of the walk: steps in a line, the step in the middle, the answer always beside or below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from tui.messages import Changed, Explained, ExplainWanted, PurposeWanted, StepShown, StepWanted
from tui.panes.base import Pane, can_have_focus
from tui.panes.opened import pane_id
from tui.panes.stock import Stock
from tui.purposes import PURPOSES, SERVE, STEPS, Purpose, after
from tui.session import Session
from tui.text import elided
from tui.widgets.answer import AnswerPanel, FoldedAnswer
from tui.widgets.key_line import KeyLine
from tui.widgets.purpose_bar import PurposeBar
from tui.widgets.site_line import SiteLine
from tui.widgets.step_bar import StepBar
from tui.widgets.words import Words

STOPS = " · Esc"
"""Behind what is being worked out: what stops it, where there is room to say so."""


SLIM = 72
"""Cells below which the steps take the whole line."""


class WalkScreen(Screen[None]):
    """Header, steps, pane, answer, explanation, footer."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(n), f"go('{step.key}')", step.label, show=False, id=f"walk.{step.key}", tooltip=f"Go to step {n}"
            )
            for n, step in enumerate(SERVE.steps, 1)
        ),
        Binding("n", "move(1)", "Next", id="walk.next", tooltip="Go to the next step"),
        Binding("q,b", "move(-1)", "Back", id="walk.back", tooltip="Go back one step"),
        Binding(
            "ctrl+right", "move(1)", "Next step", show=False, id="walk.next-arrow", priority=True, tooltip="Next step"
        ),
        Binding(
            "ctrl+left", "move(-1)", "Step back", show=False, id="walk.back-arrow", priority=True, tooltip="Step back"
        ),
        Binding("w", "app.what_if", "What if", id="walk.what-if", tooltip="One change at a time: what each would move"),
        Binding("g", "purpose", "Goal", show=False, id="walk.purpose", tooltip="Serve, fine-tune or buy"),
        Binding("question_mark", "explain", "Explain", id="walk.explain", tooltip="What is under the cursor, in full"),
        Binding("a", "answer", "Answer", show=False, id="walk.answer", tooltip="The answer so far, in full"),
        Binding("escape", "app.stop", "Stop", show=False, id="walk.stop", tooltip="Stop what is being worked out"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.shown_for = session.draft.purpose
        """The purpose whose pane is on the screen."""
        self._going = ""
        """The pane that was asked for last."""
        self._opening = 1
        """Steps that are on their way to the screen: the first one is."""
        self._purposes = PurposeBar(classes="purpose"), PurposeBar(classes="purpose")
        """One for narrow screens, one for the others."""
        self._stock = Stock(lambda: self.query_one(ContentSwitcher))

    def compose(self) -> ComposeResult:
        above, below = self._purposes
        with Horizontal(id="top"):
            yield SiteLine(id="site")
            yield above
        with Horizontal(id="progress"):
            yield StepBar(id="steps")
            yield Words(id="activity", fixed=True)
            yield below
        with Horizontal(id="body"):
            yield ContentSwitcher(id="panes")
            with VerticalScroll(id="beside", can_focus=False):
                yield AnswerPanel(id="answer")
        yield FoldedAnswer(id="folded")
        yield Words(id="explain", fixed=True)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        self.call_after_refresh(self.call_after_refresh, self._begin)

    async def _begin(self) -> None:
        await self.action_go(STEPS[0])
        self._opening -= 1

    @property
    def opening(self) -> bool:
        """Whether a step is on its way to the screen: what is typed now is meant for it."""
        return self._opening > 0 or self.shown_for != self.session.draft.purpose

    @property
    def purpose(self) -> Purpose:
        return PURPOSES[self.session.draft.purpose]

    @property
    def step(self) -> str:
        return self.query_one(StepBar).step

    def pane(self, step: str) -> Pane | None:
        """The pane of a step, when it is mounted already."""
        return self._stock.ready(pane_id(self.purpose.key, step))

    async def open_ahead(self) -> bool:
        """Mount a pane that nobody opened yet, out of sight, those of this walk first; False where there is none."""
        ids = (pane_id(purpose, step) for purpose in (self.purpose.key, *PURPOSES) for step in STEPS)
        missing = next((id_ for id_ in ids if not self._stock.wanted(id_)), None)
        if missing is not None:
            await self._stock.fetch(missing)
        return missing is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Beyond the first and the last step there is nothing."""
        if action == "move":
            return self.step != (STEPS[-1] if parameters[0] == 1 else STEPS[0])
        return True

    async def action_go(self, step: str) -> None:
        """Show a step, opening it the first time."""
        self.shown_for = self.purpose.key
        self._going = id_ = pane_id(self.purpose.key, step)
        self._opening += 1
        try:
            pane = await self._stock.fetch(id_)
            if self._going == id_:  # or another step was asked for while this one was being opened
                self._show_pane(step, pane)
        finally:
            self.call_after_refresh(self._opened)

    def _show_pane(self, step: str, pane: Pane) -> None:
        switcher = self.query_one(ContentSwitcher)
        if switcher.current != pane.id:
            self.query_one("#explain", Words).say("")
            if self.focused is not None:
                self.set_focus(None)  # a key on its way to a step that is left would be lost
        switcher.current = pane.id
        self.query_one(StepBar).step = step
        pane.show(self.session)
        self.call_after_refresh(self._focus_first, pane)
        self.refresh_bindings()
        self.post_message(StepShown(step))

    def _opened(self) -> None:
        self._opening -= 1

    def action_purpose(self) -> None:
        """The next kind of walk."""
        self.post_message(PurposeWanted(after(self.purpose.key)))

    async def on_purpose_wanted(self, event: PurposeWanted) -> None:
        """Another walk, at the same step; without a model where one is needed, at that step."""
        event.stop()
        self.post_message(Changed(self._turned(event.purpose)))

    def _turned(self, purpose: str) -> dict[str, object]:
        """The change of purpose. To buy, the model of the plan looked at comes along where none was named."""
        model = self.session.served_model if purpose == "buy" and self.session.draft.model is None else None
        return {"purpose": purpose, "model": model} if model else {"purpose": purpose}

    async def follow(self) -> None:
        """Show the pane of the purpose as it is now."""
        wanting = self.purpose.needs_model and self.session.draft.model is None
        await self.action_go("model" if wanting else self.step)

    def _focus_first(self, pane: Pane) -> None:
        """The first thing of the step that can have the focus, unless something of it has it already."""
        if not pane.display or pane.has_focus_within:
            return
        wanted = [*(pane.query(pane.FIRST) if pane.FIRST else ()), *pane.query("*")]
        first = next((w for w in wanted if can_have_focus(w)), None)
        if first is not None:
            first.focus()

    async def action_move(self, direction: int) -> None:
        index = STEPS.index(self.step) + direction
        if 0 <= index < len(STEPS):
            await self.action_go(STEPS[index])

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
        self._draw_steps()
        self.query_one(AnswerPanel).show(self.session)
        self.query_one(FoldedAnswer).show(self.session)
        pane = self.pane(self.step)
        if pane is not None:
            pane.show(self.session)
            if self.focused is None and not self.opening:
                self.call_after_refresh(self._focus_first, pane)

    def _draw_steps(self) -> None:
        bar = self.query_one(StepBar)
        bar.purpose, bar.done = self.purpose, done_steps(self.session)
        for choice in self._purposes:
            choice.purpose = self.purpose.key

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
        """Beside the steps; where there is no answer yet, its place says it."""
        place, words = self.query_one("#activity", Words), self.session.activity if self.session.best else ""
        room = max(8, place.size.width)
        place.say(elided(words if len(words) <= room else words.removesuffix(STOPS), room))

    def on_resize(self) -> None:
        self.set_class(self.size.width < SLIM, "-slim")
        self.call_after_refresh(self.redraw)


def done_steps(session: Session) -> frozenset[str]:
    """Steps that have what they need."""
    done, draft = set(), session.draft
    if draft.inventory is not None or draft.purpose == "buy":
        done |= {"hardware", "workload"}
        done |= {"model"} if draft.model is not None or draft.purpose == "serve" else set()
    if session.best is not None and session.current:
        done.add("plans")
    return frozenset(done)
