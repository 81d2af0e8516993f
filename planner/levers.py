"""What would make a deployment faster: one thing changed at a time, and what that does to each phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.documents.deployment import Deployment, SpeculativeTable
from planner.documents.result import Lever, Performance
from planner.drafts import with_drafts
from planner.engines.registry import engine_profile
from planner.estimate import Estimate
from planner.legality import check, is_legal
from planner.predict import memory_of, performance_of, verdict_of
from planner.resolve import resolve
from planner.resolved import Cluster, Resolved

if TYPE_CHECKING:
    from planner.library import Library

_MORE = 1.25
"""Factor on a property of the hardware."""
_LEAST_GAIN = 0.01
Change = Callable[[Resolved], Resolved | None]
"""The deployment with one thing changed; None where it has no such thing."""


def levers(deployment: Deployment, library: Library) -> tuple[Lever, ...]:
    """Changes that help any figure by a hundredth or more, the most helpful first."""
    if deployment.finetune is not None or deployment.hardware is None:
        return ()
    resolved = resolve(deployment, library)
    before, _ = performance_of(resolved, memory_of(resolved), library)
    if before is None:
        return ()
    return tuple(sorted(_all(resolved, before, library), key=lambda lever: -_best(lever)))


def _all(resolved: Resolved, before: Performance, library: Library) -> Iterator[Lever]:
    for name, kind, change in _CHANGES:
        other = change(resolved)
        if other is None or (kind == "setting" and not is_legal(check(other, library.support))):
            continue
        memory = memory_of(other)
        if verdict_of(other, memory)[0] == "does-not-fit":
            continue
        after, _ = performance_of(other, memory, library)
        if after is None:
            continue
        lever = Lever(
            name=name,
            kind=kind,
            ttft=_gain(before.ttft_s, after.ttft_s),
            tpot=_gain(before.tpot_s, after.tpot_s),
            throughput=_gain(after.output_tok_s, before.output_tok_s),
            stable_rate=_gain(after.stable_request_s, before.stable_request_s),
        )
        if _best(lever) >= _LEAST_GAIN:
            yield lever


def _gain(more: Estimate | None, less: Estimate | None) -> float | None:
    """By what share the first is above the second."""
    if more is None or less is None or less.value <= 0:
        return None
    return more.value / less.value - 1


def _best(lever: Lever) -> float:
    return max(gain or 0.0 for gain in (lever.ttft, lever.tpot, lever.throughput, lever.stable_rate))


def _device(**factors: float) -> Change:
    """An accelerator with more of something."""

    def change(resolved: Resolved) -> Resolved | None:
        device = resolved.cluster.device
        row = device.accelerator
        if row is None:
            return None
        values: dict[str, Any] = {}
        if "bandwidth" in factors and row.bandwidth_bytes_s:
            values["bandwidth_bytes_s"] = row.bandwidth_bytes_s * factors["bandwidth"]
        if "compute" in factors:
            values["peak_flop_s"] = {name: peak * factors["compute"] for name, peak in row.peak_flop_s.items()}
        memory = device.memory_bytes * factors.get("memory", 1.0)
        other = replace(device, accelerator=replace(row, **values) if values else row, memory_bytes=memory)
        return replace(resolved, cluster=replace(resolved.cluster, device=other))

    return change


def _link(name: str) -> Change:
    def change(resolved: Resolved) -> Resolved | None:
        link = getattr(resolved.cluster, name)
        if link is None or resolved.serving.gpus == 1:
            return None
        faster = replace(link, bytes_s=link.bytes_s * _MORE)
        return replace(resolved, cluster=replace(resolved.cluster, **{name: faster}))

    return change


def _serving(key: str, factor: int) -> Change:
    def change(resolved: Resolved) -> Resolved | None:
        return replace(resolved, serving=replace(resolved.serving, **{key: getattr(resolved.serving, key) * factor}))

    return change


def _wider(resolved: Resolved) -> Resolved | None:
    """Twice the tensor ranks, on devices of the same node."""
    serving, cluster = resolved.serving, resolved.cluster
    wider = replace(serving, tp=2 * serving.tp, ep=2 * serving.ep if serving.ep > 1 else 1)
    roomy = _room_for(cluster, wider.gpus)
    return replace(resolved, serving=wider, cluster=roomy) if roomy else None


def _copies(resolved: Resolved) -> Resolved | None:
    """Twice the replicas, on twice the machines."""
    serving, cluster = resolved.serving, resolved.cluster
    more = cluster if 2 * serving.gpus <= cluster.num_devices else replace(cluster, nodes=2 * cluster.nodes)
    return replace(resolved, serving=replace(serving, dp=2 * serving.dp), cluster=more)


def _room_for(cluster: Cluster, gpus: int) -> Cluster | None:
    if gpus <= cluster.num_devices:
        return cluster
    return replace(cluster, per_node=gpus) if cluster.nodes == 1 and gpus <= 8 and cluster.link else None


def _kv_fp8(resolved: Resolved) -> Resolved | None:
    serving = resolved.serving
    return replace(resolved, serving=replace(serving, kv_cache_dtype="fp8")) if "16" in serving.kv_cache_dtype else None


def _own_drafts(resolved: Resolved) -> Resolved | None:
    """The model's own prediction layers guess a token ahead (DeepSeek, GLM, MiMo, Qwen3-Next)."""
    serving = resolved.serving
    if serving.speculative is not None or not resolved.architecture.mtp:
        return None
    drafting = replace(serving, speculative=SpeculativeTable(method="mtp", tokens=1))
    return replace(resolved, serving=with_drafts(drafting, resolved.architecture, None, {}))


def _newest(resolved: Resolved) -> Resolved | None:
    engine = resolved.engine
    newest = engine_profile(engine.name, engine_profile(engine.name).version, engine.backend)
    later = engine.release is not None and newest.release is not None and newest.release > engine.release
    return replace(resolved, engine=newest) if later else None


_CHANGES: tuple[tuple[str, Any, Change], ...] = (
    ("memory bandwidth + 25 %", "hardware", _device(bandwidth=_MORE)),
    ("compute + 25 %", "hardware", _device(compute=_MORE)),
    ("device memory + 25 %", "hardware", _device(memory=_MORE)),
    ("link between devices + 25 %", "hardware", _link("link")),
    ("network between nodes + 25 %", "hardware", _link("fabric")),
    ("max_num_batched_tokens × 2", "setting", _serving("max_num_batched_tokens", 2)),
    ("max_num_seqs × 2", "setting", _serving("max_num_seqs", 2)),
    ("kv_cache_dtype fp8", "setting", _kv_fp8),
    ("speculative mtp, 1 token", "setting", _own_drafts),
    ("newest release of the engine", "setting", _newest),
    ("tp × 2", "setting", _wider),
    ("dp × 2", "setting", _copies),
)
"""(what changes, its kind, how)."""
