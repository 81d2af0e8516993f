"""A log or a metrics page beside the plan: read in a bounded way, compared, kept as calibration when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import text
from tui.rows import Column, Row

if TYPE_CHECKING:
    from planner.documents.result import PlannedDeployment
    from planner.library import Library
    from planner.verify.result import Part, Verification
    from planner.verify.verification import Verified

COLUMNS = (
    Column("part", "  Part", 22, elastic=True),
    Column("planned", "Planned", 10, right=True),
    Column("range", "Range", 20, need=1),
    Column("actual", "Actual", 10, right=True),
    Column("state", "", 14),
)
STATES = {
    "inside": "✓ inside",
    "above": "▲ above",
    "below": "▼ below",
    "not-printed": "–",
    "not-planned": "? not planned",
}
OUTCOMES = {
    "as-planned": "✓ As planned: every printed figure lies in its range.",
    "differs": "✗ Differs from the plan.",
    "unknown": "? Nothing to compare: no line of a known engine with a figure was found.",
}
AWAY = frozenset({"above", "below"})
ONLY_STATE = {"B": "B", "s": "s"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One source, compared with one plan."""

    plan: PlannedDeployment
    source: str
    verified: Verified

    @property
    def answer(self) -> Verification:
        return self.verified.answer


def compared(plan: PlannedDeployment, source: str, library: Library, *, built_in: bool = False) -> Compared:
    """Read a file or a metrics address and compare. Raises PlannerError."""
    from planner.documents.files import parse_deployment
    from planner.verify.lines import clean_lines, log_lines
    from planner.verify.source import file_chunks, read_source
    from planner.verify.verification import verify_lines

    deployment = parse_deployment(plan.deployment, "plan")
    metrics = source.startswith(("http://", "https://")) or _is_metrics(source)
    lines = log_lines(read_source(source)) if metrics else clean_lines(file_chunks(source))
    return Compared(plan, source, verify_lines(deployment, lines, library, metrics=metrics, built_in=built_in))


def _is_metrics(path: str) -> bool:
    """Whether the head of a file is a Prometheus page."""
    from planner.verify.metrics import looks_like_metrics
    from planner.verify.source import file_chunks

    return looks_like_metrics(next(iter(file_chunks(path)), ""))


def kept(plan: PlannedDeployment, source: str, library: Library) -> str:
    """Keep what was measured as calibration of this site; in words what became of it. Raises PlannerError."""
    from planner.calibration import keep, site_path
    from planner.verify.site import measured
    from planner.verify.verification import unusable

    found = compared(plan, source, library, built_in=True)
    reason = unusable(found.answer)
    row = None if reason else measured(found.verified.resolved, found.verified.parts, source)
    if row is None:
        return f"✗ Nothing was kept: {reason or 'it prints no overheads'}."
    keep(row, site_path())
    release = ".".join(map(str, row.release))
    return f"✓ Kept for {row.engine} {release} on {row.accelerator}, {row.ranks} rank(s): later plans here use it."


def part_rows(answer: Verification) -> Iterator[Row]:
    """Planned beside actual, part by part."""
    for number, part in enumerate(answer.parts):
        name = part.name.replace("_", " ")
        cells = {
            "part": f"{part.device} {name}" if part.device else name,
            "planned": _shown(part.planned.value, part) if part.planned else "–",
            "range": text.span(part.planned, ONLY_STATE.get(part.unit, "")) if part.planned else "",
            "actual": _shown(part.actual, part) if part.actual is not None else "–",
            "state": STATES[part.state] + (" (load)" if part.state in AWAY and not part.gates else ""),
        }
        where = f", line {part.line} of the log" if part.line else ""
        yield Row(str(number), cells, f"{name}: {STATES[part.state]}{where}{_because(part, answer)}")


def _shown(value: float, part: Part) -> str:
    unit = ONLY_STATE.get(part.unit)
    return text.shown(value, unit) if unit else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _because(part: Part, answer: Verification) -> str:
    reasons = [reason.message for reason in answer.reasons if part.name in reason.parts]
    return f" · {reasons[0]}" if reasons else ""


def words_of(found: Compared) -> Iterator[str]:
    """What it comes to: outcome, settings that differ, likely reasons, failures."""
    answer = found.answer
    ran = f"{answer.engine or 'unknown engine'} {answer.version or ''}".strip()
    yield f"{OUTCOMES[answer.outcome]}  {ran}, {answer.lines:,} lines"
    if not answer.complete and answer.outcome != "unknown":
        yield "~ The log ends before the engine was ready, or was cut off."
    yield from (f"· {r.message}" + (f" → {r.fix}" if r.fix else "") for r in answer.reasons)
    for setting in answer.settings:
        if not setting.same:
            said = "assumed" if setting.assumed else "planned"
            yield f"! {setting.key}: {said} {setting.planned}, runs with {setting.actual}"
    for failure in answer.failures:
        yield f"✗ {failure.message}" + (f" → {failure.fix}" if failure.fix else "")
