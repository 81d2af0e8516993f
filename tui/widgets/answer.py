"""The best plan so far: always on screen, in full beside the step or folded into lines below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui import text
from tui.messages import Explained, ExplainWanted
from tui.widgets.answer_lines import answer_lines, panel_figures, waiting_lines
from tui.widgets.words import Words

if TYPE_CHECKING:
    from tui.figures import Figure
    from tui.session import Session


WORDS = {"serve": "plan", "tune": "run", "buy": "fleet"}
"""What a proposal is called."""


class AnswerPanel(Static, can_focus=True):
    """The full panel. ↑ ↓ go through its figures, ? opens one."""

    HELP_TEXT: ClassVar[str] = (
        "The best plan for what was chosen so far.\n\n↑ ↓  another figure · ?  its formula, terms, range"
    )
    TITLE: ClassVar[str] = "Answer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "look(-1)", "Figure before", show=False, id="answer.up", tooltip="The figure before"),
        Binding("down", "look(1)", "Next figure", show=False, id="answer.down", tooltip="The next figure"),
        Binding("question_mark,enter", "explain", "Explain", id="answer.explain", tooltip="Formula, terms, range"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.index = 0
        self._session: Session | None = None
        self._lines: list[Content] = []

    def show(self, session: Session) -> None:
        """Draw the session's proposal, or why there is none."""
        self._session = session
        what = WORDS[session.draft.purpose]
        self.border_title = Content(
            f"Best {what} so far" if session.selected == 0 else f"{what} {session.selected + 1}".capitalize()
        )
        self.border_subtitle = Content("stopped early" if session.partial else "")
        self._draw()

    def _draw(self) -> None:
        """Only what changed is drawn, and laid out only where the number of lines did."""
        width = max(20, self.content_size.width)
        lines = list(answer_lines(self._session, width, self.index if self.has_focus else None))
        if [line.plain for line in lines] == [line.plain for line in self._lines]:
            return
        longer = len(lines) != len(self._lines)
        self._lines = lines
        self.refresh(layout=longer)

    def render(self) -> Content:
        return Content("\n").join(self._lines)

    def on_resize(self) -> None:
        self._draw()

    # the cursor

    @property
    def _figures(self) -> list[Figure]:
        return [figure for figure, _ in panel_figures(self._session)] if self._session else []

    @property
    def _figure(self) -> Figure | None:
        figures = self._figures
        return figures[min(self.index, len(figures) - 1)] if figures else None

    def on_focus(self) -> None:
        self.call_later(self._look)

    def on_blur(self) -> None:
        self.call_later(self._draw)

    def action_look(self, direction: int) -> None:
        self.index = max(0, min(len(self._figures) - 1, self.index + direction))
        self._look()

    def _look(self) -> None:
        from tui.explain import figure_text

        self._draw()
        figure = self._figure
        if figure is None:
            self.post_message(Explained("The best plan for what was chosen so far appears here."))
            return
        words = figure_text(figure.key)
        self.post_message(Explained(f"{figure.label} — {words.get('about', '')} Moved by {words.get('moves', '')}."))

    def action_explain(self) -> None:
        figure, plan = self._figure, self._session.best if self._session else None
        if plan is not None and figure is not None:
            self.post_message(ExplainWanted(figure.explained(plan, f"{text.model_of(plan)} · {text.layout_of(plan)}")))


class FoldedAnswer(Words):
    """The same in three lines, for 80 columns."""

    def __init__(self, *, id: str, way: str = "  a more") -> None:
        """``way`` says at the end of the last line which key opens it in full."""
        super().__init__(id=id, fixed=True)
        self._way = way

    def show(self, session: Session) -> None:
        """Draw the folded answer."""
        self.say(Content("\n").join(folded(session, max(20, self.content_size.width), self._way)))


def folded(session: Session, width: int, way: str = "") -> Iterator[Content]:
    """Words, figures, memory: a line each; or why there is nothing to say yet, and a way out."""
    plan = session.best
    if plan is None:
        waiting = [line for line in waiting_lines(session) if line][:3]
        yield from (Content(text.elided(line, width)) for line in waiting)
        return
    from tui.bars import bars_of
    from tui.fleet_rows import folded_fleet
    from tui.widgets.memory_bars import bar_content

    words, figures = text.folded_lines(plan) if session.offer is None else folded_fleet(session.offer, plan)
    yield Content(_both_ends(words, text.verdict_of(plan), width))
    yield Content(_both_ends(figures, "stopped early" if session.partial else "", width))
    for bar in bars_of(plan, session.draft.inventory)[:1]:
        tail = f" {bar.share:4.0%}{way}"
        yield Content.assemble(f"{bar.name} ", bar_content(bar, width - len(bar.name) - 1 - len(tail)), tail)


def _both_ends(left: str, right: str, width: int) -> str:
    """Left and right in one line; the left gives way."""
    if not right:
        return text.elided(left, width)
    left = text.elided(left, width - len(right) - 2)
    return left + " " * (width - cell_len(left) - len(right)) + right
