"""Offline runs: as many in flight as the engine holds, a finite number of requests that start together."""

from __future__ import annotations

import math
from dataclasses import replace

from planner.performance.batching import Batching
from planner.performance.demand import Demand, Outcome

_OFFLINE_REQUESTS = 1000.0
"""What the engines' own benchmark tools send when nobody says otherwise."""
_OFFLINE_LENGTH = 1000.0
"""Tokens of a request above which an offline run sends fewer."""
_OFFLINE_FEWER = 2 / 3
"""With which power of the length: published tables sent 500 requests of 2,000 tokens and 100 of 32,000."""
_CHAT = (220.0, 195.0)
"""Mean prompt and answer of ShareGPT as the engines' benchmark tools sample it: the usual load of varied lengths."""
_ALL_VARIED = 0.97
"""Share from which equal lengths no longer matter."""
_CHAT_LIKE = 0.5
"""Share from which a load is a client's: engines' own tools send equal lengths."""
_CHAT_WIDTH = 0.4
"""How far (log) mean lengths may lie from it to be taken as varied."""


def saturated(batching: Batching, requests: float = 0.0) -> Outcome:
    """As many in flight as the engine and its KV pool hold, in a finite run of requests that start together.

    ``requests`` is how many, 0 where nobody says.

    With varied lengths the wait for prompts that start together weighs on short answers (the mean of a ratio is above
    the ratio of means), and long ones end alone. The run's own start (connections, first captures) takes time once.
    """
    d, over = batching.demand, batching.model.over
    batching.crowded = True
    own_tool = over.endless and _varied(d) < _CHAT_LIKE
    if own_tool or not over.offline_tail:
        return batching.closed(d.slots, direct=own_tool)
    requests = requests or _OFFLINE_REQUESTS * min(_OFFLINE_LENGTH / (d.isl + d.osl), 1.0) ** _OFFLINE_FEWER
    flight, varied = min(d.slots, requests), _varied(d)
    full = batching.closed(flight, together=flight / requests)
    if over.prefill_first and d.osl > 1 and varied < _ALL_VARIED:
        full = _between(_wave(batching, flight), full, varied)
    tail = varied * over.offline_tail * d.osl / d.accepted * batching.decode(1.0).seconds
    stretch = 1 + (tail + over.offline_s) * full.request_s / requests
    waiting = flight / requests * full.prefill_share * full.tpot_s * varied * over.short_answers
    waiting += batching.longer((batching.started(requests, flight) - flight) / full.request_s)
    return replace(full, cycle_s=full.cycle_s * stretch, tpot_s=full.tpot_s + waiting)


def _wave(batching: Batching, flight: float) -> Outcome:
    """Equal requests where prompts go first: all prompts of a wave pass, then all answers run in step."""
    d = batching.demand
    steps = (d.osl - 1) / d.accepted
    added = batching.marginal(0.0, flight / batching.lanes).more
    prompts = max(flight / batching.groups * added, batching.alone)
    decode = batching.decode(flight)
    token = decode.seconds + prompts / 2 / steps
    ttft = batching.alone + batching.model.over.prefill_s + prompts / 2
    cycle = prompts + steps * decode.seconds + batching.model.over.prefill_s
    share = prompts / 2 / steps / token
    return Outcome(ttft, token * steps / (d.osl - 1), cycle, flight, decode, batching.prefill, share)


def _varied(d: Demand) -> float:
    """Near 1 for mean lengths of chat, which vary; 0 for those of synthetic tests, which do not."""
    off = math.log(d.isl / _CHAT[0]) ** 2 + math.log(d.osl / _CHAT[1]) ** 2
    return math.exp(-off / _CHAT_WIDTH**2)


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
