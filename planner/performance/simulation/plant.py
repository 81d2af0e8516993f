"""From a resolved deployment to what a simulation needs: rules of its scheduler, step times, ranges of its figures."""

from __future__ import annotations

from dataclasses import dataclass

from planner.documents.result import ServingMemory
from planner.estimate import Origin, worst_origin
from planner.performance.batching import Batching
from planner.performance.chip import chip_of
from planner.performance.curves import Curves
from planner.performance.latencies import Widths
from planner.performance.serving import demand_of, model_of, widths_of
from planner.performance.simulation.group import Rules
from planner.performance.simulation.run import Plant
from planner.performance.simulation.times import StepTimes
from planner.resolved import Resolved


@dataclass(frozen=True, slots=True)
class Bench:
    """One replica ready to be simulated."""

    plant: Plant
    times: StepTimes
    batching: Batching
    widths: Widths
    origin: Origin


def bench_of(resolved: Resolved, memory: ServingMemory, curves: Curves) -> Bench:
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
    origin = worst_origin("formula", chip.origin)
    return Bench(plant, times, batching, widths_of(resolved, batching, chip), origin)
