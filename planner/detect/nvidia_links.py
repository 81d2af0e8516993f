"""Links between NVIDIA devices: NVLink counts and versions, peer access, the pairwise matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.detect.nvml import DeviceLost, Driver
from planner.documents.inventory import GpuDevice

SELF = "X"
UNKNOWN = "N/A"
LEVELS = {0: "PSB", 10: "PIX", 20: "PXB", 30: "PHB", 40: "NODE", 50: "SYS"}
"""Common ancestors as ``nvidia-smi topo -m`` names them."""
VERSIONS = {
    1: "nvlink1",
    2: "nvlink2",
    3: "nvlink2",
    4: "nvlink3",
    5: "nvlink3",
    6: "nvlink4",
    7: "nvlink5",
    8: "nvlink6",
}
"""NVML_NVLINK_VERSION_* → link id of the hardware database."""
SWITCH = 2
"""NVML_NVLINK_DEVICE_TYPE_SWITCH."""
MAX_LINKS = 36


@dataclass(frozen=True, slots=True)
class End:
    """A device with its handle and its active NVLinks; no handle if it is lost."""

    device: GpuDevice
    handle: Any = None
    total: int | None = None
    """Active links; None where the driver knows no NVLink on it."""
    to_switch: int = 0
    to_device: tuple[str, ...] = ()
    """Bus id at the far end of each link that goes straight to another device."""
    kind: str | None = None


def join(driver: Driver, ends: Sequence[End]) -> tuple[tuple[GpuDevice, ...], tuple[tuple[str, ...], ...]]:
    """The devices with their links, and the pairwise matrix (empty for one device)."""
    linked = [_read_links(driver, end) for end in ends]
    devices = tuple(_described(driver, end, linked) for end in linked)
    if len(linked) < 2:
        return devices, ()
    return devices, tuple(tuple(_between(driver, one, other) for other in linked) for one in linked)


def _read_links(driver: Driver, end: End) -> End:
    if end.handle is None:
        return end
    total, to_switch, kind = None, 0, None
    far: list[str] = []
    try:
        for link in range(MAX_LINKS):
            state = driver.ask("nvmlDeviceGetNvLinkState", end.handle, link)
            if state is None:
                break
            total = (total or 0) + (1 if state else 0)
            if state:
                kind = kind or VERSIONS.get(driver.ask("nvmlDeviceGetNvLinkVersion", end.handle, link))
                if driver.ask("nvmlDeviceGetNvLinkRemoteDeviceType", end.handle, link) == SWITCH:
                    to_switch += 1
                else:
                    far.append(_far_end(driver, end.handle, link))
    except DeviceLost as lost:
        return End(replace(end.device, error=str(lost)))
    return replace(end, total=total, to_switch=to_switch, to_device=tuple(far), kind=kind)


def _far_end(driver: Driver, handle: Any, link: int) -> str:
    pci = driver.ask("nvmlDeviceGetNvLinkRemotePciInfo", handle, link)
    return same_bus(pci.busId.decode("ascii", "replace") if isinstance(pci.busId, bytes) else pci.busId) if pci else ""


def same_bus(bus_id: str | None) -> str:
    """Bus ids come with four or eight digits of domain and in either case."""
    domain, _, rest = (bus_id or "").upper().partition(":")
    return f"{domain[-4:].rjust(4, '0')}:{rest}"


def _between(driver: Driver, one: End, other: End) -> str:
    if one is other:
        return SELF
    if one.handle is None or other.handle is None:
        return UNKNOWN
    direct = one.to_device.count(same_bus(other.device.pci_bus_id))
    if direct or (one.to_switch and other.to_switch):
        return f"NV{direct or min(one.to_switch, other.to_switch)}"
    try:
        level = driver.ask("nvmlDeviceGetTopologyCommonAncestor", one.handle, other.handle)
    except DeviceLost:
        return UNKNOWN
    return LEVELS.get(level, UNKNOWN)


def _described(driver: Driver, end: End, ends: Sequence[End]) -> GpuDevice:
    if end.handle is None:
        return end.device
    peers = [_reads(driver, end, other) for other in ends if other is not end and other.handle is not None]
    known = [peer for peer in peers if peer is not None]
    return replace(
        end.device,
        link_kind=end.kind if end.total else None,
        link_count=end.total,
        peer_access=all(known) if known else None,
    )


def _reads(driver: Driver, one: End, other: End) -> bool | None:
    """Whether one device may read the other's memory directly."""
    try:
        status = driver.ask("nvmlDeviceGetP2PStatus", one.handle, other.handle, 0)
    except DeviceLost:
        return None
    return None if status is None else status == 0
