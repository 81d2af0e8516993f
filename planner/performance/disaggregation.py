"""Prompts and answers on devices of their own: prefill workers, a transfer of the KV cache, decode workers.

Symbols: λ requests per second; P and D workers that take p and q of them per second at most; T seconds of a transfer.
λ is at most the least of P·p, D·q and what the links carry, min(P, D)/T. Time to the first token: prefill queue and
prompt, T, and the step of the decode worker that a request joins. Decode steps carry no prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from planner.documents.result import ServingMemory
from planner.performance.batching import Batching
from planner.performance.collectives import FABRIC_SHARE
from planner.performance.demand import Added, Demand, Outcome, Waits
from planner.performance.queueing import OpenLoop
from planner.performance.step import Load, Step, StepModel
from planner.performance.waits import BUSIEST
from planner.resolved import Cluster

_UNNAMED_BYTES_S, _UNNAMED_LATENCY_S = 1.5e10, 2e-5
"""Of a network or link that is not named: half of PCIe 4.0 x16, one direction."""
_STEPS = 24


class DecodeWorkers(Batching):
    """Requests arrive with their prompt computed."""

    def _prompt_alone(self) -> tuple[float, Step]:
        return 0.0, self.model.step(Load(1.0, context=self.demand.context + self.demand.isl))

    def marginal(self, running: float, together: float, plain_s: float = 0.0) -> Added:
        """A request that joins adds nothing but its own decoding."""
        return Added(0.0, plain_s or self.decode(max(running, 1.0)).seconds, 0.0)


@dataclass(frozen=True, slots=True)
class Side:
    """Workers of one kind: the model of a step, the load of one, how many there are."""

    model: StepModel
    demand: Demand
    workers: int


def transfer_s(cluster: Cluster, prefill: ServingMemory, decode: ServingMemory, tokens: float) -> float:
    """Seconds to hand over the KV cache of one request, all ranks at the same time.

    The slower end counts: what one rank sends or receives, over its link inside a node, over the fabric between nodes.
    Engines that send layer by layer hide a part of it behind the prompt.
    """
    each = max(prefill.kv_bytes_per_token, decode.kv_bytes_per_token) * tokens
    link = cluster.fabric if cluster.nodes > 1 else cluster.link
    if link is None:
        return _UNNAMED_LATENCY_S + each / (_UNNAMED_BYTES_S * FABRIC_SHARE)
    return link.latency_s + each / (link.bytes_s * FABRIC_SHARE)


class Disaggregated:
    """Both kinds of workers at a load of the whole deployment."""

    def __init__(self, prefill: Side, decode: Side, handover_s: float, isl_cv: float = 0.0) -> None:
        self.prefill, self.decode, self.handover_s = prefill, decode, max(handover_s, 1e-9)
        first = replace(prefill.demand, osl=1.0, draft=0.0, accepted=1.0)
        self.first = OpenLoop(Batching(prefill.model, first), isl_cv)
        self.next = OpenLoop(DecodeWorkers(decode.model, replace(decode.demand, images_s=0.0)))
        self.limits: Mapping[str, float] = {
            "prefill workers": prefill.workers * self.first.capacity,
            "decode workers": decode.workers * self.next.capacity,
            "KV transfer": min(prefill.workers, decode.workers) / self.handover_s,
        }
        self.capacity = min(self.limits.values())
        """Requests per second of the whole deployment."""

    @property
    def bound(self) -> str:
        """Which of the three gives way first."""
        return min(self.limits, key=self.limits.__getitem__)

    def at(self, rate: float) -> Outcome:
        """One decode worker's share of the deployment at ``rate``."""
        load, rate = rate / self.capacity, min(rate, BUSIEST * self.capacity)
        first, after = self.first.at(rate / self.prefill.workers), self.next.at(rate / self.decode.workers)
        waits = self._waits(first.waits, after.waits)
        ttft = first.ttft_s + self.handover_s + after.waits.mean if after.waits else first.ttft_s
        decoding = after.cycle_s - after.ttft_s
        cycle = ttft + decoding
        return replace(
            after,
            ttft_s=ttft,
            cycle_s=cycle,
            in_flight=rate / self.decode.workers * cycle,
            prefill=first.prefill,
            load=load,
            waits=waits,
            slot_s=waits.slot,
        )

    def _waits(self, first: Waits | None, after: Waits | None) -> Waits:
        first, after = first or Waits(0.0), after or Waits(0.0)
        own = first.own + self.handover_s + after.own
        residual, queue = first.residual + after.residual, first.queue + after.queue
        return Waits(own, residual, queue, first.variance + after.variance, after.slot, after.slot_share)

    def closed(self, concurrency: float) -> Outcome:
        """The rate at which ``concurrency`` requests are somewhere on their way; more than fit wait for a worker."""
        low, high = 0.0, BUSIEST * self.capacity
        full = self.at(high)
        if full.in_flight * self.decode.workers <= concurrency:
            wait = concurrency / high - full.cycle_s
            waits = full.waits or Waits(0.0)
            slot = waits.slot + wait
            waits = waits._replace(slot=slot, slot_share=1.0)
            flight = concurrency / self.decode.workers
            return replace(
                full,
                ttft_s=full.ttft_s + wait,
                cycle_s=concurrency / high,
                in_flight=flight,
                waits=waits,
                slot_s=slot,
                load=0.0,
            )
        outcome = full
        for _ in range(_STEPS):
            middle = (low + high) / 2
            outcome = self.at(middle)
            if outcome.in_flight * self.decode.workers < concurrency:
                low = middle
            else:
                high = middle
        return replace(outcome, load=0.0)

    def saturated(self) -> Outcome:
        """As many requests as keep the narrowest part busy."""
        return replace(self.at(self.capacity), load=0.0)
