"""The answer as lines: the full panel's, and the few of the folded one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from planner.units import MILLI
from tui import text
from tui.purposes import PURPOSES
from tui.session import INTERNAL

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment, Rejection
    from planner.estimate import Estimate
    from tui.bars import Bar
    from tui.figures import Figure
    from tui.session import Session

LABEL_WIDTH = 13
VALUE_WIDTH = 11
AGAINST = {
    "serve": ("tpot_s", "output_tok_s"),
    "tune": ("hours", "driver"),
    "buy": ("purchase", "tpot_s"),
}
"""Figures in which another proposal is held against the one looked at."""
CHANGE_IT = "Change the input it names; u takes the last change back."
REPORT_IT = "This is a mistake of the program: please report it. u takes the last change back."


def panel_figures(session: Session) -> list[tuple[Figure, Estimate]]:
    """The figures of the panel that are known."""
    from tui.figures import PANELS, known

    return list(known(session.best, PANELS[session.draft.purpose])) if session.best is not None else []


def answer_lines(session: Session | None, width: int, cursor: int | None) -> Iterator[Content]:
    """The panel's lines, none longer than ``width``; ``cursor`` is the figure that the marker stands before."""
    if session is None or session.best is None:
        for line in waiting_lines(session):
            yield from _wrapped(line, width)
        return
    plan = session.best
    yield Content.styled(text.elided(f"{text.model_of(plan)} · {text.weights_of(plan)}", width), "bold")
    for line in _where_lines(plan, session):
        yield from _wrapped(line, width)
    yield Content("")
    yield from _memory_lines(plan, session, width)
    yield Content(text.verdict_of(plan))
    yield Content("")
    for index, (figure, estimate) in enumerate(panel_figures(session)):
        marker = "▸" if index == cursor else " "
        yield from map(Content, _figure_lines(marker, figure, estimate, plan, session, width))
    for line in _fact_lines(plan, session):
        yield from _wrapped(line, width)
    yield Content("")
    for line in why_not(session):
        yield from _wrapped(line, width)


def _where_lines(plan: PlannedDeployment, session: Session) -> Iterator[str]:
    """On what it runs, and how."""
    if session.offer is not None:
        offer = session.offer
        yield offer.title
        copies = "1 copy" if offer.copies == 1 else f"{offer.copies} copies"
        yield f"{copies} · {text.engine_of(plan)} · {text.layout_of(plan)}"
        return
    yield f"{text.engine_of(plan)} · {text.layout_of(plan)}"
    yield text.where_of(plan)


def _fact_lines(plan: PlannedDeployment, session: Session) -> Iterator[str]:
    """What is no estimate: lengths, files, what is left over."""
    result, offer = plan.estimate.finetune, session.offer
    if result is not None:
        if result.files is not None:
            one, disk = (text.shown(size, "B") for size in (result.files.checkpoint, result.files.disk))
            yield f"{_fact('Checkpoint', one)}, disk {disk}"
        if result.max_seq_len:
            yield f"{_fact('Sequence to', f'{result.max_seq_len:,}')} tokens"
        return
    yield f"{_fact('Request up to', f'{text.longest_of(plan) or 0:,}')} tokens"
    if offer is not None:
        yield f"{_fact('Headroom', f'{offer.headroom:+.0%}')} users, {offer.idle_devices} devices idle"
        yield f"{_fact('Rack space', f'{offer.rack_units}')} rack units"


def _fact(label: str, value: str) -> str:
    """A label and its value, below those of the figures."""
    return f" {label:<{LABEL_WIDTH}}{value:>{VALUE_WIDTH}}"


def _wrapped(line: str, width: int) -> Iterator[Content]:
    inset = " " * (len(line) - len(line.lstrip()))
    yield from map(Content, textwrap.wrap(line, width, subsequent_indent=inset) or [""])


def _memory_lines(plan: PlannedDeployment, session: Session, width: int) -> Iterator[Content]:
    from tui.bars import bars_of

    for bar in bars_of(plan, session.draft.inventory):
        yield from _bar_lines(bar, width)


def waiting_lines(session: Session | None, reasons_key: str = "4 then R") -> list[str]:
    """What is said while there is no plan, or why there is none; ``reasons_key`` lists all that was ruled out."""
    if session is not None and session.draft.purpose != "serve" and session.draft.model is None:
        about = _sentence(PURPOSES[session.draft.purpose].about)
        return ["No model yet: step 2 lists them; Enter takes one.", "", f"{about}."]
    if session is None or (session.plan is None and session.failure is None):
        return [(session.activity if session else "") or "No hardware yet: e names some, r looks at this machine."]
    if session.failure is not None:
        way = "e names hardware, o opens a file, r looks at this machine."
        bug = session.failure.startswith(INTERNAL)
        return [f"✗ {session.failure}", "", REPORT_IT if bug else way if session.draft.inventory is None else CHANGE_IT]
    from tui.fixes import changes_of

    lines = ["✗ Nothing that fits was found.", ""]
    reasons = sorted(session.plan.rejected if session.plan else (), key=lambda item: not _of_workload(item))
    for item in reasons[:4]:
        times = f" ({item.count:,} configurations)" if item.count > 1 else ""
        lines += [f"✗ {item.message}{times}", *([f"  → {item.fix}"] if item.fix else [])]
    way = "; Enter there applies a way out" if any(changes_of(item, session.draft) for item in reasons) else ""
    return [*lines, "", f"{reasons_key}: all reasons{way}."]


def _of_workload(item: Rejection) -> bool:
    """What was asked rules it out, whatever the layout: such a reason comes first."""
    return any(key.startswith("workload.") for key in item.change)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _bar_lines(bar: Bar, width: int) -> Iterator[Content]:
    from tui.widgets.memory_bars import bar_content

    share = f" {bar.share:4.0%}" if bar.capacity else " of a size that is not reported"
    room = width - len(bar.name) - 1 - len(share)
    yield Content.assemble(f"{bar.name}", " " if bar.capacity else "", bar_content(bar, room), share)
    words = [f"{letter} {text.shown(size, 'B')} {bar.names[letter]}" for letter, size in bar.parts if size > 0]
    line = ""
    for word in [*words, *([f"of {text.shown(bar.capacity, 'B')}"] if bar.capacity else [])]:
        if line and len(line) + len(word) + 2 > width:
            yield Content(line)
            line = ""
        line = f"{line}  {word}" if line else f" {word}"
    yield Content(line)


def _figure_lines(
    marker: str, figure: Figure, estimate: Estimate, plan: PlannedDeployment, session: Session, width: int
) -> Iterator[str]:
    """``First token     270 ms  (166–439 ms)  ✓ 2.0 s``, with a plan pinned ``▲ -12%`` before the range.

    What does not fit stands on the next line, but for the range: ? has it in full.
    """
    unit = figure.unit_of(plan)
    head = f"{marker}{figure.label:<{LABEL_WIDTH}}{text.shown(estimate.value, unit):>{VALUE_WIDTH}}"
    spread = text.short_span(estimate, unit)
    before = figure.of(session.pinned) if session.pinned else None
    copies = text.replicas_of(plan) if figure.key == "max_concurrency" else 1
    change, ranged = text.moved(estimate, before, figure.better), f"({spread})" if spread else ""
    length = f"of {text.tokens(text.longest_of(plan))}" if figure.key == "max_concurrency" else ""
    parts = [length, f"× {copies} replicas" if copies > 1 else "", promise(figure.key, estimate, session)]
    parts = [change, *parts] if change else [ranged, *parts]
    if change and len(" ".join(filter(None, [head, *parts, ranged]))) <= width:
        parts.append(ranged)
    line = head
    for part in filter(None, parts):
        if len(line) + len(part) + 1 > width:
            yield line
            line = " " * (LABEL_WIDTH + 1)
        line = f"{line} {part}"
    yield line


def promise(key: str, estimate: Estimate, session: Session) -> str:
    """``✓≤2.0 s``; empty without a promise."""
    if key == "hours" and session.draft.training.hours:
        allowed = session.draft.training.hours
        return f"{'✓' if estimate.value <= allowed else '✗'}≤{text.hours(allowed)}"
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
    if session.fleets is not None and session.fleets.next_model is not None:
        up = session.fleets.next_model
        need = f"{text.shown(up.least_bytes, 'B')}, {up.devices} such devices"
        yield f"Next model up: {up.model.rpartition('/')[2]}, {need}"
    same = (p for p in document.candidates if p is not best and text.model_id_of(p) == text.model_id_of(best))
    for plan in list(same)[:2]:
        words = f"{text.weights_of(plan)} {text.engine_of(plan)} {text.layout_of(plan)}"
        if session.fleets is not None:
            words = session.fleets.offers[plan.rank - 1].title
        lines.append(f"  {words}: {', '.join(_against(plan, best, session.draft.purpose))}")
    for item in document.rejected:
        if item.rule not in NOT_AN_ANSWER and text.model_id_of(best) in item.example and len(lines) < 4:
            lines.append(f"  ✗ {item.example.partition(' · ')[2] or item.rule}: {item.message}")
    if lines:
        yield "Why not …"
        yield from lines


def _against(plan: PlannedDeployment, best: PlannedDeployment, kind: str) -> Iterator[str]:
    """``65 ms ▼ +55%``: figures of another plan against the one looked at."""
    from tui.figures import FIGURES

    for key in AGAINST[kind]:
        figure = FIGURES[key]
        estimate = figure.of(plan)
        if estimate is not None:
            moved = text.moved(estimate, figure.of(best), figure.better)
            yield f"{text.shown(estimate.value, figure.unit_of(plan))} {moved}".rstrip()
