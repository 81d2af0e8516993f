"""``npu-smi info`` of Huawei's Ascend: two lines a chip, then the processes."""

from __future__ import annotations

import re
from dataclasses import replace

from planner.detect.report import VendorReport
from planner.detect.values import clean, number, positive, said
from planner.documents.inventory import GpuDevice, ProcessUse
from planner.errors import BadInput
from planner.units import MIB

VENDOR = "huawei"
_NAMED = re.compile(r"(\d{1,4})\s+(\S{1,40})")
_BUS = re.compile(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.\d")
_USAGE = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
_VERSION = re.compile(r"npu-smi\s+(\S{1,40})\s+Version:\s*(\S{1,40})")
MAX_LINES = 20_000


def read_npu_smi(text: str, where: str) -> VendorReport:
    """The chips of a table. Raises BadInput when there is none."""
    devices: list[GpuDevice] = []
    owners: dict[tuple[str, str], int] = {}
    processes: dict[int, list[ProcessUse]] = {}
    npu, version = "", None
    for line in text.splitlines()[:MAX_LINES]:
        version = version or (found[2] if (found := _VERSION.search(line[:400])) else None)
        cells = [clean(cell) for cell in line.strip()[:400].strip("|").split("|")]
        if len(cells) == 3 and _BUS.fullmatch(cells[1]) and devices:
            owners[(npu, cells[0].split()[0] if cells[0] else "")] = devices[-1].index
            devices[-1] = _second_line(devices[-1], cells)
        elif len(cells) == 3 and (named := _NAMED.fullmatch(cells[0])):
            npu = named[1]
            devices.append(_first_line(len(devices), named[2], cells))
        elif len(cells) == 4 and cells[1].isdecimal():
            owner = owners.get(_owner(cells[0]))
            if owner is not None:
                used = int(cells[3]) * MIB if cells[3].isdecimal() and len(cells[3]) < 9 else None
                processes.setdefault(owner, []).append(ProcessUse(int(cells[1][:10]), said(cells[2]), used))
    if not devices:
        raise BadInput(where, "holds no chips", "save the whole output of: npu-smi info")
    chips = tuple(replace(device, processes=tuple(processes.get(device.index, ()))) for device in devices)
    return VendorReport(VENDOR, chips, driver_version=version)


def _owner(cell: str) -> tuple[str, str]:
    """``0       0`` → NPU and chip."""
    npu, _, chip = cell.partition(" ")
    return npu, chip.strip()


def _first_line(index: int, name: str, cells: list[str]) -> GpuDevice:
    """``0 910B3 | OK | 96.7  32  0 / 0``: name, health, watts, degrees."""
    words = cells[2].split()
    healthy = cells[1].lower() in ("ok", "warning", "unknown", "na", "n/a", "")
    return GpuDevice(
        index=index,
        vendor=VENDOR,
        name=said(name),
        power_draw_w=number(words[0]) if words else None,
        temperature_c=number(words[1]) if len(words) > 1 else None,
        error=None if healthy else f"health is {cells[1]}: see npu-smi info -t health",
    )


def _second_line(device: GpuDevice, cells: list[str]) -> GpuDevice:
    """``0 | 0000:C1:00.0 | 0  0 / 0  60056/ 65536``: the last pair with a total is the device's memory, in MiB."""
    pairs = [(int(used) * MIB, int(total) * MIB) for used, total in _USAGE.findall(cells[2]) if int(total)]
    used, total = pairs[-1] if pairs else (None, None)
    free = total - used if total is not None and used is not None and total >= used else None
    return replace(
        device, pci_bus_id=cells[1], total_bytes=positive(total), used_bytes=used if total else None, free_bytes=free
    )
