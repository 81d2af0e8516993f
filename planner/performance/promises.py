"""What users were promised against what is predicted: at the percentile of the service level, not on the mean."""

from __future__ import annotations

from collections.abc import Iterator

from planner.documents.deployment import ServiceLevelTable
from planner.documents.result import Finding, Performance
from planner.estimate import Estimate
from planner.resolved import Resolved
from planner.units import human_seconds


def first_token(performance: Performance) -> Estimate | None:
    """Time to the first token that a promise is held against; the mean where no percentile is known."""
    return performance.ttft_level_s or performance.ttft_s


def each_token(performance: Performance) -> Estimate | None:
    """The same for the time per token."""
    return performance.tpot_level_s or performance.tpot_s


def overloaded(performance: Performance) -> bool:
    """More requests come than are answered, for ever."""
    return performance.utilisation is not None and performance.utilisation.value >= 1


def missed(performance: Performance | None, level: ServiceLevelTable | None) -> Iterator[str]:
    """Promises that are not kept, in words; without any figure every promise is missed."""
    if performance is not None and overloaded(performance) and performance.stable_request_s:
        yield f"the queue grows without bound above {performance.stable_request_s.value:.3g} requests/s"
    if level is None:
        return
    at = f"at {level.percentile:g} %" if performance is not None and performance.ttft_level_s else "on average"
    pairs = (("first token", first_token, level.ttft_s), ("per token", each_token, level.tpot_s))
    for name, figure, limit in pairs:
        found = figure(performance) if performance is not None else None
        if limit is not None and (found is None or found.value > limit):
            said = "unknown" if found is None else f"{human_seconds(found.value)} {at}"
            yield f"{name} {said}, promised {human_seconds(limit)}"


def promise_findings(resolved: Resolved, performance: Performance) -> tuple[Finding, ...]:
    """Warnings of ``estimate``: a queue that grows without bound, a service level that is missed."""
    load, found = resolved.workload, []
    limit = performance.stable_request_s
    if overloaded(performance) and limit is not None and load.request_rate is not None:
        copies = max(resolved.serving.dp, 1)
        needed = -int(-copies * load.request_rate // (_COMFORT * limit.value))
        come, answered = f"{load.request_rate:.4g} requests/s come", f"{limit.value:.4g} are answered"
        way = f"at most {limit.value:.4g} requests/s here; {needed} replicas (serving.dp) carry it at {_COMFORT:.0%}"
        change = {"workload.request_rate": limit.value * _COMFORT}
        said = f"the queue grows without bound: {come}, {answered}"
        found.append(Finding("queue-grows", said, way, severity="warning", change=change))
    elif load.service_level is not None:
        for text in missed(performance, load.service_level):
            found.append(Finding("service-level", text, _lift(performance), severity="warning"))
    return tuple(found)


_COMFORT = 0.8
"""Load at which queues are still short."""


def _lift(performance: Performance) -> str:
    """The nearest way out by what limits each phase."""
    bound = performance.bound.get("decode", "")
    return f"fewer requests at once, more replicas, or a layout that eases the bound of decode ({bound or 'unknown'})"
