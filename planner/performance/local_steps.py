"""Seconds of a decode step and of a prompt on the devices of a llama.cpp deployment.

Layers run one after the other, so devices add up: a layer split over GPUs does not speed a single request up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from planner.errors import UnknownFact
from planner.memory.gguf_buffers import gpu_count, laid
from planner.memory.gguf_graph import ComputeRules, least_streamed_tokens
from planner.memory.gguf_place import HOST, Placement
from planner.models.architecture import Architecture, MoE
from planner.performance.local_curves import BackendCurve, DeviceCurve, EngineCurve, HostCurve, LocalCurves
from planner.performance.local_host import HostSpeed, host_speed
from planner.performance.local_work import DeviceWork, device_work, experts_of, slowdown, touched_share, weighted
from planner.resolved import Resolved

_NO_BACKEND = BackendCurve((), 1.0, 1.0)


class Reads(NamedTuple):
    """What a decode step reads on one device: bytes weighted by how slowly their ggml type is read."""

    dense: float
    experts: float
    """All routed experts; a step touches a share of them."""


class Machine(NamedTuple):
    """Everything that step times depend on."""

    resolved: Resolved
    curves: LocalCurves
    work: dict[int, DeviceWork]
    reads: dict[int, Reads]
    placement: Placement
    rules: ComputeRules
    moe: MoE | None
    window: float
    """Tokens of the widest sliding window."""
    engine: EngineCurve
    device: DeviceCurve
    backend: BackendCurve
    gpu_bytes_s: float
    gpu_flop_s: float
    host: HostSpeed
    host_flop_s: float

    @property
    def splits_rows(self) -> int:
        """GPUs that work at the same time."""
        return self.placement.gpus if self.placement.rows else 1


def machine(resolved: Resolved, curves: LocalCurves) -> Machine:
    """Looks everything up once. Raises ``UnknownFact`` for a device whose bandwidth nobody knows."""
    found = laid(resolved)
    work = device_work(found.resolved, found.sizes.layout, found.placement)
    return _assembled(found.resolved, curves, found.placement, work, found.sizes.graph.rules)


def rebased(m: Machine, curves: LocalCurves) -> Machine:
    """The same machine under other curves."""
    return _assembled(m.resolved, curves, m.placement, m.work, m.rules)


def _assembled(
    resolved: Resolved,
    curves: LocalCurves,
    placement: Placement,
    work: dict[int, DeviceWork],
    rules: ComputeRules,
) -> Machine:
    row = resolved.cluster.device.accelerator
    bandwidth, flop = 0.0, 0.0
    if row is not None and gpu_count(resolved):
        if not row.bandwidth_bytes_s:
            raise UnknownFact(f"no bandwidth is known for {row.id}")
        bandwidth = row.bandwidth_bytes_s
        peak = row.peak_flop_s.get("fp16") or row.peak_flop_s.get("bf16")
        ratio = curves.flop_per_byte.get(row.architecture or "", curves.flop_per_byte["default"])
        flop = peak or bandwidth * ratio
    vendor = resolved.cluster.device.vendor
    engine, host = curves.engine(resolved.engine), host_speed(resolved.cluster, placement.gpus, curves.host)
    return Machine(
        resolved=resolved,
        curves=curves,
        work=work,
        reads={
            device: _reads(own, curves.cpu_types if device == HOST else curves.gpu_types)
            for device, own in work.items()
        },
        placement=placement,
        rules=rules,
        moe=experts_of(resolved.architecture),
        window=_window(resolved.architecture),
        engine=engine,
        device=curves.device(row) if row is not None else curves.devices[-1],
        backend=curves.backend(resolved.engine.backend, vendor) or _NO_BACKEND,
        gpu_bytes_s=bandwidth,
        gpu_flop_s=flop,
        host=host,
        host_flop_s=_host_flop_s(curves.host, host.cores) * engine.host_prefill,
    )


def _reads(work: DeviceWork, types: Mapping[str, float]) -> Reads:
    return Reads(weighted(work.dense, types), weighted(work.experts, types))


def _window(architecture: Architecture) -> float:
    windows = [c.window for k in architecture.layer_kinds for c in k.caches if c.window]
    return float(max(windows, default=1))


def _host_flop_s(curve: HostCurve, cores: float) -> float:
    """Matrix rate of the CPU: grows slower than its cores, and few cores have no more than their units give."""
    grown = float((cores / curve.reference_cores) ** curve.prefill_exponent)
    return min(curve.prefill_flop_s * grown, cores * curve.core_flop_s)


def decode_step(m: Machine, depth: float, batch: float = 1.0) -> dict[str, float]:
    """Seconds of one step of ``batch`` requests at a context depth, by part: gpu, host, cache, overhead."""
    parts = {"gpu": 0.0, "host": 0.0, "cache": 0.0, "overhead": 0.0}
    touched = touched_share(m.moe, batch) if m.moe else 0.0
    for device, work in m.work.items():
        if device == HOST:
            _host_step(m, work, touched, depth, batch, parts)
        else:
            _gpu_step(m, device, touched, depth, batch, parts)
    parts["overhead"] += max(0, len(m.work) - 1) * m.device.hop_s
    return parts


def _gpu_step(m: Machine, device: int, touched: float, depth: float, batch: float, parts: dict[str, float]) -> None:
    curve, speed = m.device, m.gpu_bytes_s * m.device.share * m.engine.decode * m.backend.decode
    work, reads = m.work[device], m.reads[device]
    read = reads.dense + reads.experts * touched / curve.experts_share
    compute = batch * (work.dense_flop + work.expert_flop) / (m.gpu_flop_s * curve.prefill_share)
    parts["gpu"] += max(read / speed, compute) / m.splits_rows
    parts["overhead"] += work.layers * curve.layer_s + work.expert_layers * curve.experts_layer_s
    cache = batch * (work.cache_bytes * depth + work.window_bytes * min(1.0, depth / m.window))
    parts["cache"] += cache / (m.gpu_bytes_s * curve.kv_share)
    parts["cache"] += batch * work.latent_bytes * depth / (m.gpu_bytes_s * curve.latent_kv_share)


def _host_step(
    m: Machine, work: DeviceWork, touched: float, depth: float, batch: float, parts: dict[str, float]
) -> None:
    curve, speed = m.curves.host, m.host.bytes_s * m.curves.host.share * m.engine.host_decode
    reads = m.reads[HOST]
    read = reads.dense + reads.experts * touched / curve.experts_share
    compute = batch * (work.dense_flop + work.expert_flop) / m.host_flop_s
    parts["host"] += max(read / speed, compute)
    parts["overhead"] += (work.layers * curve.layer_s + work.expert_layers * curve.experts_layer_s) * _barrier(m)
    cache = batch * (work.cache_bytes * depth + work.window_bytes * min(1.0, depth / m.window))
    parts["cache"] += cache / (m.host.bytes_s * curve.kv_share)
    parts["cache"] += batch * work.latent_bytes * depth / (m.host.bytes_s * curve.latent_kv_share)


def _barrier(m: Machine) -> float:
    """Cost of a barrier over all threads against the reference machine."""
    return m.host.cores / m.curves.host.reference_cores


def prompt_seconds(m: Machine, tokens: float, depth: float) -> dict[str, float]:
    """Seconds of a prompt of ``tokens`` after ``depth`` cached ones, by part."""
    parts = {"gpu": 0.0, "host": 0.0, "stream": 0.0, "attention": 0.0, "overhead": 0.0}
    tokens = max(1.0, tokens)
    chunk = min(tokens, float(m.resolved.serving.ubatch))
    chunks = tokens / chunk
    mean_depth = depth + tokens / 2
    for device, work in m.work.items():
        if device == HOST and not _streams(m, chunk):
            _host_prompt(m, work, chunk, mean_depth, parts)
        else:
            _gpu_prompt(m, work, chunk, mean_depth, parts, streamed=device == HOST)
    return {name: seconds * chunks for name, seconds in parts.items()}


def _streams(m: Machine, chunk: float) -> bool:
    """Whether the engine copies host weights to a GPU for a chunk of this size."""
    return m.placement.gpus > 0 and chunk >= least_streamed_tokens(m.rules, m.moe)


def _gpu_prompt(
    m: Machine, work: DeviceWork, chunk: float, depth: float, parts: dict[str, float], *, streamed: bool
) -> None:
    curve, types = m.device, m.curves.prefill_types
    rate = m.gpu_flop_s * m.engine.prefill * m.backend.prefill
    touched = touched_share(m.moe, chunk) if m.moe else 0.0
    dense = max(
        (chunk + curve.half_tokens) * work.dense_flop * slowdown(work.dense, types) / (rate * curve.prefill_share),
        sum(work.dense.values()) / (m.gpu_bytes_s * curve.share),
    )
    experts = chunk * work.expert_flop * slowdown(work.experts, types) / (rate * curve.experts_prefill_share)
    experts += sum(work.experts.values()) * touched / (m.gpu_bytes_s * curve.share * curve.experts_share)
    parts["gpu"] += (dense + experts) / m.splits_rows
    if streamed:
        size = sum(work.dense.values()) + sum(work.experts.values()) * touched
        parts["stream"] += size / _link_bytes_s(m)
    attention = work.attention_flop / curve.attention_prefill_share + work.latent_flop / curve.latent_prefill_share
    parts["attention"] += chunk * depth * attention / rate
    parts["overhead"] += work.layers * curve.layer_s + work.expert_layers * curve.experts_layer_s


def _host_prompt(m: Machine, work: DeviceWork, chunk: float, depth: float, parts: dict[str, float]) -> None:
    rate, curve = m.host_flop_s, m.curves.host
    touched = touched_share(m.moe, chunk) if m.moe else 0.0
    size = sum(work.dense.values()) + sum(work.experts.values()) * touched
    read = size / (m.host.bytes_s * curve.share)
    types = m.curves.cpu_prefill_types
    products = work.dense_flop * slowdown(work.dense, types) + work.expert_flop * slowdown(work.experts, types)
    parts["host"] += max(chunk * products / rate, read)
    attention = work.attention_flop / curve.attention_prefill_share + work.latent_flop / curve.latent_prefill_share
    parts["attention"] += chunk * depth * attention / rate
    parts["overhead"] += work.layers * curve.layer_s * _barrier(m)


def _link_bytes_s(m: Machine) -> float:
    """Copies of host weights to a GPU: a share of PCIe, and never faster than pageable memory is copied."""
    row, curve = m.resolved.cluster.device.accelerator, m.curves.host
    link = (row.pcie_bytes_s if row else None) or curve.stream_bytes_s
    return min(link * curve.stream_share, curve.stream_bytes_s)
