"""``nvidia-smi --query-gpu=… --format=csv`` with its header line."""

from __future__ import annotations

import csv
import io
from typing import Any

from planner.detect.report import VendorReport
from planner.detect.values import hex_id, number, positive, said, size, whole
from planner.documents.inventory import GpuDevice
from planner.errors import BadInput

MAX_DEVICES = 1024
FIX = "save it with: nvidia-smi --query-gpu=index,name,memory.total,memory.used,memory.free --format=csv"
_ALIASES = {"gpu_name": "name", "gpu_uuid": "uuid", "gpu_bus_id": "pci.bus_id", "compute_capability": "compute_cap"}
_SWITCHES = {"Enabled": True, "Disabled": False}


def is_csv(text: str) -> bool:
    """Whether the first line is a header of nvidia-smi's field names."""
    fields = _fields(text.lstrip().partition("\n")[0][:4000])
    return len(fields) > 1 and bool({"name", "uuid"} & set(fields)) and all(" " not in field for field in fields)


def _fields(line: str) -> list[str]:
    words = [word.strip().partition(" [")[0] for word in line.split(",")]
    return [_ALIASES.get(word, word) for word in words]


def read_csv(text: str, where: str) -> VendorReport:
    """The devices of a CSV. Raises BadInput when it holds none."""
    head, _, body = text.lstrip().partition("\n")
    fields = _fields(head)
    try:
        rows = [row for row in csv.reader(io.StringIO(body), skipinitialspace=True) if row][:MAX_DEVICES]
    except csv.Error as error:
        raise BadInput(where, f"is not whole CSV: {error}", FIX) from None
    if not rows or any(len(row) != len(fields) for row in rows):
        raise BadInput(where, f"has rows that do not fit its {len(fields)} columns", FIX)
    tables = [dict(zip(fields, row, strict=True)) for row in rows]
    return VendorReport(
        "nvidia",
        tuple(_device(index, table) for index, table in enumerate(tables)),
        driver_version=said(tables[0].get("driver_version")),
    )


def _device(index: int, table: dict[str, str]) -> GpuDevice:
    total = positive(size(table.get("memory.total"), "MiB"))
    listed = whole(table.get("index"))
    return GpuDevice(
        index=index if listed is None else listed,
        vendor="nvidia",
        name=said(table.get("name")),
        uuid=said(table.get("uuid")),
        pci_bus_id=said(table.get("pci.bus_id")),
        pci_device_id=hex_id((said(table.get("pci.device_id")) or "").removeprefix("0x")[:-4]),
        total_bytes=total,
        used_bytes=size(table.get("memory.used"), "MiB") if total else None,
        free_bytes=size(table.get("memory.free"), "MiB") if total else None,
        compute_capability=said(table.get("compute_cap")),
        ecc=_SWITCHES.get(said(table.get("ecc.mode.current")) or ""),
        mig_enabled=_SWITCHES.get(said(table.get("mig.mode.current")) or ""),
        temperature_c=number(table.get("temperature.gpu")),
        **_links_and_power(table),
    )


def _links_and_power(table: dict[str, str]) -> dict[str, Any]:
    return {
        "pcie_gen": positive(whole(table.get("pcie.link.gen.current", table.get("pcie.link.gen.gpucurrent")))),
        "pcie_gen_max": positive(whole(table.get("pcie.link.gen.max"))),
        "pcie_width": positive(whole(table.get("pcie.link.width.current"))),
        "pcie_width_max": positive(whole(table.get("pcie.link.width.max"))),
        "power_limit_w": number(table.get("power.limit", table.get("enforced.power.limit"))),
        "power_limit_default_w": number(table.get("power.default_limit")),
        "power_draw_w": number(table.get("power.draw")),
    }
