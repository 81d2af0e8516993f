"""Offline runs: as many in flight as the engine holds, a finite number of requests that start together."""

from __future__ import annotations

import math
from dataclasses import replace

from planner.performance.batching import Batching
from planner.performance.demand import Outcome

_OFFLINE_REQUESTS = 1000.0
"""What the engines' own benchmark tools send when nobody says otherwise."""
_OFFLINE_LENGTH = 1000.0
"""Tokens of a request above which an offline run sends fewer."""
_OFFLINE_FEWER = 2 / 3
"""With which power of the length: published tables sent 500 requests of 2,000 tokens and 100 of 32,000."""
_ALL_VARIED = 0.97
"""Share from which equal lengths no longer matter."""
_CHAT_LIKE = 0.5
"""Share from which a load is a client's: engines' own tools send equal lengths."""


def saturated(batching: Batching, requests: float = 0.0) -> Outcome:
    """As many in flight as the engine and its KV pool hold, in a finite run of requests that start together.

    ``requests`` is how many, 0 where nobody says.

    With varied lengths the wait for prompts that start together weighs on short answers (the mean of a ratio is above
    the ratio of means), and long ones end alone. The run's own start (connections, first captures) takes time once.
    """
    d, over = batching.demand, batching.model.over
    batching.crowded = True
    own_tool = over.endless and d.varied < _CHAT_LIKE
    if own_tool or not over.offline_tail:
        return batching.closed(d.slots, direct=own_tool, outside=math.inf)
    requests = requests or _OFFLINE_REQUESTS * min(_OFFLINE_LENGTH / (d.isl + d.osl), 1.0) ** _OFFLINE_FEWER
    flight, varied = min(d.slots, requests), d.varied
    evicted = batching.started(requests, flight) - flight
    full = batching.closed(flight, together=flight / requests, outside=requests - flight - evicted)
    if over.prefill_first and d.osl > 1 and varied < _ALL_VARIED:
        full = _between(_waves(batching, flight, requests), full, varied)
    tail = varied * over.offline_tail * d.osl / d.accepted * batching.decode(1.0).seconds
    stretch = 1 + (tail + over.offline_s) * full.request_s / requests
    waiting = flight / requests * full.prefill_share * full.tpot_s * varied * over.short_answers
    waiting += batching.longer(evicted / full.request_s)
    return replace(full, cycle_s=full.cycle_s * stretch, tpot_s=full.tpot_s + waiting)


def _waves(batching: Batching, flight: float, requests: float) -> Outcome:
    """Equal requests where prompts go first: all prompts of a wave pass, then all answers run in step.

    The last wave is of what is left: shorter for each of its requests, and as long as any other where these decode.
    """
    d, host = batching.demand, batching.model.over.prefill_s
    steps = (d.osl - 1) / d.accepted
    added = batching.marginal(0.0, flight / batching.lanes).more
    count = math.floor(requests / flight)
    left = requests - count * flight
    decode, last = batching.decode(flight), batching.decode(max(left, 1.0)).seconds

    def prompts(wave: float) -> float:
        return max(wave / batching.groups * added, batching.alone)

    total = count * (prompts(flight) + steps * decode.seconds + host)
    total += min(left, 1.0) * (prompts(left) + steps * last + host)
    late = left / requests
    waited = ((1 - late) * prompts(flight) + late * prompts(left)) / 2
    token = (1 - late) * decode.seconds + late * last + waited / steps
    share = waited / steps / token
    ttft = batching.alone + host + waited
    cycle = total * flight / requests
    return Outcome(ttft, token * steps / (d.osl - 1), cycle, flight, decode, batching.prefill, share)


def _between(first: Outcome, second: Outcome, share: float) -> Outcome:
    """Geometric mean of two outcomes of the same requests in flight; ``share`` goes to the second."""

    def mean(a: float, b: float) -> float:
        return math.exp((1 - share) * math.log(a) + share * math.log(b))

    return replace(
        second,
        ttft_s=mean(first.ttft_s, second.ttft_s),
        tpot_s=mean(first.tpot_s, second.tpot_s),
        cycle_s=mean(first.cycle_s, second.cycle_s),
    )
