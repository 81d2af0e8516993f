"""Which devices the environment leaves visible: CUDA_VISIBLE_DEVICES and its relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.documents.inventory import GpuDevice

VARIABLES: dict[str, tuple[str, ...]] = {
    "nvidia": ("CUDA_VISIBLE_DEVICES",),
    "amd": ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"),
    "intel": ("ZE_AFFINITY_MASK",),
    "huawei": ("ASCEND_RT_VISIBLE_DEVICES",),
    "gaudi": ("HABANA_VISIBLE_DEVICES",),
}
"""In the order in which they apply: later ones count among the devices that earlier ones left."""
EXCLUSIVE = {"HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"}
"""Of these HIP obeys the first that is set."""


def mark_visible(devices: Sequence[GpuDevice], vendor: str, environ: Mapping[str, str]) -> tuple[GpuDevice, ...]:
    """The devices with ``visible`` set. Applications count only what is left, from 0."""
    left = list(devices)
    used = False
    for name in VARIABLES.get(vendor, ()):
        if name in environ and not (used and name in EXCLUSIVE):
            used = used or name in EXCLUSIVE
            left = _chosen(left, environ[name], name)
    kept = {device.index for device in left}
    return tuple(replace(device, visible=device.index in kept) for device in devices)


def _chosen(devices: list[GpuDevice], text: str, name: str) -> list[GpuDevice]:
    """Indices or UUID prefixes; as in CUDA the first entry that names no device ends the list."""
    if text.strip().lower() == "all" and name == "HABANA_VISIBLE_DEVICES":
        return devices
    found: list[GpuDevice] = []
    for entry in text.split(","):
        device = _named(devices, entry.strip())
        if device is None:
            break
        found.append(device)
    return found


def _named(devices: list[GpuDevice], entry: str) -> GpuDevice | None:
    entry = entry.partition(".")[0] if entry[:1].isdecimal() else entry
    if entry.isdecimal() and len(entry) < 6:
        return devices[int(entry)] if int(entry) < len(devices) else None
    if len(entry) < 4:
        return None
    for device in devices:
        uuids = [device.uuid, *(part.uuid for part in device.slices)]
        if any(uuid and uuid.lower().startswith(entry.lower()) for uuid in uuids):
            return device
    return None


def hiding(environ: Mapping[str, str], vendor: str) -> str | None:
    """``CUDA_VISIBLE_DEVICES=0,1`` if a variable is set for this vendor."""
    return next((f"{name}={environ[name][:80]}" for name in VARIABLES.get(vendor, ()) if name in environ), None)
