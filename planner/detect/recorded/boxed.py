"""The boxed tables that ``nvidia-smi`` and ``hl-smi`` print without options: the same layout, two lines a device."""

from __future__ import annotations

import re
from dataclasses import replace

from planner.detect.report import VendorReport
from planner.detect.values import clean, number, positive, said, size
from planner.documents.inventory import GpuDevice, ProcessUse
from planner.errors import BadInput
from planner.units import MIB

_FIRST = re.compile(
    r"\|\s*(?P<index>\d{1,4})\s{1,40}(?P<name>\S.{0,60}?)\s{1,40}(?:On|Off|N/A|Enabled|Disabled)\s{0,20}"
    r"\|\s*(?P<bus>[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.\d)\s+\S{1,10}\s*\|\s*(?P<ecc>\S{1,20})"
)
_POWER = re.compile(r"(\d{1,5}(?:\.\d{1,3})?|N/A)\s*W?\s*/\s*(\d{1,5}(?:\.\d{1,3})?|N/A)\s*W?\s*\|")
_MEMORY = re.compile(r"\|\s*(\d{1,9})\s*MiB\s*/\s*(\d{1,9})\s*MiB\s*\|")
_TEMPERATURE = re.compile(r"\b(\d{1,3})C\b")
_PROCESS = re.compile(
    r"\|\s*(?P<index>\d{1,4})\s+(?:\S{1,6}\s+\S{1,6}\s+)?(?P<pid>\d{1,10})\s+[CGM+]{1,4}\s+"
    r"(?P<name>\S.{0,200}?)\s+(?P<used>\d{1,9}\s*MiB|N/A)\s*\|"
)
_VERSION = re.compile(r"(Driver|KMD|CUDA|CUDA UMD) Version:\s*([0-9A-Za-z][0-9A-Za-z.\-]{0,40})")
MAX_LINES = 20_000


def read_boxed(text: str, vendor: str, where: str) -> VendorReport:
    """The devices of a table. Raises BadInput when there is none."""
    devices: list[GpuDevice] = []
    processes: dict[int, list[ProcessUse]] = {}
    versions: dict[str, str] = {}
    for line in text.splitlines()[:MAX_LINES]:
        row = line.strip()[:400]
        versions |= {kind: version for kind, version in _VERSION.findall(row) if kind not in versions}
        if match := _FIRST.match(row):
            devices.append(_device(match, vendor))
        elif match := _PROCESS.match(row):
            used = ProcessUse(int(match["pid"]), said(match["name"]), size(match["used"]))
            processes.setdefault(int(match["index"]), []).append(used)
        elif devices:
            devices[-1] = _second_line(devices[-1], row)
    if not devices:
        raise BadInput(where, "holds no device rows", "save the whole table, in a terminal of at least 80 columns")
    return VendorReport(
        vendor,
        tuple(replace(device, processes=tuple(processes.get(device.index, ()))) for device in devices),
        driver_version=versions.get("Driver") or versions.get("KMD"),
        runtime_version=versions.get("CUDA") or versions.get("CUDA UMD"),
    )


def _device(match: re.Match[str], vendor: str) -> GpuDevice:
    ecc = match["ecc"]
    return GpuDevice(
        index=int(match["index"]),
        vendor=vendor,
        name=said(match["name"]),
        pci_bus_id=clean(match["bus"]),
        ecc=True if ecc.isdecimal() else {"Off": False}.get(ecc),
    )


def _second_line(device: GpuDevice, row: str) -> GpuDevice:
    """Temperature, power and memory; or the third line with the MIG state."""
    memory, power, heat = _MEMORY.search(row), _POWER.search(row), _TEMPERATURE.search(row)
    if memory and device.total_bytes is None:
        used, total = int(memory[1]) * MIB, positive(int(memory[2]) * MIB)
        free = total - used if total is not None and total >= used else None
        device = replace(device, total_bytes=total, used_bytes=used if total else None, free_bytes=free)
    if power and device.power_limit_w is None:
        device = replace(device, power_draw_w=number(power[1]), power_limit_w=number(power[2]))
    if heat and device.temperature_c is None:
        device = replace(device, temperature_c=float(heat[1]))
    state = re.fullmatch(r"\|\s+\|\s+\|\s+(Enabled|Disabled)\*?\s*\|", row)
    return replace(device, mig_enabled=state[1] == "Enabled") if state else device
