"""What a deployment still does with a device, or a server, missing: whole copies of the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.cost.document import Outage
from planner.performance.promises import each_token, first_token
from planner.predict import predict_resolved
from planner.resolved import Resolved

if TYPE_CHECKING:
    from planner.library import Library


def outages_of(resolved: Resolved, library: Library) -> tuple[Outage, ...]:
    """One device, then one server down. A copy that loses a device stops."""
    serving, cluster = resolved.serving, resolved.cluster
    per_node = max(1, serving.dp // max(cluster.nodes, 1))
    lost = {"one device": 1, "one server": per_node if cluster.nodes > 1 else serving.dp}
    return tuple(_outage(missing, serving.dp - copies, resolved, library) for missing, copies in lost.items())


def _outage(missing: str, copies: int, resolved: Resolved, library: Library) -> Outage:
    if copies <= 0:
        return Outage(missing, 0, 0.0, None, holds=False)
    left = replace(resolved, serving=replace(resolved.serving, dp=copies))
    answer = predict_resolved(left, library)
    work = resolved.workload
    length = max(work.isl + work.osl + work.context, 1.0)
    users = answer.memory.kv_tokens.value / length * copies if answer.memory else 0.0
    speed = answer.performance
    tpot, ttft = (each_token(speed), first_token(speed)) if speed else (None, None)
    level = work.service_level
    holds = None
    if tpot and (work.concurrency or level):
        slow = level and (
            (level.tpot_s or tpot.value) < tpot.value or (ttft and (level.ttft_s or ttft.value) < ttft.value)
        )
        holds = not slow and users >= (work.concurrency or 0.0)
    return Outage(missing, copies, users, tpot or None, holds)
