"""The best plan so far: always on screen, in full beside the step or folded into lines below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from planner.cli.tables import memory_bar
from planner.units import KILO, MILLI, human_bytes
from tui import text

if TYPE_CHECKING:
    from planner.documents.result import GpuMemory, PlannedDeployment
    from planner.estimate import Estimate
    from tui.session import Session

PARTS = (("W", "weights"), ("K", "KV cache"), ("A", "activations"), ("G", "CUDA graphs"), ("N", "non-torch"))


def bar_content(memory: GpuMemory, width: int) -> Content:
    """The memory bar with a colour for each part; the letters carry the meaning without it."""
    colours = {"W": "$primary", "K": "$success", "A": "$warning", "G": "$secondary", "N": "$accent", "·": "$text-muted"}
    bar = memory_bar(memory, width)
    pieces = [(letter, colours.get(letter, "")) for letter in bar]
    return Content.assemble(*pieces)


class AnswerPanel(Static):
    """The full panel, for 100 columns and more."""

    def show(self, session: Session, progress: str = "") -> None:
        """Draw the session's proposal, or why there is none."""
        self.border_title = "Best plan so far" if session.selected == 0 else f"Plan {session.selected + 1}"
        self.border_subtitle = progress
        self.update(self._content(session))

    def _content(self, session: Session) -> Content:
        if session.failure:
            return Content(session.failure)
        if session.plan is None:
            return Content("Looking for a plan …")
        plan = session.best
        if plan is None:
            return Content(text.no_plan_text(session.plan))
        return Content("\n").join(_lines(plan, session, max(10, self.content_size.width - 6)))


def _lines(plan: PlannedDeployment, session: Session, width: int) -> list[Content]:
    head = [
        Content.styled(f"{text.model_of(plan)} · {text.weights_of(plan)}", "bold"),
        Content(f"{text.engine_of(plan)} · {text.layout_of(plan)} on {plan.gpus_used or 1} GPU"
                if plan.gpus_used else f"{text.engine_of(plan)} · {text.layout_of(plan)}"),
        Content(""),
    ]  # fmt: skip
    lines = [*head, *_memory_lines(plan, width), Content("")]
    lines += [Content(line) for line in _speed_lines(plan, session)]
    lines += [Content(""), *[Content(line) for line in _why_not(session)]]
    return lines


def _memory_lines(plan: PlannedDeployment, width: int) -> list[Content]:
    memory = plan.estimate.memory
    if memory is None:
        return [Content("memory unknown")]
    gpu = memory.per_gpu
    share = gpu.total.value / gpu.capacity.value if gpu.capacity.value > 0 else 0
    small = " · ".join(
        f"{letter} {human_bytes(getattr(gpu, part).value)}"
        for letter, part in (("W", "weights"), ("K", "kv_cache"), ("A", "activations"))
    )
    return [
        Content.assemble(bar_content(gpu, width), f" {share:.0%}"),
        Content(small),
        Content(f"of {human_bytes(gpu.capacity.value)} per GPU  {verdict_of(plan)}"),
    ]


def verdict_of(plan: PlannedDeployment) -> str:
    """``✓ fits``."""
    return f"{text.VERDICTS[plan.estimate.verdict]} {plan.estimate.verdict}"


def _speed_lines(plan: PlannedDeployment, session: Session) -> list[str]:
    speed = plan.estimate.performance
    if speed is None:
        return ["Speed         unknown"]
    pinned = session.pinned.estimate.performance if session.pinned else None
    draft = session.draft
    rows = [
        ("First token", text.seconds_range(speed.ttft_s), limit(speed.ttft_s, draft.ttft_ms),
         text.moved(speed.ttft_s, pinned.ttft_s if pinned else None, smaller_is_better=True)),
        ("Per token", text.seconds_range(speed.tpot_s), limit(speed.tpot_s, draft.tpot_ms),
         text.moved(speed.tpot_s, pinned.tpot_s if pinned else None, smaller_is_better=True)),
        ("All users", text.rate_range(speed.output_tok_s), "",
         text.moved(speed.output_tok_s, pinned.output_tok_s if pinned else None, smaller_is_better=False)),
        ("Room for", text.users_of(plan), "", ""),
    ]  # fmt: skip
    cost = plan.estimate.cost
    if cost and cost.power_w:
        rows.append(("Power", f"{cost.power_w.value / KILO:.1f} kW", "", ""))
    return ["  ".join(part for part in (f"{name:<12}", *rest) if part) for name, *rest in rows]


def limit(figure: Estimate | None, bound_ms: int | None) -> str:
    """``limit 2000 ms ✓``; empty without a bound."""
    if figure is None or not bound_ms:
        return ""
    return f"limit {bound_ms} ms {'✓' if figure.value <= bound_ms * MILLI else '✗'}"


def _why_not(session: Session) -> list[str]:
    plan = session.plan
    if plan is None or not plan.rejected:
        return []
    return ["Why not …", *(f"  ✗ {r.example or r.rule}: {r.message}" for r in plan.rejected[:3])]


class FoldedAnswer(Static):
    """The same in three lines, for 80 columns."""

    def show(self, session: Session, progress: str = "") -> None:
        """Draw the folded answer."""
        plan = session.best
        if plan is None:
            waiting = session.failure or (
                "Looking for a plan …" if session.plan is None else text.no_plan_text(session.plan)
            )
            self.update(Content(f"{waiting.splitlines()[0]} {progress}"))
            return
        words, figures = text.folded_lines(plan)
        lines = [Content(f"{words}  {verdict_of(plan)}"), Content(f"{figures} {progress}")]
        if plan.estimate.memory:
            gpu = plan.estimate.memory.per_gpu
            lines.append(Content.assemble("GPU ", bar_content(gpu, max(10, self.content_size.width - 18)), "  a more"))
        self.update(Content("\n").join(lines))
