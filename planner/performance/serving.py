"""Speed of vLLM, SGLang, TensorRT-LLM and engines of that kind: first token, next tokens, throughput."""

from __future__ import annotations

import math
from dataclasses import replace

from planner.documents.result import Performance, ServingMemory
from planner.engines.registry import backend_of
from planner.estimate import Estimate, Origin, worst_origin
from planner.memory.serving import serving_memory
from planner.performance.batching import Batching
from planner.performance.chip import Chip, chip_of
from planner.performance.curves import Curves, family
from planner.performance.demand import Demand, Outcome
from planner.performance.disaggregation import Disaggregated, Side, transfer_s
from planner.performance.latencies import Widths, latencies, stability
from planner.performance.loads import Met, apart, together
from planner.performance.operators import layout_of, operators_of
from planner.performance.overheads import overheads_of
from planner.performance.speculative import speculation
from planner.performance.step import Step, StepModel, step_model
from planner.performance.tails import Tails
from planner.performance.vision import images_s
from planner.resolved import Resolved, Workload, prefill_side

_TIGHT = 0.03
"""Share of a device that is left for the cache where the prediction says none is."""
_POOL = 1.3
"""How far (factor) the requests that really fit may lie from the predicted ones: lengths vary, pools differ."""
_WIDTH = {"measured": 1.0, "published": 1.0, "formula": 1.0, "assumed": 1.3}
"""Factor on the interval by the origin of a chip's laws."""


def serving_performance(resolved: Resolved, memory: ServingMemory, curves: Curves) -> Performance:
    """Speed at the workload. Raises UnknownFact naming a missing fact."""
    chip = chip_of(resolved.cluster.device.accelerator, resolved.cluster.host, curves)
    model = model_of(resolved, chip, curves)
    batching = Batching(model, demand_of(resolved, memory, model))
    if (side := prefill_side(resolved)) is not None:
        return _performance(resolved, _apart(side, resolved, (memory, batching), curves), chip)
    return _performance(resolved, together(batching, resolved.workload, max(resolved.serving.dp, 1)), chip)


def _apart(side: Resolved, resolved: Resolved, decode: tuple[ServingMemory, Batching], curves: Curves) -> Met:
    """Prefill workers beside those that decode."""
    chip = chip_of(side.cluster.device.accelerator, side.cluster.host, curves)
    memory, batching = decode
    model, own = model_of(side, chip, curves), serving_memory(side)
    first = Batching(model, replace(batching.demand, budget=budget_of(side)))
    load = resolved.workload
    workers = Disaggregated(
        Side(model, demand_of(side, own, model), side.serving.dp),
        Side(batching.model, batching.demand, max(resolved.serving.dp, 1)),
        transfer_s(resolved.cluster, own, memory, load.context + load.isl),
        load.isl_cv,
    )
    return apart(workers, first, load)


def model_of(resolved: Resolved, chip: Chip, curves: Curves) -> StepModel:
    """The compiled step model of a deployment."""
    layout = layout_of(resolved.serving)
    operators = operators_of(resolved.architecture, resolved.quantization, layout)
    device = resolved.cluster.device.accelerator
    backend = resolved.engine.backend or backend_of(device.vendor, device.name) if device else "cpu"
    split = resolved.engine.fact("attention.split_latent")
    over = overheads_of(
        resolved.engine,
        backend,
        family(device) if device else "",
        curves,
        eager=resolved.serving.enforce_eager,
        serial_latent=split is not None and resolved.architecture.model_type not in split,
    )
    return step_model(operators, layout, chip, resolved.cluster, over)


def demand_of(resolved: Resolved, memory: ServingMemory, model: StepModel) -> Demand:
    """The load of one replica with the slots that engine and KV pool give."""
    serving, load = resolved.serving, resolved.workload
    osl = max(load.osl, 1.0)
    length = load.context + load.isl + osl
    pool = max(memory.kv_tokens.value, _tightest_pool(resolved, memory)) * _windowed(resolved, model, length)
    held = load.context + load.isl * (1 - load.prefix_hit_rate) + osl * model.over.reserve
    limit = slots = float(serving.max_num_seqs * serving.attention_dp)
    if pool > 0 and held > 0:
        slots = min(limit, max(pool / max(held, length * 0.5), 1.0))
    drafts = speculation(resolved)
    return Demand(
        isl=max(load.isl, 1.0),
        osl=osl,
        cached=load.isl * load.prefix_hit_rate,
        context=load.context,
        budget=budget_of(resolved),
        slots=slots,
        limit=limit,
        pool=pool,
        pp=serving.pp,
        draft=drafts.drafted,
        accepted=drafts.kept,
        drafting=drafts.layers,
        images_s=images_s(resolved, model.chip, model.over),
        late=model.over.late_slots if "serving.max_num_seqs" in resolved.assumed else 0.0,
    )


def budget_of(resolved: Resolved) -> float:
    """Tokens of one step of one attention group; engines may share the flag's value among the groups."""
    groups = resolved.serving.attention_dp if resolved.engine.fact("scheduler", {}).get("shared_budget") else 1
    return max(resolved.serving.max_num_batched_tokens / groups, 1.0)


def _windowed(resolved: Resolved, model: StepModel, length: float) -> float:
    """Tokens that a pool holds in requests of ``length`` against those in requests of max_model_len.

    Sliding layers keep their window at most (and a step's tokens while a prompt passes): a shorter request keeps
    every token in all layers. Engines with a fixed split, or without windows, hold the same tokens at any length.
    """
    layers, rules = model.operators.attention, resolved.engine.fact("kv", {})
    if all(op.window is None for op in layers) or rules.get("style") == "split" or rules.get("hybrid") is False:
        return 1.0

    def kept(tokens: float, step: float) -> float:
        limits = (tokens if op.window is None else min(tokens, op.window + step) for op in layers)
        return sum(op.count * op.kv_token_bytes * limit for op, limit in zip(layers, limits, strict=True)) / tokens

    serving = resolved.serving
    longest = max(float(serving.max_model_len), length)
    return min(kept(longest, serving.max_num_batched_tokens) / max(kept(length, 0.0), 1e-9), 1.0)


def _tightest_pool(resolved: Resolved, memory: ServingMemory) -> float:
    """Tokens to reckon with where nothing is left for the cache: what a barely fitting deployment would have."""
    spare = _TIGHT * resolved.cluster.device.memory_bytes
    if memory.kv_bytes_per_token <= 0 or not math.isfinite(spare):
        return 0.0
    return spare * resolved.serving.attention_dp / memory.kv_bytes_per_token


def _performance(resolved: Resolved, met: Met, chip: Chip) -> Performance:
    load, batching, outcome = resolved.workload, met.batching, met.outcome
    origin: Origin = worst_origin("formula", chip.origin)
    widths = widths_of(resolved, batching, chip)
    replicas = max(resolved.serving.dp, 1)
    demand = batching.demand
    rate = outcome.request_s * replicas

    def figure(value: float, width: float, **terms: float) -> Estimate:
        return Estimate(value / (1 + width), value, value * (1 + width), origin, terms)

    prompt = batching.alone + batching.model.over.prefill_s
    decodes = load.osl > 1 and outcome.tpot_s > 0
    return Performance(
        ttft_s=_with_pool(
            figure(outcome.ttft_s, widths.first, prompt=prompt, waiting=max(outcome.ttft_s - prompt, 0.0)),
            outcome,
            demand.slots,
            (load.concurrency or 0.0) / replicas,
        ),
        tpot_s=figure(outcome.tpot_s, widths.token, **_terms(outcome)) if decodes else None,
        decode_tok_s=figure(1 / outcome.tpot_s, widths.token) if decodes else None,
        prefill_tok_s=figure(demand.isl / prompt, widths.first),
        output_tok_s=figure(rate * demand.osl, widths.rate),
        total_tok_s=figure(rate * (demand.isl + demand.osl), widths.rate),
        request_s=figure(rate, widths.rate),
        bound={
            "prefill": _bound(outcome.prefill, chip, compute=True),
            "decode": _bound(outcome.decode, chip),
            **met.bound,
        },
        **_tails(load, met, widths, origin),
    )


def _tails(load: Workload, met: Met, widths: Widths, origin: Origin) -> dict[str, Estimate]:
    """Percentiles, and how near an open loop is to its limit."""
    if load.saturated:
        return {}
    tails = Tails(met.outcome, met.batching, load.isl_cv, met.pace)
    times = latencies(tails, load.service_level, widths, origin)
    return times | stability(met.limit, met.outcome.load, widths, origin)


def _with_pool(first: Estimate, outcome: Outcome, slots: float, concurrency: float) -> Estimate:
    """The range of the first token with what a pool that holds fewer or more requests makes of the wait for a slot."""
    if concurrency * _POOL <= slots or first.value <= 0:
        return first
    each = outcome.cycle_s / max(outcome.in_flight, 1e-9)
    wait = min(outcome.slot_s, first.value)
    most = each * _POOL * max(concurrency - slots / _POOL, 0.0)
    least = each / _POOL * max(concurrency - slots * _POOL, 0.0)
    width = first.high / first.value
    low, high = (first.value - wait + min(least, wait)) / width, (first.value - wait + max(most, wait)) * width
    return replace(first, low=max(min(low, first.low), 0.0), high=max(high, first.high))


def widths_of(resolved: Resolved, batching: Batching, chip: Chip) -> Widths:
    """Wider for chips without timings and for releases outside the known ones."""
    over = batching.model.over
    factor = _WIDTH[chip.origin] * (1.0 if resolved.engine.exact else 1.15)
    if resolved.workload.saturated:
        return Widths(*(over.spread_offline * factor,) * 3)
    return Widths(over.spread * factor, over.spread_first * factor, over.spread_rate * factor)


def _terms(outcome: Outcome) -> dict[str, float]:
    step = outcome.decode
    return {
        "projections": step.products + step.head,
        "attention": step.attention,
        "experts": step.experts,
        "communication": step.communication,
        "small_kernels": step.elementwise,
        "host": step.host,
        "prompts_of_others": max(outcome.tpot_s - step.seconds, 0.0),
    }


def _bound(step: Step, chip: Chip, *, compute: bool = False) -> str:
    """The part that takes most of a step."""
    work = step.products + step.experts + step.head
    parts = {
        "compute" if compute else "weights bandwidth": work,
        "attention compute" if compute else "KV bandwidth": step.attention,
        "communication": step.communication,
        "small kernels": step.elementwise,
        "host scheduling": step.host,
    }
    return max(parts, key=parts.__getitem__)
