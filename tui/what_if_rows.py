"""What became of each change that was tried, as rows against the plan that it is held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui import text
from tui.figures import FIGURES
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from planner.estimate import Estimate
    from tui.answers import Answer
    from tui.what_if import Change

BASE = "base"
"""Key of the row of the plan that the others are held against."""
_SPEED = {"ttft_s": "First", "tpot_s": "Token"}
_ROOM = {"max_concurrency": "Room"}
SHOWN = {
    "serve": _SPEED | {"output_tok_s": "tok/s"} | _ROOM | {"per_mtok": "Cost"},
    "tune": {"hours": "Time", "driver": "Peak", "tok_s": "tok/s", "energy_wh": "Energy", "money": "Cost"},
    "buy": {"purchase": "Buy", "owned_month": "A month"} | _SPEED | _ROOM,
}
"""Figures that are held against each other, by what the walk is for."""
WIDE = 110
"""Cells from which the values stand beside the arrows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change, and what it came to; neither answer nor reason: it is still being worked out."""

    change: Change
    answer: Answer | None = None
    reason: str = ""
    """Why there is no answer."""

    @property
    def plan(self) -> PlannedDeployment | None:
        """The best plan with the change."""
        from tui.answers import as_plan

        candidates = as_plan(self.answer).candidates if self.answer is not None else ()
        return candidates[0] if candidates else None

    @property
    def why_none(self) -> str:
        """Why there is no plan with it; empty while one may come."""
        from tui.answers import as_plan

        if self.reason or self.answer is None:
            return self.reason
        document = as_plan(self.answer)
        reasons = sorted(document.rejected, key=lambda item: item.rule != document.verdict)
        return "" if self.plan else reasons[0].message if reasons else "nothing fits"


def columns(purpose: str, width: int) -> tuple[Column, ...]:
    """Label, figures, and in a wide place what becomes of the plan."""
    each = 16 if width >= WIDE else 8
    wider = {} if width >= WIDE else {"driver": 9, "energy_wh": 9}
    figures = (Column(key, label, wider.get(key, each), right=True) for key, label in SHOWN[purpose].items())
    plan = (Column("plan", "Becomes", 24, need=1),) if width >= WIDE else ()
    return (Column("change", "  Change", 18, elastic=True), *figures, *plan, Column("verdict", "", 1))


def base_row(plan: PlannedDeployment, purpose: str, *, pinned: bool) -> Row:
    """The plan that the others are held against, in its own figures."""
    cells = {key: value for key, (value, _) in _figures(plan, plan, purpose).items()}
    label = "Pinned plan" if pinned else "Plan 1"
    cells |= {"change": label, "plan": words_of(plan), "verdict": text.VERDICTS[plan.estimate.verdict]}
    return Row(BASE, cells, f"{label}: {text.model_of(plan)} {words_of(plan)}. ▲ better, ▼ worse, = the same.")


def row_of(outcome: Outcome, base: PlannedDeployment, purpose: str, width: int) -> Row:
    """One change: arrows, in a wide place with values; why not where nothing fits."""
    change, plan = outcome.change, outcome.plan
    if plan is None:
        cells = {"change": change.label, "verdict": "✗" if outcome.why_none else "…"}
        cells |= {key: "–" if outcome.why_none else "" for key in SHOWN[purpose]}
        return Row(
            change.key,
            cells,
            f"{change.label}: {outcome.why_none or 'is being worked out'}.",
            dim=bool(outcome.why_none),
        )
    found = _figures(plan, base, purpose)
    cells = {
        key: f"{value} {moved}".strip() if width >= WIDE else moved or value for key, (value, moved) in found.items()
    }
    other = "" if text.model_id_of(plan) == text.model_id_of(base) else f" → {text.model_of(plan)}"
    label = f"{change.label}{other}"
    cells |= {"change": label, "plan": words_of(plan), "verdict": text.VERDICTS[plan.estimate.verdict]}
    values = ", ".join(f"{SHOWN[purpose][key].lower()} {value}" for key, (value, _) in found.items())
    return Row(change.key, cells, f"{text.model_of(plan)} {words_of(plan)}: {values}")


def words_of(plan: PlannedDeployment) -> str:
    """``fp8 vllm TP8``."""
    return f"{text.weights_of(plan)} {text.engine_of(plan).partition(' ')[0]} {text.layout_of(plan)}"


def sentences(plan: PlannedDeployment, base: PlannedDeployment, purpose: str) -> Iterator[str]:
    """``First token 412 ms ▼ +20%``, for each figure."""
    for key, (value, moved) in _figures(plan, base, purpose).items():
        yield f"{FIGURES[key].label} {value} {moved}".strip()


def _figures(plan: PlannedDeployment, base: PlannedDeployment, purpose: str) -> dict[str, tuple[str, str]]:
    """Value and arrow of each figure; a room counts the requests of all replicas."""
    found = {}
    for key in SHOWN[purpose]:
        figure = FIGURES[key]
        now, before = _estimate(key, plan), _estimate(key, base)
        value = text.room_of(plan) if key == "max_concurrency" else text.figure(now, _unit(key, plan))
        found[key] = (value, text.moved(now, before, figure.better))
    return found


def _estimate(key: str, plan: PlannedDeployment) -> Estimate | None:
    estimate = FIGURES[key].of(plan)
    if estimate is None or key != "max_concurrency":
        return estimate
    copies = text.replicas_of(plan)
    return replace(estimate, low=estimate.low * copies, value=estimate.value * copies, high=estimate.high * copies)


def _unit(key: str, plan: PlannedDeployment) -> str:
    """Money without its currency and rates without their unit: the columns are narrow, ? names them."""
    figure = FIGURES[key]
    return "" if figure.unit in ("money", "tok/s") else figure.unit_of(plan)
