"""A deployment from one request in flight to what it holds, or from idle to the largest stable rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.documents.deployment import Deployment
from planner.documents.result import LoadPoint
from planner.predict import memory_of, performance_of
from planner.resolve import resolve
from planner.resolved import Resolved

if TYPE_CHECKING:
    from planner.library import Library

POINTS = 12
NEAR = 1.2
"""Points closer than this factor to the load that was asked for are left out."""
_LEAST, _MOST = 2.0, 4096.0
"""The curve ends between these, at the load that the memory holds or at the one that was asked for."""
_FULLEST = 0.98
"""Share of the largest stable rate at which a curve over rates ends."""


def load_curve(deployment: Deployment, library: Library, points: int = POINTS) -> tuple[LoadPoint, ...]:
    """Speed over load; empty for training jobs and where a fact is missing."""
    if deployment.finetune is not None or deployment.hardware is None:
        return ()
    return tuple(_points(resolve(deployment, library), library, points))


def _points(resolved: Resolved, library: Library, points: int) -> Iterator[LoadPoint]:
    memory, load = memory_of(resolved), resolved.workload
    if load.request_rate is not None:
        now, _ = performance_of(resolved, memory, library)
        if now is not None and now.stable_request_s is not None:
            top = _FULLEST * now.stable_request_s.value
            for step in range(1, points + 1):
                work = replace(load, request_rate=top * step / points, concurrency=None, saturated=False, requests=None)
                found, _ = performance_of(replace(resolved, workload=work), memory, library)
                if found is not None:
                    yield LoadPoint(found, request_rate=work.request_rate)
            return
    length = max(load.context + load.isl + load.osl, 1.0)
    held = memory.kv_tokens.value / length * max(resolved.serving.dp, 1)
    top = float(max(_LEAST, round(min(held, _MOST)), load.concurrency or 1.0))
    for concurrency in ladder(top, load.concurrency, points):
        work = replace(load, concurrency=concurrency, request_rate=None, saturated=False, requests=None)
        found, _ = performance_of(replace(resolved, workload=work), memory, library)
        if found is not None:
            yield LoadPoint(found, concurrency=concurrency)


def ladder(top: float, asked: float | None, points: int = POINTS) -> list[float]:
    """Whole numbers from 1 to ``top`` in about equal ratios, and the one that was asked for."""
    steps = {float(round(top ** (i / max(points - 1, 1)))) for i in range(points)}
    if asked is None or asked > top:
        return sorted(steps)
    apart = {step for step in steps if not asked / NEAR < step < asked * NEAR or step in (1.0, top)}
    return sorted(apart | {asked})
