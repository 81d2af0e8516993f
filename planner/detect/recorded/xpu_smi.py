"""``xpu-smi discovery -j`` of Intel: all devices in short, or one device in full (``-d N -j``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.detect.report import VendorReport
from planner.detect.values import first, hex_id, positive, said, size, whole
from planner.documents.inventory import GpuDevice

VENDOR = "intel"
MAX_DEVICES = 1024


def rows_of(data: object) -> list[Mapping[str, Any]]:
    """The devices' objects; empty where the JSON is of another kind."""
    if not isinstance(data, Mapping):
        return []
    listed = data.get("device_list", [data] if "device_id" in data and "pci_bdf_address" in data else ())
    return [row for row in listed[:MAX_DEVICES] if isinstance(row, Mapping)] if isinstance(listed, list) else []


def read_xpu(data: object) -> VendorReport:
    """The devices, in the order of the tool."""
    rows = rows_of(data)
    return VendorReport(
        VENDOR,
        tuple(_device(place, row) for place, row in enumerate(rows)),
        driver_version=next((said(v) for row in rows if (v := row.get("driver_version"))), None),
    )


def _device(place: int, row: Mapping[str, Any]) -> GpuDevice:
    index = whole(row.get("device_id"))
    return GpuDevice(
        index=place if index is None else index,
        vendor=VENDOR,
        name=said(row.get("device_name")),
        uuid=said(row.get("uuid")),
        pci_bus_id=said(row.get("pci_bdf_address")),
        pci_device_id=hex_id(row.get("pci_device_id")),
        total_bytes=positive(size(first(row, "memory_physical_size_byte", "memory_physical_size"))),
        free_bytes=size(row.get("memory_free_size_byte")),
    )
