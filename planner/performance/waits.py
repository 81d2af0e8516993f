"""What a request meets before its own prompt: the rest of a step, and prompts of others. Random (Poisson) arrivals.

Symbols of one replica: λ requests per second, d seconds of a step without prompts, M seconds that one prompt adds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from planner.performance.batching import Batching
from planner.performance.demand import Waits

BUSIEST = 0.98
"""Load at which queues are cut: nearer to 1 their means are those of runs that nobody waits for."""


class Steps(NamedTuple):
    """Steps at one load, seconds."""

    plain: float
    """Without prompts."""
    added: float
    """What one prompt, of whichever lane, adds to a step."""
    shared: float = 0.0
    """What prompts of several attention groups add to a step that has any."""


def prompt_waits(batching: Batching, rate: float, steps: Steps, isl_cv: float = 0.0) -> Waits:
    """At ``rate`` requests per second; the engine's host time per prompt comes on top."""
    demand, alone, plain = batching.demand, batching.alone, steps.plain
    answers = demand.osl > 1
    if batching.model.over.prefill_first or not answers:
        service = max(steps.added, 1e-9)
        if not answers:
            service += max(alone - service, 0.0) * max(1 - rate * service, 0.0)
            plain = 0.0
        return _spread(one_server(rate, service, isl_cv)._replace(own=alone), plain, 1.0, isl_cv)
    chunks = max(math.ceil(demand.prompt / demand.budget), 1)
    overlap = (chunks + demand.pp - 1) / (chunks * demand.pp)
    if demand.pp > 1:
        each = chunks * (plain + steps.shared)
        line = one_server(rate, each / demand.pp if chunks > 1 else 0.0, isl_cv)
        return _pipeline(rate, steps, line._replace(own=max(each * overlap, alone)), isl_cv)
    own = max(chunks * plain + max(steps.added, chunks * steps.shared), alone)
    if demand.budget < 2 * demand.prompt:
        lane = rate / batching.lanes
        return _spread(one_server(lane, own, isl_cv)._replace(own=own), plain, max(1 - lane * own, 0.0), isl_cv)
    return _window(rate, plain, steps.added, own, isl_cv)


def _pipeline(rate: float, steps: Steps, line: Waits, cv: float) -> Waits:
    """Batches in a pipeline: the rest of the round in which one comes, likelier a long one.

    Prompts of others that come in the same round are computed in batches beside one's own; those of several chunks
    wait in ``line`` for batches.
    """
    held = rate * steps.added
    long = min(held / max(1 - held, 1 - BUSIEST) * steps.plain / max(steps.shared, 1e-12), 1.0)
    whole, swing = steps.plain + steps.shared, (cv * steps.shared) ** 2
    first = (1 - long) * steps.plain + long * whole
    second = (1 - long) * steps.plain**2 + long * (whole**2 + swing)
    third = (1 - long) * steps.plain**3 + long * whole * (whole**2 + 3 * swing)
    rest = second / (2 * first)
    variance = third / (3 * first) - rest * rest + (cv * line.own) ** 2
    return line._replace(residual=rest, variance=line.variance + variance)


def _window(rate: float, plain: float, added: float, own: float, cv: float) -> Waits:
    """All that came in a step are computed in the next: the rest of the running step, and their prompts with one's own.

    Steps are plain + j·added with j Poisson of mean λ·S of the step before, of variance λ·S·M² / (1 − (λ·M)²); one
    comes more likely in a long step (E[S²]/E[S]).
    """
    busy = min(rate * added, BUSIEST)
    step = plain / (1 - busy)
    met = rate * step / (1 - busy * busy)
    square = step * step + met * added * added
    cube = step**3 + 3 * step * met * added**2 + met * added**3
    biased, rest = square / step, square / (2 * step)
    others = rate * biased * added * added + busy * busy * max(cube / step - biased * biased, 0.0)
    variance = cube / (3 * step) - rest * rest + others + (cv * own) ** 2
    return Waits(own, rest, rate * biased * added, variance)


def one_server(rate: float, service: float, cv: float = 0.0) -> Waits:
    """Pollaczek-Khinchine: λ·s²·(1 + cv²) / (2·(1 − λ·s)); exponential for the share λ·s that waits at all."""
    busy = min(rate * service, BUSIEST)
    mean = rate * service**2 * (1 + cv * cv) / (2 * (1 - busy))
    return Waits(0.0, 0.0, mean, mean * mean * max(2 / max(busy, 1e-6) - 1, 0.0))


def _spread(waits: Waits, plain: float, share: float, cv: float) -> Waits:
    """With the rest of a step without prompts, for the share of requests that come in one, and prompts that vary."""
    variance = waits.variance + share * plain**2 / 12 + (cv * waits.own) ** 2
    return waits._replace(residual=share * plain / 2, variance=variance)


def slot_wait(load: float, slots: float, present: float, cycle_s: float, slowed: float) -> tuple[float, float]:
    """(mean wait for one of the slots, share of requests that wait).

    ``present`` requests on the mean vary like a Poisson count, and the more the more they slow each other down: n
    settles where n = λ·k·S(n), so that its variance is n·S(n)/S(1) (linear noise), ``slowed`` being that ratio. Who
    finds all slots taken waits for the backlog to go, cycle / (slots·(1 − load)).
    """
    load = min(load, BUSIEST)
    deviation = math.sqrt(max(present * slowed, 1e-9))
    share = 0.5 * math.erfc((slots - present) / deviation / math.sqrt(2))
    return share * cycle_s / (slots * (1 - load)), share
