"""Plans side by side as rows, with the best of each figure marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui import text
from tui.figure_rows import about_figure
from tui.figures import Figure, every
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment


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
            yield Row(figure.key, {"name": name, **cells}, about_figure(figure))
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
