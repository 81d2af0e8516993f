"""A load met by workers: closed, open, saturated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from planner.performance.batching import Batching
from planner.performance.demand import Outcome
from planner.performance.disaggregation import Disaggregated
from planner.performance.offline import saturated
from planner.performance.queueing import OpenLoop, overrun
from planner.resolved import Workload

_NEAR = 0.85
"""Load of the API process from which it is named as the bound of a closed loop: what the device gains is then waited
there (a word only; no figure depends on it)."""


@dataclass(frozen=True, slots=True)
class Met:
    """What one replica does under its share of a load."""

    outcome: Outcome
    batching: Batching
    """Of the workers that compute prompts: its prompt alone is what users wait for at least."""
    pace: Callable[[float], float] | None = None
    """Seconds of a step at a rate, in an open loop."""
    limit: float = 0.0
    """Largest stable rate of the whole deployment, in an open loop."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """What limits the deployment as a whole."""


def together(batching: Batching, load: Workload, replicas: int) -> Met:
    """Replicas that do both, each with an equal share."""
    if load.saturated:
        return Met(saturated(batching, (load.requests or 0.0) / replicas), batching)
    if load.request_rate is None:
        clients = max((load.concurrency or 1.0) / replicas, 1e-6)
        closed = batching.closed(clients)
        bound = {"deployment": "API process"} if closed.api >= _NEAR else {}
        return Met(ended(closed, clients, load.requests / replicas) if load.requests else closed, batching, bound=bound)
    line, rate = OpenLoop(batching, load.isl_cv), load.request_rate / replicas
    outcome = line.at(rate)
    if outcome.load > 1:
        slots = batching.demand.slots
        full = saturated(batching) if batching.demand.pp == 1 else batching.closed(slots)
        sent = load.requests / replicas if load.requests else 0.0
        beyond = overrun(full, rate, sent, slots, outcome.load)
        least = max(beyond.ttft_s, outcome.ttft_s)
        outcome = replace(beyond, ttft_s=least, slot_s=beyond.slot_s + least - beyond.ttft_s)
    return Met(outcome, batching, line.pace, line.capacity * replicas)


def ended(outcome: Outcome, clients: float, requests: float) -> Outcome:
    """A closed loop of so many requests and no more.

    The clients come at once: of their first requests those that find no slot wait for one after the other, later ones
    for all that wait before them.
    """
    first = min(clients, requests)
    behind = max(first - outcome.in_flight, 0.0)
    short = behind * (first - behind / 2) / max(requests, 1.0) / outcome.request_s
    short = min(short, outcome.slot_s)
    return replace(outcome, ttft_s=outcome.ttft_s - short, slot_s=outcome.slot_s - short)


def apart(workers: Disaggregated, batching: Batching, load: Workload) -> Met:
    """Prefill and decode workers; the outcome is one decode worker's share."""
    bound = {"deployment": workers.bound}
    if load.saturated:
        return Met(workers.saturated(), batching, bound=bound)
    if load.request_rate is None:
        return Met(workers.closed(max(load.concurrency or 1.0, 1e-6)), batching, bound=bound)
    return Met(workers.at(load.request_rate), batching, workers.next.pace, workers.capacity, bound)
