"""One replica's load and what its requests see: the terms of continuous batching."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from planner.performance.step import Step

_CHAT = (220.0, 195.0)
"""Mean prompt and answer of ShareGPT as the engines' benchmark tools sample it: the usual load of varied lengths."""
_CHAT_WIDTH = 0.4
"""How far (log) mean lengths may lie from it to be taken as varied."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One replica's load."""

    isl: float
    osl: float
    cached: float
    """Tokens of the prompt found in the prefix cache."""
    context: float
    """Tokens in the cache before the first one counted."""
    budget: float
    """Tokens of one step (chunk of prefill)."""
    slots: float
    """Requests that may run at once: engine limit and KV pool."""
    pool: float
    """Tokens that the KV pool holds in requests of this length."""
    pp: int = 1
    draft: float = 0.0
    accepted: float = 1.0
    """Tokens that one step yields per request."""
    drafting: float = 1.0
    """Layers that drafting a token takes."""
    images_s: float = 0.0
    """Seconds of the vision tower before each prompt."""
    limit: float = math.inf
    """Requests that may run at once whatever the pool: the engine's own limit."""
    late: float = 0.0
    """Requests of a closed loop that wait for a slot at all times (``Overheads.late_slots``)."""

    @property
    def prompt(self) -> float:
        """Tokens to compute per prompt."""
        return max(self.isl - self.cached, 1.0)

    @property
    def varied(self) -> float:
        """Near 1 for mean lengths of chat, which vary; 0 for those of synthetic tests, which do not."""
        off = math.log(self.isl / _CHAT[0]) ** 2 + math.log(self.osl / _CHAT[1]) ** 2
        return math.exp(-off / _CHAT_WIDTH**2)


class Waits(NamedTuple):
    """What comes before the first token, seconds: mean parts and how they vary."""

    own: float
    """One's own prompt."""
    residual: float = 0.0
    """Rest of the step that runs when a request comes."""
    queue: float = 0.0
    """Prompts of others."""
    variance: float = 0.0
    """Of both, s²."""
    slot: float = 0.0
    """Until engine and pool have room."""
    slot_share: float = 1.0
    """Of requests, those that wait for it."""

    @property
    def mean(self) -> float:
        return self.own + self.residual + self.queue + self.slot


class Added(NamedTuple):
    """One prompt among decoding requests, seconds."""

    more: float
    """What it adds for all others."""
    own: float
    """The steps that carry it, from its first chunk to its last."""
    whole: float
    """Its share of steps full of prompts: a lane answers no more than one in that time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Means per request of one replica."""

    ttft_s: float
    tpot_s: float
    cycle_s: float
    in_flight: float
    decode: Step
    prefill: Step
    prefill_share: float
    """Of a cycle: seconds that go to other requests' prompts."""
    added_s: float = 0.0
    """What one prompt, of whichever lane, adds to a step."""
    shared_s: float = 0.0
    """Of a pipeline: what prompts add to a round that has any."""
    slot_s: float = 0.0
    """Of the time to the first token: mean wait until engine and pool have room."""
    load: float = 0.0
    """Of an open loop: its rate as a share of the largest stable one; from 1 the queue grows without bound."""
    api: float = 0.0
    """Load of the API process: from 1 it bounds the rate, and what the device gains is waited there."""
    waits: Waits | None = None
    """Of an open loop: what the time to the first token is made of."""

    @property
    def request_s(self) -> float:
        """Requests per second of the replica."""
        return self.in_flight / self.cycle_s
