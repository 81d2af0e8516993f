"""The best plan so far: always on screen, in full beside the step or folded into lines below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from planner.units import MILLI
from tui import text
from tui.messages import Explained, ExplainWanted

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from planner.estimate import Estimate
    from tui.bars import Bar
    from tui.figures import Figure
    from tui.session import Session

LABEL_WIDTH = 13
VALUE_WIDTH = 11


class AnswerPanel(Static, can_focus=True):
    """The full panel. ↑ ↓ go through its figures, ? opens one."""

    HELP_TEXT: ClassVar[str] = (
        "The best plan for what was chosen so far.\n\n↑ ↓  another figure · ?  its formula, terms, range"
    )
    TITLE: ClassVar[str] = "Answer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "look(-1)", "Figure before", show=False, id="answer.up"),
        Binding("down", "look(1)", "Next figure", show=False, id="answer.down"),
        Binding("question_mark,enter", "explain", "Explain", id="answer.explain", tooltip="Formula, terms, range"),
    ]
    index: reactive[int] = reactive(0)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None
        self._drawn: object = None
        """What the drawing depends on: while that is the same, nothing is laid out anew."""

    def show(self, session: Session) -> None:
        """Draw the session's proposal, or why there is none."""
        self._session = session
        chosen = f"Plan {session.selected + 1}"
        self.border_title = "Best plan so far" if session.selected == 0 else chosen
        self.border_subtitle = session.activity or ("stopped early" if session.partial else "")
        drawn = (session.best, session.failure, session.pinned, session.draft, "" if session.best else session.activity)
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh(layout=True)

    def _figures(self) -> list[tuple[Figure, Estimate]]:
        from tui.figures import PANEL, known

        plan = self._session.best if self._session else None
        return list(known(plan, PANEL)) if plan else []

    def render(self) -> Content:
        session = self._session
        if session is None or session.best is None:
            return Content("\n").join(map(Content, waiting_lines(session)))
        return Content("\n").join(self._lines(session, session.best, max(20, self.content_size.width)))

    def _lines(self, session: Session, plan: PlannedDeployment, width: int) -> Iterator[Content]:
        from tui.bars import bars_of

        yield Content.styled(f"{text.model_of(plan)} · {text.weights_of(plan)}", "bold")
        yield Content(f"{text.engine_of(plan)} · {text.layout_of(plan)}")
        yield Content(text.where_of(plan))
        yield Content("")
        for bar in bars_of(plan, session.draft.inventory):
            yield from _bar_lines(bar, width)
        yield Content(text.verdict_of(plan))
        yield Content("")
        for index, (figure, estimate) in enumerate(self._figures()):
            marker = "▸" if self.has_focus and index == self.index else " "
            yield from map(Content, _figure_lines(marker, figure, estimate, plan, session, width))
        yield Content(" Longest request " + f"{text.longest_of(plan) or 0:,} tokens")
        yield Content("")
        yield from map(Content, why_not(session))

    # the cursor

    def on_focus(self) -> None:
        self._tell()

    def on_blur(self) -> None:
        self.refresh()

    def action_look(self, direction: int) -> None:
        count = len(self._figures())
        self.index = max(0, min(count - 1, self.index + direction)) if count else 0
        self._tell()

    def action_explain(self) -> None:
        figures, plan = self._figures(), self._session.best if self._session else None
        if plan is not None and figures:
            figure, _ = figures[min(self.index, len(figures) - 1)]
            self.post_message(ExplainWanted(figure.explained(plan, f"{text.model_of(plan)} · {text.layout_of(plan)}")))

    def _tell(self) -> None:
        from tui.explain import figure_text

        self.refresh()
        figures = self._figures()
        if figures:
            figure, _ = figures[min(self.index, len(figures) - 1)]
            words = figure_text(figure.key)
            self.post_message(
                Explained(f"{figure.label} — {words.get('about', '')} Moved by {words.get('moves', '')}.")
            )
        else:
            self.post_message(Explained("The best plan for what was chosen so far appears here."))


def waiting_lines(session: Session | None) -> list[str]:
    """What is said while there is no plan, or why there is none."""
    if session is None or (session.plan is None and session.failure is None):
        return [(session.activity if session else "") or "No hardware yet: e names some, r looks at this machine."]
    if session.failure is not None:
        return [f"✗ {session.failure}", "", "Change the input it names; u takes the last change back."]
    lines = ["✗ Nothing that fits was found.", ""]
    for item in (session.plan.rejected if session.plan else ())[:4]:
        lines += [f"✗ {item.count:,} × {item.message}", *([f"  → {item.fix}"] if item.fix else [])]
    return [*lines, "", "4 then R: all reasons; Enter there applies a way out."]


def _bar_lines(bar: Bar, width: int) -> Iterator[Content]:
    from tui.bars import NAMES
    from tui.widgets.memory_bars import bar_content

    share = f" {bar.share:4.0%}"
    room = width - len(bar.name) - 1 - len(share)
    yield Content.assemble(f"{bar.name} ", bar_content(bar, room), share)
    words = [f"{letter} {text.shown(size, 'B')} {NAMES[letter]}" for letter, size in bar.parts if size > 0]
    line = ""
    for word in [*words, f"of {text.shown(bar.capacity, 'B')}"]:
        if line and len(line) + len(word) + 2 > width:
            yield Content(line)
            line = ""
        line = f"{line}  {word}" if line else f" {word}"
    yield Content(line)


def _figure_lines(
    marker: str, figure: Figure, estimate: Estimate, plan: PlannedDeployment, session: Session, width: int
) -> Iterator[str]:
    """``First token     270 ms  (166–439 ms)  ✓ 2.0 s  ▲ -12%``; what does not fit stands on the next line."""
    unit = figure.unit_of(plan)
    head = f"{marker}{figure.label:<{LABEL_WIDTH}}{text.shown(estimate.value, unit):>{VALUE_WIDTH}}"
    spread = text.short_span(estimate, unit)
    before = figure.of(session.pinned) if session.pinned else None
    copies = text.replicas_of(plan) if figure.key == "max_concurrency" else 1
    parts = [f"({spread})" if spread else "", f"× {copies} replicas" if copies > 1 else ""]
    parts += [promise(figure.key, estimate, session), text.moved(estimate, before, figure.better)]
    line = head
    for part in filter(None, parts):
        if len(line) + len(part) + 1 > width:
            yield line
            line = " " * (LABEL_WIDTH + 1)
        line = f"{line} {part}"
    yield line


def promise(key: str, estimate: Estimate, session: Session) -> str:
    """``✓≤2.0 s``; empty without a promise."""
    bound_ms = {"ttft_s": session.draft.ttft_ms, "tpot_s": session.draft.tpot_ms}.get(key)
    if not bound_ms:
        return ""
    bound = bound_ms * MILLI
    return f"{'✓' if estimate.value <= bound else '✗'}≤{text.shown(bound, 's')}"


def why_not(session: Session) -> Iterator[str]:
    """The other ways to run the same model, and what was ruled out for it."""
    from tui.fixes import NOT_AN_ANSWER

    document, best = session.plan, session.best
    if document is None or best is None:
        return
    lines = []
    same = (p for p in document.candidates if p is not best and text.model_id_of(p) == text.model_id_of(best))
    for plan in list(same)[:2]:
        words = f"{text.weights_of(plan)} {text.engine_of(plan)} {text.layout_of(plan)}"
        lines.append(f"  {words}: {', '.join(_against(plan, best))}")
    for item in document.rejected:
        if item.rule not in NOT_AN_ANSWER and text.model_id_of(best) in item.example and len(lines) < 4:
            lines.append(f"  ✗ {item.example.partition(' · ')[2] or item.rule}: {item.message}")
    if lines:
        yield "Why not …"
        yield from lines


def _against(plan: PlannedDeployment, best: PlannedDeployment) -> Iterator[str]:
    """``65 ms ▼ +55%``: figures of another plan against the one looked at."""
    from tui.figures import FIGURES

    for key in ("tpot_s", "output_tok_s"):
        figure = FIGURES[key]
        estimate = figure.of(plan)
        if estimate is not None:
            moved = text.moved(estimate, figure.of(best), figure.better)
            yield f"{text.shown(estimate.value, figure.unit)} {moved}".rstrip()


class FoldedAnswer(Static):
    """The same in three lines, for 80 columns."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._session: Session | None = None

    def show(self, session: Session) -> None:
        """Draw the folded answer."""
        self._session = session
        self.refresh()

    def render(self) -> Content:
        session, width = self._session, max(20, self.content_size.width)
        plan = session.best if session else None
        if session is None or plan is None:
            waiting = [line for line in waiting_lines(session) if line][:2]
            return Content("\n").join(Content(text.elided(line, width)) for line in waiting)
        from tui.bars import bars_of
        from tui.widgets.memory_bars import bar_content

        words, figures = text.folded_lines(plan)
        verdict, activity = text.verdict_of(plan), session.activity or ("stopped early" if session.partial else "")
        lines = [Content(_both_ends(words, verdict, width)), Content(_both_ends(figures, activity, width))]
        for bar in bars_of(plan, session.draft.inventory)[:1]:
            tail = f" {bar.share:4.0%}  a more"
            room = width - len(bar.name) - 1 - len(tail)
            lines.append(Content.assemble(f"{bar.name} ", bar_content(bar, room), tail))
        return Content("\n").join(lines)


def _both_ends(left: str, right: str, width: int) -> str:
    """Left and right in one line; the left gives way."""
    if not right:
        return text.elided(left, width)
    left = text.elided(left, width - len(right) - 2)
    return left + " " * (width - len(left) - len(right)) + right
