"""Plans as rows: the ranking, the figures, memory part by part, load, comparison, what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from planner.units import MILLI, human_count
from tui import text
from tui.figures import FIGURES, PARTS, Figure, every, known
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import Performance, PlannedDeployment
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
FIGURE_COLUMNS = (
    Column("name", "  Figure", 16),
    Column("value", "Value", 14, right=True),
    Column("range", "Range", 22, elastic=True),
    Column("origin", "Origin", 9, need=1),
)
MEMORY_COLUMNS = (
    Column("part", "  Part", 17),
    Column("value", "Bytes", 10, right=True),
    Column("share", "Share", 6, right=True),
    Column("range", "Range", 20, elastic=True),
    Column("origin", "Origin", 9, need=1),
)
REJECTED_COLUMNS = (
    Column("count", "  Count", 9),
    Column("reason", "Why not, and the way out", 40, elastic=True),
)
LOAD_COLUMNS = (
    Column("users", "  Users", 7),
    Column("ttft_s", "First", 8, right=True),
    Column("tpot_s", "Token", 8, right=True),
    Column("output_tok_s", "tok/s", 8, right=True),
    Column("verdict", "", 1),
    Column("bar", "all users", 12, elastic=True),
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


def figure_rows(plan: PlannedDeployment) -> Iterator[Row]:
    """Every figure of speed, memory and cost."""
    for figure, estimate in known(plan, every(plan)):
        unit = figure.unit_of(plan)
        cells = {
            "name": figure.label,
            "value": text.shown(estimate.value, unit),
            "range": text.span(estimate, unit) or "exact",
            "origin": estimate.origin,
        }
        yield Row(figure.key, cells, _about(figure))


def memory_rows(plan: PlannedDeployment) -> Iterator[Row]:
    """The parts of the fullest GPU, with the letters of the bar."""
    from tui.bars import LETTERS

    capacity = FIGURES["capacity"].of(plan)
    if capacity is None:
        return
    for figure, estimate in known(plan, (*PARTS, FIGURES["total"], capacity_row := FIGURES["kv_needed"])):
        inset = "  " if figure is capacity_row else ""
        cells = {
            "part": f"{LETTERS.get(figure.key, '')} {inset}{figure.label}".strip(),
            "value": text.shown(estimate.value, "B"),
            "share": f"{estimate.value / capacity.value:.1%}" if capacity.value > 0 else "",
            "range": text.span(estimate, "B") or "exact",
            "origin": estimate.origin,
        }
        yield Row(figure.key, cells, _about(figure))
        if figure is PARTS[-1]:
            yield from _context_row(plan, capacity.value)


def _context_row(plan: PlannedDeployment, capacity: float) -> Iterator[Row]:
    """The driver's context, where the total has one that the parts have not."""
    from tui.bars import context_of

    size = context_of(plan.estimate.memory) if plan.estimate.memory else 0.0
    if size > 0 and capacity > 0:
        cells = {"part": "N Context", "value": text.shown(size, "B"), "share": f"{size / capacity:.1%}"}
        yield Row("context", cells, "Context — what the driver keeps on the card for each process that uses it.")


def _about(figure: Figure) -> str:
    from tui.explain import figure_text

    words = figure_text(figure.key)
    return f"{figure.label} — {words.get('about', '')}"


def rejected_rows(session: Session) -> Iterator[Row]:
    """What was ruled out, most frequent first."""
    for index, item in enumerate(session.plan.rejected if session.plan else ()):
        reason = f"{item.message}\n  e.g. {item.example}" + (f"\n  → {item.fix}" if item.fix else "")
        yield Row(str(index), {"count": f"{item.count:,}", "reason": reason}, f"{item.rule}: {item.count:,} ruled out")


def load_rows(session: Session, width: int = 12) -> Iterator[Row]:
    """The plan's speed from one user to hundreds."""
    points = session.load_curve or ()
    most = max((p.speed.output_tok_s.value for p in points if p.speed and p.speed.output_tok_s), default=0.0)
    for point in points:
        speed = point.speed
        rate = speed.output_tok_s.value if speed and speed.output_tok_s else 0.0
        cells = {
            "users": f"{point.users:,}",
            "ttft_s": text.figure(speed.ttft_s if speed else None, "s"),
            "tpot_s": text.figure(speed.tpot_s if speed else None, "s"),
            "output_tok_s": human_count(rate) if rate else text.UNKNOWN,
            "verdict": keeps(session, speed),
            "bar": "█" * round(width * rate / most) if most else "",
        }  # fmt: skip
        yield Row(str(point.users), cells, f"{point.users:,} in flight at once, on the plan looked at")


def keeps(session: Session, speed: Performance | None) -> str:
    """✓ or ✗ against the promises; empty without any."""
    if speed is None:
        return ""
    pairs = ((speed.ttft_s, session.draft.ttft_ms), (speed.tpot_s, session.draft.tpot_ms))
    held = [figure.value <= bound * MILLI for figure, bound in pairs if figure is not None and bound]
    return "" if not held else "✓" if all(held) else "✗"


def compare_columns(plans: Sequence[PlannedDeployment], width: int) -> tuple[Column, ...]:
    """A column a plan, all of equal width."""
    name = 16
    each = max(12, (width - name) // max(1, len(plans)) - 2)
    return (Column("name", "  Figure", name), *(Column(f"plan{p.rank}", f"Plan {p.rank}", each) for p in plans))


def compare_rows(plans: Sequence[PlannedDeployment]) -> Iterator[Row]:
    """What differs between plans; ● the best of a row; flags last."""
    words = (
        ("Model", text.model_of),
        ("Weights", text.weights_of),
        ("Engine", text.engine_of),
        ("Layout", text.layout_of),
    )
    for name, show in words:
        about = f"{name}: " + "; ".join(f"{p.rank} {show(p)}" for p in plans)
        yield Row(name, {"name": name, **{f"plan{p.rank}": show(p) for p in plans}}, about)
    for figure in every(plans[0]) if plans else ():
        estimates = {p.rank: figure.of(p) for p in plans}
        values = {rank: e.value for rank, e in estimates.items() if e is not None}
        if values:
            best = _best(figure, values)
            cells = {f"plan{p.rank}": _compared(figure, p, best) for p in plans}
            name = figure.label if figure.unit != "tok/s" else f"{figure.label} /s"
            yield Row(figure.key, {"name": name, **cells}, _about(figure))
    table = "finetune" if plans and "finetune" in plans[0].deployment else "serving"
    settings = [p.deployment.get(table, {}) for p in plans]
    for key in sorted({key for each in settings for key in each}):
        if len({str(each.get(key)) for each in settings}) > 1:
            cells = {f"plan{p.rank}": str(each.get(key, "–")) for p, each in zip(plans, settings, strict=True)}
            yield Row(key, {"name": key, **cells}, f"{table}.{key}: a setting in which these plans differ")


def _best(figure: Figure, values: dict[int, float]) -> float | None:
    """The best value of a row; None where none is better or all are equal."""
    if not figure.better or len(set(values.values())) < 2:
        return None
    return min(values.values()) if figure.better == "less" else max(values.values())


def _compared(figure: Figure, plan: PlannedDeployment, best: float | None) -> str:
    estimate = figure.of(plan)
    mark = "● " if estimate is not None and estimate.value == best else ""
    return mark + text.figure(estimate, "" if figure.unit == "tok/s" else figure.unit_of(plan))


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
