"""From an option to its candidates: lazily, the cheap tests first, everything ruled out counted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from planner.documents.result import Finding
from planner.resolved import Resolved
from planner.search.candidate import Candidate, Option, Tools
from planner.search.fit import fitted, free_share
from planner.search.layouts import Layout, Space, layouts
from planner.search.ledger import Ledger
from planner.search.task import Task
from planner.units import human_bytes

UNPLANNED = frozenset({
    "tp-across-nodes-needs-fabric", "engine-lists-model", "engine-chip-unknown", "context-beyond-positions",
})  # fmt: skip
"""Remarks that the search takes as a no: tensor ranks over a network that nobody named, an engine that is not known
to run the model or the chip."""
FIXED_BY_OPTION = frozenset({
    "engine-on-chip", "engine-chip-unknown", "engine-has-feature", "engine-knows-model", "engine-lists-model",
    "weights-format-on-chip", "bf16-on-chip", "kv-dtype-on-chip", "kv-dtype-of-engine", "context-beyond-positions",
})  # fmt: skip
"""Rules that no layout changes; ``engine-has-feature`` only as far as the model asks for the feature."""


def explore(option: Option, task: Task, tools: Tools, ledger: Ledger) -> Iterator[Candidate]:
    """Every layout of an option that is legal, fits and runs."""
    space = space_of(option)
    choices = list(_choices(option, space, task))
    ledger.consider(len(choices))
    refusal = _refusal(option, task, tools)
    if refusal is not None:
        ledger.reject(refusal, option.title, len(choices))
        return
    smallest: int | None = None
    for layout in choices:
        idle = smallest is not None and layout.replica > smallest and _leaves_idle(layout, space, task)
        found = _IDLE if idle else _candidate(option, layout, task, tools)
        if isinstance(found, Candidate):
            smallest = smallest or layout.replica
            yield found
        else:
            ledger.reject(found, f"{option.title} · {layout}", closeness=layout.replica / option.model_bytes)


_IDLE = Finding(
    "idle-devices", "one replica of a larger group than needed leaves devices idle", "replicas, or the smaller group"
)


def _leaves_idle(layout: Layout, space: Space, task: Task) -> bool:
    """Larger groups are looked at with every device in use; fewer devices are what the smallest group is for."""
    return task.goal not in ("fewest-gpus", "latency") and 2 * layout.gpus <= space.per_node * space.nodes


def space_of(option: Option) -> Space:
    """What bounds the layouts of an option's group."""
    cluster = option.base.cluster
    row = cluster.device.accelerator
    fast = bool(row and row.link_bytes_s) or (cluster.link is not None and cluster.link.switched)
    return Space(option.group.per_node, option.group.nodes, fast, option.group.slice is not None)


def _choices(option: Option, space: Space, task: Task) -> Iterator[Layout]:
    if option.local:
        yield from (
            Layout(pp=n) for n in sorted({1, *(2**i for i in range(1, 5)), space.per_node}) if n <= space.per_node
        )
        return
    yield from layouts(
        option.shape, space, task.goal, attention_dp=option.shape.replicated_kv or len(option.shape.experts) > 0
    )


def _refusal(option: Option, task: Task, tools: Tools) -> Finding | None:
    """A rule that every layout of the option breaks."""
    base = option.base
    if task.must_context is not None:
        base = replace(base, serving=replace(base.serving, max_model_len=task.must_context))
    found = tools.check(base)
    errors = [f for f in found if (f.severity == "error" or f.rule in UNPLANNED) and f.rule in FIXED_BY_OPTION]
    return errors[0] if errors else None


def _candidate(option: Option, layout: Layout, task: Task, tools: Tools) -> Candidate | Finding:
    short = _cannot_hold(option, layout, task)
    if short is not None:
        return short
    resolved = laid_out(option, layout)
    refused = [f for f in tools.check(resolved) if f.severity == "error" or f.rule in UNPLANNED]
    if refused:
        return refused[0]
    result = fitted(option, resolved, task, tools)
    if isinstance(result, Finding):
        return result
    resolved, memory = result
    speed = tools.speed(resolved, memory)
    length = max(task.workload.isl + task.workload.osl + task.workload.context, 1.0)
    seqs = resolved.serving.parallel if option.local else resolved.serving.max_num_seqs * layout.attention_dp
    users = min(memory.kv_tokens.value / length, seqs) * layout.dp
    return Candidate(option, layout, resolved, memory, speed, _gpus(option, layout), users)


def _gpus(option: Option, layout: Layout) -> int:
    return 0 if option.group.is_cpu else layout.gpus


def laid_out(option: Option, layout: Layout) -> Resolved:
    """The option's deployment in a layout, on as many nodes as it needs."""
    base = option.base
    if option.local:
        cluster = replace(base.cluster, per_node=layout.pp, nodes=1, fabric=None)
        return replace(base, cluster=cluster)
    nodes = max(1, math.ceil(layout.gpus / option.group.per_node))
    cluster = replace(base.cluster, nodes=nodes, fabric=base.cluster.fabric if nodes > 1 else None)
    serving = replace(
        base.serving, tp=layout.tp, attention_dp=layout.attention_dp, pp=layout.pp, dp=layout.dp, ep=layout.ep
    )
    return replace(base, cluster=cluster, serving=serving)


def _cannot_hold(option: Option, layout: Layout, task: Task) -> Finding | None:
    """The weights alone, cut evenly, exceed the devices: nothing else needs to be computed."""
    device = option.base.cluster.device.memory_bytes
    if option.local:
        return _cannot_place(option, layout, device)
    if not math.isfinite(device):
        return None
    room = device * free_share(option.group, task.policy.highest_utilization, 1.0) * layout.replica
    if option.model_bytes <= room:
        return None
    devices = math.ceil(option.model_bytes / (room / layout.replica) * 1.05)
    message = (
        f"{human_bytes(option.model_bytes)} of weights do not fit into {layout.replica} × {human_bytes(device)}, "
        f"at least {devices} such devices are needed"
    )
    nodes = math.ceil(devices / option.group.per_node)
    change = {"hardware.nodes": nodes} if nodes > option.group.nodes else {}
    fix = f"smaller weights, or {nodes} nodes of {option.group.per_node}" if change else "a larger group of them"
    return Finding("does-not-fit", message, fix, "error", change)


def _cannot_place(option: Option, layout: Layout, device: float) -> Finding | None:
    """The file is larger than the devices and the host's memory together."""
    host = 0.0 if option.group.is_cpu else option.base.cluster.host.ram_bytes or 0.0
    room = device * layout.pp + host
    if option.model_bytes <= room:
        return None
    message = f"a file of {human_bytes(option.model_bytes)} does not fit into {human_bytes(room)}"
    return Finding("does-not-fit", message, "smaller weights, more devices or more host memory")
