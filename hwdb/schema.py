"""Typed rows of the hardware database. Bytes, bytes per second, FLOP per second, watts; peaks are dense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number was read, and when."""

    text: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One device as the driver lists it (an MI250X is two)."""

    id: str
    vendor: str
    """Lower case: nvidia amd intel huawei apple google …"""
    name: str
    architecture: str | None = None
    aliases: tuple[str, ...] = ()
    driver_names: tuple[str, ...] = ()
    pci_device_ids: tuple[str, ...] = ()
    """Four lower-case hex digits."""
    memory_bytes: int | None = None
    """What to plan with: the runtime's or driver's figure, else marketed GB taken as GiB. None: unified or unknown."""
    memory_is_reported: bool = False
    """``memory_bytes`` is a driver's figure, not marketing."""
    marketed_memory_bytes: int | None = None
    driver_memory_bytes: int | None = None
    unified_memory: bool = False
    bandwidth_bytes_s: float | None = None
    peak_flop_s: Mapping[str, float] = field(default_factory=dict)
    """Dense, by format: fp32 tf32 fp16 bf16 fp8 int8 fp4 int4. Absent: not supported or not known (see ``supports``)."""
    supports: Mapping[str, bool] = field(default_factory=dict)
    """Formats the tensor units take natively: bf16 fp8 fp4 int8."""
    compute_capability: tuple[int, int] | None = None
    gfx_arch: str | None = None
    link: str | None = None
    """Scale-up link id of ``links/`` (nvlink4 …); None: only PCIe."""
    link_bytes_s: float | None = None
    """One direction, per device, all links together."""
    link_switched: bool = False
    pcie_bytes_s: float | None = None
    """One direction."""
    tdp_w: float | None = None
    sm_count: int | None = None
    mig_profiles: tuple[str, ...] = ()
    launch: str | None = None
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Dotted field → what is doubtful or in conflict."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Field → source."""
