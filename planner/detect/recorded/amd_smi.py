"""``amd-smi static|metric|list --json``: a list with one object a device, or the same below ``gpu_data``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.detect.report import VendorReport
from planner.detect.values import dig, hex_id, number, pcie_generation, positive, said, size, whole
from planner.documents.inventory import GpuDevice, ProcessUse

VENDOR = "amd"
MAX_DEVICES = 1024


def rows_of(data: object) -> list[Mapping[str, Any]]:
    """The devices' objects; empty where the JSON is of another kind."""
    if isinstance(data, Mapping):
        data = data.get("gpu_data")
    if not isinstance(data, Sequence) or isinstance(data, str):
        return []
    return [row for row in data[:MAX_DEVICES] if isinstance(row, Mapping) and "gpu" in row]


def read_amd(data: object) -> VendorReport:
    """The devices, in the order of the tool."""
    rows = rows_of(data)
    return VendorReport(
        VENDOR,
        tuple(_device(place, row) for place, row in enumerate(rows)),
        driver_version=next((said(v) for row in rows if (v := dig(row, "driver", "version"))), None),
    )


def _device(place: int, row: Mapping[str, Any]) -> GpuDevice:
    index = whole(row.get("gpu"))
    total = positive(_bytes(dig(row, "vram", "size")) or _bytes(dig(row, "mem_usage", "total_vram")))
    return GpuDevice(
        index=place if index is None else index,
        vendor=VENDOR,
        name=said(dig(row, "asic", "market_name")) or said(dig(row, "board", "product_name")),
        uuid=said(row.get("uuid")) or _serial(row),
        pci_bus_id=said(dig(row, "bus", "bdf")) or said(row.get("bdf")),
        pci_device_id=hex_id(dig(row, "asic", "device_id")),
        total_bytes=total,
        used_bytes=_bytes(dig(row, "mem_usage", "used_vram")),
        free_bytes=_bytes(dig(row, "mem_usage", "free_vram")),
        compute_capability=said(dig(row, "asic", "target_graphics_version")),
        power_limit_w=_number(dig(row, "limit", "socket_power")) or _number(dig(row, "limit", "max_power")),
        power_draw_w=_number(dig(row, "power", "socket_power")),
        temperature_c=_number(dig(row, "temperature", "hotspot")) or _number(dig(row, "temperature", "edge")),
        processes=_processes(row),
        **_pcie(row),
    )


def _plain(value: object) -> object:
    """``{"value": 750, "unit": "W"}`` or a bare value."""
    return value.get("value") if isinstance(value, Mapping) else value


def _number(value: object) -> float | None:
    return number(_plain(value))


def _bytes(value: object) -> int | None:
    unit = str(value.get("unit", "MB")) if isinstance(value, Mapping) else "MB"
    plain = _plain(value)
    return size(f"{plain} {unit}" if isinstance(plain, int | float) else plain, unit)


def _serial(row: Mapping[str, Any]) -> str | None:
    serial = said(dig(row, "asic", "asic_serial"))
    return f"GPU-{serial.lower().removeprefix('0x')}" if serial else None


def _pcie(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pcie_gen": pcie_generation(_plain(dig(row, "pcie", "speed"))),
        "pcie_gen_max": pcie_generation(_plain(dig(row, "bus", "max_pcie_speed"))),
        "pcie_width": positive(whole(_plain(dig(row, "pcie", "width")))),
        "pcie_width_max": positive(whole(_plain(dig(row, "bus", "max_pcie_width")))),
    }


def _processes(row: Mapping[str, Any]) -> tuple[ProcessUse, ...]:
    listed = row.get("process_list")
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return ()
    infos = [dig(item, "process_info") for item in listed[:64]]
    return tuple(
        ProcessUse(whole(info.get("pid")), said(info.get("name")), _bytes(dig(info, "memory_usage", "vram_mem")))
        for info in infos
        if isinstance(info, Mapping)
    )
