"""Intel graphics and data-centre GPUs: ``xpu-smi`` if it is there, else sysfs of the xe and i915 drivers."""

from __future__ import annotations

import json
from dataclasses import replace

from planner.detect.pci import INTEL, PciDevice, drm_devices
from planner.detect.recorded.xpu_smi import read_xpu, rows_of
from planner.detect.report import VendorReport, complete
from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.detect.tools import run_tool
from planner.detect.values import clean, positive
from planner.detect.visible import mark_visible
from planner.documents.inventory import GpuDevice
from planner.units import MICRO, MILLI

VENDOR = "intel"
DRIVERS = ("xe", "i915")


def detect(place: Surroundings) -> VendorReport:
    """Devices of xpu-smi, completed from sysfs; integrated graphics without memory of their own are left out."""
    kernel = _by_sysfs(place)
    report = _by_tool(place)
    if report is None:
        report = kernel
    elif len(report.devices) == len(kernel.devices):
        report = complete(report, kernel)
    return replace(report, devices=mark_visible(report.devices, VENDOR, place.environ))


def _by_tool(place: Surroundings) -> VendorReport | None:
    listed = _json(place, "xpu-smi", "discovery", "-j")
    rows = rows_of(listed)
    if not rows:
        return None
    full = [_json(place, "xpu-smi", "discovery", "-d", str(int(row.get("device_id", 0))), "-j") for row in rows[:16]]
    if all(rows_of(item) for item in full):
        return read_xpu({"device_list": full})
    return read_xpu(listed)


def _json(place: Surroundings, *arguments: str) -> object:
    output = run_tool(place, arguments)
    try:
        return json.loads(output.content) if output and not output.problem else None
    except (ValueError, RecursionError):
        return None


def _by_sysfs(place: Surroundings) -> VendorReport:
    cards = [card for card in drm_devices(place, INTEL) if _memory(card) is not None]
    versions = (read_text(place.sys / "module" / name / "version", 256) for name in DRIVERS)
    return VendorReport(
        VENDOR,
        tuple(_device(index, card) for index, card in enumerate(cards)),
        driver_version=next((clean(version) for version in versions if version), None),
    )


def _memory(card: PciDevice) -> int | None:
    """Local memory: xe shows it per tile, i915 per card."""
    tiles = [read_int(tile / "physical_vram_size_bytes") for tile in list_names(card.path, "tile[0-9]*")]
    known = [size for size in tiles if size]
    return sum(known) if known else positive(read_int(card.path / "lmem_total_bytes"))


def _device(index: int, card: PciDevice) -> GpuDevice:
    sensors = list_names(card.path / "hwmon", "hwmon*")
    folder = sensors[0] if sensors else card.path / "hwmon"
    limit, heat = read_int(folder / "power1_max"), read_int(folder / "temp1_input")
    return GpuDevice(
        index=index,
        vendor=VENDOR,
        name=None,
        pci_bus_id=card.bus_id,
        pci_device_id=card.device_id,
        total_bytes=_memory(card),
        pcie_gen=card.generation,
        pcie_gen_max=card.generation_max,
        pcie_width=card.width,
        pcie_width_max=card.width_max,
        power_limit_w=limit * MICRO if limit else None,
        temperature_c=heat * MILLI if heat else None,
    )
