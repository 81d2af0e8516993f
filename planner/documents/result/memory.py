"""Memory of a serving deployment: devices, host, start."""

from __future__ import annotations

from dataclasses import dataclass

from planner.estimate import Estimate


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Bytes on the worst rank.

    ``kv_cache`` is the pool the engine would allocate, ``kv_needed`` what the workload uses.
    """

    weights: Estimate
    kv_cache: Estimate
    kv_needed: Estimate
    activations: Estimate
    cuda_graphs: Estimate
    non_torch: Estimate
    total: Estimate
    capacity: Estimate


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Buffers as llama.cpp lists them."""

    device: str
    weights: Estimate
    kv_cache: Estimate
    compute: Estimate
    recurrent: Estimate | None = None
    """State of recurrent layers; None for models without any."""


@dataclass(frozen=True, slots=True)
class HostMemory:
    """RAM of one node, in bytes, beside ``host_ram``, which is what stays while it serves."""

    loading: Estimate
    """While the weights are read; its high end holds the whole checkpoint in the page cache."""
    pinned: Estimate
    """Locked for the devices: offloaded weights, offloaded KV blocks."""
    page_cache: Estimate
    """Of the checkpoint's files, as far as RAM is left; taken back when others need it."""
    kv_tokens: Estimate | None = None
    """Context tokens of one replica that offloaded KV blocks hold; None without offload."""


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds of a start."""

    load_s: Estimate
    """Reading the weights."""
    start_s: Estimate
    """To the first answer."""
    probe_s: Estimate
    """That a start-up probe should wait."""


@dataclass(frozen=True, slots=True)
class ServingMemory:
    """Memory of a serving deployment."""

    per_gpu: GpuMemory
    kv_bytes_per_token: float
    """Of one context token on one GPU, all layers that keep every token."""
    kv_tokens: Estimate
    """True capacity in tokens of context of one replica."""
    max_concurrency: Estimate
    """Requests of ``max_model_len`` that the pool of one replica holds."""
    kv_tokens_printed: Estimate | None = None
    max_context: Estimate | None = None
    """The longest max_model_len at which the pools hold as many requests as the load has in flight."""
    host_ram: Estimate | None = None
    disk: float | None = None
    host: HostMemory | None = None
    startup: Startup | None = None
    devices: tuple[DeviceMemory, ...] = ()
