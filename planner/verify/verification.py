"""``verify``: one deployment, one log or metrics page, one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.documents.deployment import Deployment
from planner.documents.result import EstimateDocument, Finding
from planner.errors import BadInput
from planner.predict import predict_resolved
from planner.resolve import resolve
from planner.resolved import Resolved
from planner.verify.actual import Actual, actual_of
from planner.verify.compare import compare_parts
from planner.verify.failures import explain
from planner.verify.lines import Line, log_lines
from planner.verify.log import LogReadings, read_log
from planner.verify.metrics import looks_like_metrics, read_metrics
from planner.verify.reasons import Case, likely_reasons
from planner.verify.result import Outcome, Part, Verification
from planner.verify.settings import compare_settings

if TYPE_CHECKING:
    from planner.library import Library

_BY_NAME = {"vllm-ascend": "vllm", "vllm-gaudi": "vllm", "ktransformers": "sglang", "ik_llama.cpp": "llama.cpp"}
"""Plug-ins and forks print their base's lines."""
_FATAL = frozenset({"other-engine", "other-weights", "other-card"})


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer and what calibration needs of it."""

    answer: Verification
    resolved: Resolved
    parts: tuple[Part, ...]


def verify(deployment: Deployment, text: str, library: Library) -> Verification:
    """A log or a metrics page compared with the prediction."""
    return verify_lines(deployment, log_lines(text), library, metrics=looks_like_metrics(text)).answer


def verify_lines(
    deployment: Deployment, lines: Iterable[Line], library: Library, *, metrics: bool = False, built_in: bool = False
) -> Verified:
    """The same over lines. ``built_in``: against the profiles as they come, without what was measured here."""
    if deployment.hardware is None:
        raise BadInput("hardware", "the document names no hardware to compare with", "add [hardware] accelerator")
    resolved = resolve(deployment, library)
    if built_in:
        resolved = replace(resolved, site=())
    lines = list(lines)
    estimate = predict_resolved(resolved, library)
    log = read_metrics(lines) if metrics else read_log(lines)
    actual = _renamed(actual_of(log), resolved)
    parts = _counting(compare_parts(estimate, actual))
    settings = compare_settings(resolved, actual)
    failures = () if metrics else _failures(lines)
    answer = Verification(
        outcome=_outcome(parts),
        engine=actual.engine,
        version=actual.version,
        parts=parts,
        settings=settings,
        reasons=likely_reasons(Case(resolved, actual, parts, settings)) if actual.engine else (),
        failures=failures,
        complete=_complete(actual, log, metrics),
        workers=actual.workers,
        starts=actual.starts,
        lines=actual.lines,
    )
    return Verified(answer, resolved, parts)


def unusable(answer: Verification) -> str | None:
    """Why a comparison must not become calibration; None when it may."""
    for reason in answer.reasons:
        if reason.rule in _FATAL:
            return reason.message
    other = [s.key for s in answer.settings if not s.same and s.key in ("tp", "pp", "gpu_memory_utilization")]
    other += [s.key for s in answer.settings if not s.same and s.key in ("max_num_batched_tokens", "enforce_eager")]
    if other:
        return f"it ran with another {', '.join(other)} than planned"
    if any(reason.rule in ("other-version", "other-process") for reason in answer.reasons):
        return next(r.message for r in answer.reasons if r.rule in ("other-version", "other-process"))
    return None


def _renamed(actual: Actual, resolved: Resolved) -> Actual:
    """A plug-in's or fork's log, or llama.cpp's below ollama, counts as the engine that was planned."""
    planned = resolved.engine.name
    same = _BY_NAME.get(planned) == actual.engine or {planned, actual.engine} == {"ollama", "llama.cpp"}
    return replace(actual, engine=planned, version=None) if same and actual.engine else actual


def _counting(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Speeds depend on the load and do not count, unless they are all that is known."""
    if any(p.gates and p.actual is not None and p.planned is not None for p in parts):
        return parts
    return tuple(replace(p, gates=True) for p in parts)


def _outcome(parts: tuple[Part, ...]) -> Outcome:
    judged = [p for p in parts if p.gates and p.state in ("inside", "below", "above")]
    if not judged:
        return "unknown"
    return "as-planned" if all(part.state == "inside" for part in judged) else "differs"


def _failures(lines: Iterable[Line]) -> tuple[Finding, ...]:
    return tuple(
        Finding(found.rule, f"line {found.line}: {found.meaning}", found.fix, "error" if found.cause else "warning")
        for found in explain(lines)
    )


def _complete(actual: Actual, log: LogReadings, metrics: bool) -> bool:
    return metrics or "ready" in actual.texts or any(r.field.endswith("tok_s") for r in log.readings)


def planned_again(deployment: Deployment, library: Library) -> EstimateDocument:
    """The estimate as later plans on this machine will have it."""
    return predict_resolved(resolve(deployment, library), library)
