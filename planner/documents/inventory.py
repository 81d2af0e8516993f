"""The inventory: what machines there are, as detected, recorded, simulated or written by hand.

``None`` always means "not reported"; a state and never a 0. Bytes, bytes per second, watts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

MatchState = Literal["exact", "ambiguous", "unknown"]


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """A process that holds device memory."""

    pid: int | None
    name: str | None
    used_bytes: int | None


@dataclass(frozen=True, slots=True)
class MigSlice:
    """One MIG (or equivalent) slice with its own memory."""

    profile: str
    uuid: str | None = None
    total_bytes: int | None = None
    used_bytes: int | None = None
    sm_count: int | None = None
    """Multiprocessors it may use: its share of the compute."""
    accelerator: str | None = None
    """hwdb id of the slice ("a100-sxm-80gb:1g.20gb"), when card and profile are known."""


@dataclass(frozen=True, slots=True)
class GpuDevice:
    """One accelerator of one node, as its driver reports it."""

    index: int
    vendor: str
    name: str | None
    accelerator: str | None = None
    """hwdb id, when matched."""
    match: MatchState = "unknown"
    nearest: tuple[tuple[str, float], ...] = ()
    """On a miss: nearest hwdb ids and their distance (0 same, 1 nothing in common)."""
    uuid: str | None = None
    pci_bus_id: str | None = None
    pci_device_id: str | None = None
    total_bytes: int | None = None
    used_bytes: int | None = None
    free_bytes: int | None = None
    unified_memory: bool = False
    compute_capability: str | None = None
    """"9.0", or a gfx name on AMD."""
    ecc: bool | None = None
    mig_enabled: bool | None = None
    slices: tuple[MigSlice, ...] = ()
    pcie_gen: int | None = None
    pcie_width: int | None = None
    link_kind: str | None = None
    link_count: int | None = None
    pcie_gen_max: int | None = None
    """What card and slot could do; ``pcie_gen`` and ``pcie_width`` are what they do now."""
    pcie_width_max: int | None = None
    peer_access: bool | None = None
    """Whether it can read its neighbours' memory directly (P2P)."""
    virtualization: str | None = None
    """"pass-through", "vgpu" …; None: bare metal or not reported."""
    power_limit_w: float | None = None
    power_limit_default_w: float | None = None
    power_draw_w: float | None = None
    temperature_c: float | None = None
    processes: tuple[ProcessUse, ...] = ()
    visible: bool = True
    """False when CUDA_VISIBLE_DEVICES or the like hides it."""
    error: str | None = None
    """Why this device cannot be used ("fell off the bus"), as the driver says."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system."""

    mount: str
    total_bytes: int
    free_bytes: int
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Nic:
    """A network port."""

    name: str
    kind: str
    """ethernet or infiniband."""
    bytes_s: float | None = None
    """Line rate, one direction."""


@dataclass(frozen=True, slots=True)
class HostInfo:
    """The machine around the devices."""

    hostname: str | None = None
    os: str | None = None
    cpu: str | None = None
    cpu_id: str | None = None
    """hwdb host id, when matched."""
    cores: int | None = None
    threads: int | None = None
    sockets: int | None = None
    numa_nodes: int | None = None
    ram_bytes: int | None = None
    ram_available_bytes: int | None = None
    memory_limit_bytes: int | None = None
    """cgroup limit below the machine's RAM."""
    memory_bandwidth_bytes_s: float | None = None
    features: tuple[str, ...] = ()
    """avx2 avx512f avx512_bf16 amx_tile …"""
    disks: tuple[Disk, ...] = ()
    environment: tuple[str, ...] = ()
    """container, wsl2, vgpu, …"""
    cpu_limit: float | None = None
    """Cores' worth of time that a cgroup or an affinity mask leaves, when fewer than the machine's threads."""
    swap_bytes: int | None = None
    swap_used_bytes: int | None = None
    nics: tuple[Nic, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator should know, and what to do."""

    where: str
    message: str
    fix: str = ""
    kind: str = ""
    """Stable id of the kind of notice ("driver-library-mismatch" …)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One machine (or ``count`` equal ones)."""

    host: HostInfo = field(default_factory=HostInfo)
    devices: tuple[GpuDevice, ...] = ()
    link: str | None = None
    """hwdb link id between the devices (nvlink4, pcie5-x16 …); None: not reported."""
    topology: tuple[tuple[str, ...], ...] = ()
    """Pairwise links as the driver names them (NV18, PIX, SYS), row per device."""
    driver_version: str | None = None
    runtime_version: str | None = None
    """CUDA, ROCm, CANN … version of the driver."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that may be planned with."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    nodes: tuple[Node, ...]
    origin: Literal["detected", "recorded", "simulated", "file"] = "detected"
    fabric: str | None = None
    """hwdb fabric id between nodes."""
    warnings: tuple[Notice, ...] = ()
    schema: Literal["deploy-planner/inventory/1"] = "deploy-planner/inventory/1"
