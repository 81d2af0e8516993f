"""Plans as rows: the ranking, why each stands where it stands, what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import human_count
from tui import text
from tui.figures import FIGURES
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from tui.session import Session

SIDE_BY_SIDE = 100
"""Cells from which a plan stands on one line."""
STACKED = (
    Column("mark", "  #", 5),
    Column("plan", "Plan", 24, elastic=True),
    Column("ttft_s", "First", 6, right=True),
    Column("tpot_s", "Token", 6, right=True),
    Column("output_tok_s", "tok/s", 6, right=True),
    Column("max_concurrency", "Room", 6, right=True),
    Column("verdict", "", 1),
)
WIDE = (
    Column("mark", "  #", 6),
    Column("model", "Model", 18, elastic=True),
    Column("weights", "Weights", 11),
    Column("engine", "Engine", 16),
    Column("layout", "Layout", 14),
    Column("gpus", "GPUs", 4, need=3, right=True),
    Column("ttft_s", "First", 7, right=True),
    Column("tpot_s", "Token", 7, right=True),
    Column("output_tok_s", "tok/s", 7, right=True),
    Column("max_concurrency", "Room", 6, right=True),
    Column("power_w", "Power", 7, need=2, right=True),
    Column("verdict", "", 1),
)
REJECTED_COLUMNS = (
    Column("count", "  Count", 9),
    Column("reason", "Why not, and the way out", 40, elastic=True),
)


def ranking_rows(session: Session, *, stacked: bool) -> Iterator[Row]:
    """The proposals, best first."""
    for index, plan in enumerate(session.plan.candidates if session.plan else ()):
        yield _ranking_row(index, plan, session, stacked)


def _ranking_row(index: int, plan: PlannedDeployment, session: Session, stacked: bool) -> Row:
    marks = f"{plan.rank}{'*' if plan.pareto else ' '}{'x' if index in session.marked else ''}"
    words = (f"{text.model_of(plan)} {text.weights_of(plan)}", f"{text.engine_of(plan)} {text.layout_of(plan)}")
    cells = {
        "mark": marks,
        "plan": "\n".join(words) if stacked else " ".join(words),
        "model": text.model_of(plan),
        "weights": text.weights_of(plan),
        "engine": text.engine_of(plan),
        "layout": text.layout_of(plan),
        "gpus": str(plan.gpus_used),
        "verdict": text.VERDICTS[plan.estimate.verdict],
        "max_concurrency": text.room_of(plan),
    }
    for key in ("ttft_s", "tpot_s", "power_w"):
        cells[key] = text.figure(FIGURES[key].of(plan), FIGURES[key].unit)
    rate = FIGURES["output_tok_s"].of(plan)
    cells["output_tok_s"] = human_count(rate.value) if rate else text.UNKNOWN
    about = plan.reasons[0] if plan.reasons else "the only configuration that fits"
    return Row(str(index), cells, f"{plan.rank}. {text.model_of(plan)} {text.layout_of(plan)}: {about}")


def rejected_rows(session: Session) -> Iterator[Row]:
    """What was ruled out, most frequent first."""
    for index, item in enumerate(session.plan.rejected if session.plan else ()):
        reason = f"{item.message}\n  e.g. {item.example}" + (f"\n  → {item.fix}" if item.fix else "")
        yield Row(
            str(index),
            {"count": f"{item.count:,}", "reason": reason},
            f"{item.rule.replace('-', ' ')}: {item.count:,} ruled out",
        )


def why_lines(plan: PlannedDeployment) -> Iterator[str]:
    """Reasons, findings and what was assumed."""
    yield from (f"• {reason}" for reason in plan.reasons or ("the only plan that fits",))
    yield from (f"! {f.message}" + (f" → {f.fix}" if f.fix else "") for f in plan.estimate.problems)
    speed = plan.estimate.performance
    if speed is not None and speed.bound:
        yield "• " + ", ".join(f"{phase} is bound by {what}" for phase, what in speed.bound.items())
    if plan.estimate.assumed:
        yield ""
        yield "Assumed (defaults of the engine at this version):"
        yield from (f"  {key} = {value}" for key, value in sorted(plan.estimate.assumed.items()))
