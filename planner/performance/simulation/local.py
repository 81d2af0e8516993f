"""The llama.cpp family's scheduler: slots, batches of ``n_batch`` tokens, continuous batching.

A slot holds one request at a time; the others wait in order. Each batch takes one token of every slot that answers and
fills up with prompt tokens of the others, prompt after prompt, computed in micro-batches. Slots do not share prefixes:
hits, of a slot's own last request, spare computing. The cache has ``n_ctx`` cells for all slots and nothing is sent
back: a request begins where its whole answer has room.
"""

from __future__ import annotations

import math

from planner.estimate import Origin
from planner.memory.gguf_cache import context_cells
from planner.performance.latencies import Widths
from planner.performance.local import spreads
from planner.performance.local_curves import LocalCurves
from planner.performance.local_steps import Machine, decode_step, machine, prompt_seconds
from planner.performance.simulation.group import Rules
from planner.performance.simulation.plant import Bench
from planner.performance.simulation.times import rounded
from planner.performance.simulation.worker import Plant
from planner.resolved import Resolved

_ASSUMED = 2.5
"""Factor from which a range is no formula's any more."""


class LocalTimes:
    """Steps of the devices one after the other; prompts come on top of the step they ride in."""

    def __init__(self, m: Machine) -> None:
        self._machine = m
        self._kept: dict[tuple[float, ...], float] = {}

    def decode(self, requests: float, context: float) -> float:
        """A step without prompts."""
        key = (max(rounded(requests), 1.0), rounded(context))
        if key not in self._kept:
            self._kept[key] = math.fsum(decode_step(self._machine, key[1], key[0]).values())
        return self._kept[key]

    def mixed(self, requests: float, context: float, prompts: tuple[float, float, float, float]) -> float:
        """A batch with prompts."""
        tokens, start = rounded(prompts[0]), rounded(max(prompts[1] - prompts[0] / 2, 0.0))
        key = (tokens, start, -1.0)
        if key not in self._kept:
            self._kept[key] = math.fsum(prompt_seconds(self._machine, tokens, start).values())
        return self._kept[key] + (self.decode(requests, context) if requests else 0.0)


def local_bench_of(resolved: Resolved, curves: LocalCurves) -> Bench:
    """Raises ``UnknownFact`` where a device's bandwidth is not known."""
    m = machine(resolved, curves)
    serving, load = m.resolved.serving, resolved.workload
    seats = max(serving.parallel, 1)
    rules = Rules(
        seats=seats,
        budget=float(max(serving.max_num_batched_tokens, 1)),
        pool=float(context_cells(serving.max_model_len)),
        reserve=1.0,
    )
    plant = Plant(rules, context=load.context, hit_rate=load.prefix_hit_rate)
    decode, prefill = spreads(m)
    widths = Widths(decode - 1, prefill - 1, max(decode, prefill) - 1)
    origin: Origin = "formula" if max(decode, prefill) < _ASSUMED else "assumed"
    longest, replicas = float(serving.max_model_len), max(serving.dp, 1)
    return Bench(plant, LocalTimes(m), float(seats), widths, origin, replicas=replicas, longest=longest)
