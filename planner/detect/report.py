"""What one gateway, or one recorded file, tells about a machine's accelerators."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

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


def complete(report: VendorReport, other: VendorReport) -> VendorReport:
    """What one file left out, the other fills in."""
    extra = {device.index: device for device in other.devices}
    return replace(
        report,
        devices=tuple(_filled(device, extra.get(device.index)) for device in report.devices),
        driver_version=report.driver_version or other.driver_version,
        runtime_version=report.runtime_version or other.runtime_version,
        topology=report.topology or other.topology,
        warnings=report.warnings + other.warnings,
    )


def _filled(device: GpuDevice, other: GpuDevice | None) -> GpuDevice:
    if other is None:
        return device
    gaps = {
        field.name: getattr(other, field.name)
        for field in fields(device)
        if getattr(device, field.name) in (None, ()) and getattr(other, field.name) not in (None, ())
    }
    return replace(device, **gaps)
