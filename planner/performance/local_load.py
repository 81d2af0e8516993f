"""Requests at a rate on an engine with few slots: how many run at a time, and what the rate may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.performance.waits import BUSIEST, slot_wait

_STEPS = 24


@dataclass(frozen=True, slots=True)
class LocalLoad:
    """One engine under a load."""

    users: float
    """Requests that run at the same time."""
    request_s: float
    """Answered per second."""
    wait_s: float = 0.0
    """Mean wait for a slot."""
    stable_request_s: float = 0.0
    """Largest rate at which the queue does not grow without bound; 0 where no rate was given."""
    load: float = 0.0


def at_rate(rate: float, slots: float, duration: Callable[[float], float]) -> LocalLoad:
    """``duration`` gives the seconds of a request with so many at the same time; n = rate · duration(n) by Little."""
    limit = slots / duration(slots)
    if rate >= BUSIEST * limit:
        wait, _ = slot_wait(BUSIEST, slots, slots * BUSIEST, duration(slots), 1.0)
        return LocalLoad(slots, min(rate, limit), wait, limit, rate / limit)
    low, high = 0.0, slots
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rate * duration(max(middle, 1.0)) > middle else (low, middle)
    users = max(high, 1.0)
    wait, _ = slot_wait(rate / limit, slots, high, duration(users), 1.0)
    return LocalLoad(users, rate, wait, limit, rate / limit)
