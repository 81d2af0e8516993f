"""What one gateway, or one recorded file, tells about a machine's accelerators."""

from __future__ import annotations

from dataclasses import dataclass

from planner.documents.inventory import GpuDevice, Notice


@dataclass(frozen=True, slots=True)
class VendorReport:
    """Devices of one vendor with what belongs to all of them. None means "not reported"."""

    vendor: str = ""
    devices: tuple[GpuDevice, ...] = ()
    driver_version: str | None = None
    runtime_version: str | None = None
    topology: tuple[tuple[str, ...], ...] = ()
    """Pairwise links as the driver names them, row per device."""
    link: str | None = None
    """hwdb link id between the devices, when the tool tells."""
    warnings: tuple[Notice, ...] = ()
