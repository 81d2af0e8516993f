"""A comparison as text: planned, actual, verdict of each part, then settings and reasons."""

from __future__ import annotations

from planner.cli.tables import align, finding_line
from planner.estimate import Estimate
from planner.units import human_bytes, human_count, human_seconds
from planner.verify.result import Part, Setting, Verification

_MARKS = {"inside": "OK", "below": "below", "above": "above", "not-printed": "-", "not-planned": "not planned"}
_OUTCOMES = {
    "as-planned": "OK  as planned: every printed figure lies in its range",
    "differs": "!!  differs from the plan",
    "unknown": "?   nothing to compare: no line of a known engine with a figure was found",
}


def verification_table(answer: Verification) -> str:
    """The whole comparison."""
    ran = f"{answer.engine or 'unknown engine'} {answer.version or ''}".strip()
    workers = f", {answer.workers} workers" if answer.workers > 1 else ""
    blocks = [f"{_OUTCOMES[answer.outcome]}\n    {ran}, {answer.lines:,} lines{workers}"]
    if answer.parts:
        rows = [("part", "planned", "range", "actual", "")]
        blocks.append(align([*rows, *(_row(part) for part in answer.parts)], indent="  "))
    other = [setting for setting in answer.settings if not setting.same]
    if other:
        blocks.append("settings that differ\n" + align((_setting(s) for s in other), indent="  "))
    if answer.reasons:
        lines = [f"  · {r.message}" + (f" → {r.fix}" if r.fix else "") for r in answer.reasons]
        blocks.append("likely reasons\n" + "\n".join(lines))
    if answer.failures:
        blocks.append("failures in the log\n" + "\n".join(finding_line(f) for f in answer.failures))
    if not answer.complete and answer.outcome != "unknown":
        blocks.append("the log ends before the engine was ready, or was cut off")
    if answer.calibration:
        blocks.append(f"calibration: {answer.calibration}")
    return "\n\n".join(blocks)


def _row(part: Part) -> tuple[str, ...]:
    name = part.name.replace("_", " ")
    planned = part.planned
    return (
        f"{part.device} {name}" if part.device else name,
        shown(planned.value, part.unit) if planned else "-",
        _range(planned, part.unit),
        shown(part.actual, part.unit) if part.actual is not None else "-",
        _MARKS[part.state] + ("" if part.gates or part.state not in ("below", "above") else " (does not count)"),
    )


def _range(planned: Estimate | None, unit: str) -> str:
    if planned is None:
        return ""
    return f"{shown(planned.low, unit)} – {shown(planned.high, unit)}"


def shown(value: float, unit: str) -> str:
    """A figure in the unit people read."""
    if unit == "B":
        return human_bytes(value)
    if unit == "s":
        return human_seconds(value)
    if unit in ("requests", "tok/s"):
        return f"{value:,.2f}"
    return f"{value:,.0f}" if abs(value) < 1e9 else human_count(value)


def _setting(setting: Setting) -> tuple[str, ...]:
    said = "assumed" if setting.assumed else "planned"
    return setting.key, f"{said} {_plain(setting.planned)}", f"runs with {_plain(setting.actual)}"


def _plain(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return str(value)
