"""From a resolved deployment to what a simulation needs: rules of its scheduler, step times, ranges of its figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from planner.documents.result import ServingMemory
from planner.estimate import Origin, worst_origin
from planner.memory.serving import serving_memory
from planner.performance.batching import Batching
from planner.performance.chip import chip_of
from planner.performance.curves import Curves
from planner.performance.disaggregation import transfer_s
from planner.performance.latencies import Widths
from planner.performance.serving import demand_of, model_of, widths_of
from planner.performance.simulation.apart import run_apart
from planner.performance.simulation.group import Rules
from planner.performance.simulation.requests import Request
from planner.performance.simulation.run import Course, Run, run
from planner.performance.simulation.times import StepTimes, Times
from planner.performance.simulation.worker import Plant
from planner.resolved import Resolved, prefill_side


@dataclass(frozen=True, slots=True)
class Bench:
    """One replica ready to be simulated."""

    plant: Plant
    times: Times
    slots: float
    """Requests that engine and pool hold."""
    widths: Widths
    origin: Origin
    replicas: int = 1
    late: int = 0
    """Clients of a closed loop that wait for a slot at all times."""
    longest: float = 0.0
    """Tokens of a request at most; 0: the document says."""

    def run(self, requests: Iterator[Request], course: Course) -> Run:
        """One run."""
        return run(self._seated(course), self.times, requests, course)

    def _seated(self, course: Course) -> Plant:
        """With fewer seats where an engine keeps some clients waiting (a slot for padding)."""
        if not self.late or course.concurrency is None or not course.staggered:
            return self.plant
        each = max(-(-(course.concurrency - self.late) // (self.plant.groups * self.plant.lanes)), 1)
        rules = replace(self.plant.rules, seats=min(self.plant.rules.seats, each))
        return replace(self.plant, rules=rules)


@dataclass(frozen=True, slots=True)
class EngineBench(Bench):
    """Of vLLM, SGLang, TensorRT-LLM and engines of that kind, with their closed form."""

    batching: Batching = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class ApartBench(EngineBench):
    """Prefill workers beside those that decode: all of them are one replica."""

    prefill: tuple[Plant, Times] = None  # type: ignore[assignment]
    workers: tuple[int, int] = (1, 1)
    """That compute prompts, and that decode."""
    handover_s: float = 0.0

    def run(self, requests: Iterator[Request], course: Course) -> Run:
        """One run of all workers."""
        first, count = self.prefill, self.workers
        return run_apart((*first, count[0]), (self.plant, self.times, count[1]), self.handover_s, requests, course)


def bench_of(resolved: Resolved, memory: ServingMemory, curves: Curves) -> EngineBench:
    """Raises UnknownFact naming a missing fact."""
    chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, curves)
    model = model_of(resolved, chip, curves)
    demand, serving, over = demand_of(resolved, memory, model), resolved.serving, model.over
    groups, lanes = serving.attention_dp, serving.pp
    rules = Rules(
        seats=max(serving.max_num_seqs // lanes, 1),
        budget=demand.budget,
        pool=demand.pool / (groups * lanes),
        reserve=float(resolved.engine.fact("scheduler.reserve", 0.0)),
        prefill_first=over.prefill_first,
        accepted=demand.accepted,
        draft=demand.draft,
        block=float(serving.block_size),
    )
    plant = Plant(
        rules,
        groups,
        lanes,
        context=demand.context,
        hit_rate=resolved.workload.prefix_hit_rate,
        prefill_s=over.prefill_s,
        images_s=demand.images_s,
        frontend_request_s=over.frontend_request_s,
        frontend_token_s=over.frontend_token_s,
    )
    batching = Batching(model, demand)
    times = StepTimes(model, groups, draft=demand.draft, drafting=demand.drafting)
    return EngineBench(
        plant,
        times,
        demand.slots,
        widths_of(resolved, batching, chip),
        worst_origin("formula", chip.origin),
        replicas=max(serving.dp, 1),
        late=round(demand.late),
        batching=batching,
    )


def apart_bench_of(resolved: Resolved, memory: ServingMemory, curves: Curves) -> ApartBench:
    """Of a disaggregated deployment. Raises UnknownFact naming a missing fact."""
    side = prefill_side(resolved)
    assert side is not None
    own = serving_memory(side)
    decode, prefill = bench_of(resolved, memory, curves), bench_of(side, own, curves)
    load = resolved.workload
    return ApartBench(
        replace(decode.plant, images_s=0.0),
        decode.times,
        decode.slots * decode.replicas + prefill.replicas,
        decode.widths,
        worst_origin(decode.origin, prefill.origin),
        batching=decode.batching,
        prefill=(prefill.plant, prefill.times),
        workers=(prefill.replicas, decode.replicas),
        handover_s=transfer_s(resolved.cluster, own, memory, load.context + load.isl),
    )
