"""AMD devices as the kernel shows them: ``/sys/class/drm`` and the compute topology of ``/sys/class/kfd``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from planner.detect.pci import AMD, PciDevice, drm_devices
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.detect.values import clean, positive
from planner.documents.inventory import GpuDevice
from planner.units import MICRO, MILLI

VENDOR = "amd"
LINK_TYPES = {2: "PCIE", 11: "XGMI"}
"""HSA_IOLINK_TYPE_* of the kernel's kfd topology."""


def read_sysfs(place: Surroundings) -> VendorReport:
    """The graphics cards of this vendor, in order of their PCI address as the tools count them."""
    graphics = _graphics_versions(place)
    cards = drm_devices(place, AMD)
    return VendorReport(VENDOR, tuple(_device(index, card, graphics) for index, card in enumerate(cards)))


def _device(index: int, card: PciDevice, graphics: dict[str, str]) -> GpuDevice:
    total = positive(read_int(card.path / "mem_info_vram_total"))
    used = read_int(card.path / "mem_info_vram_used") if total else None
    name = read_text(card.path / "product_name", 256)
    unique = read_text(card.path / "unique_id", 64)
    return GpuDevice(
        index=index,
        vendor=VENDOR,
        name=clean(name) if name else None,
        uuid=f"GPU-{clean(unique)}" if unique else None,
        pci_bus_id=card.bus_id,
        pci_device_id=card.device_id,
        total_bytes=total,
        used_bytes=used,
        free_bytes=total - used if total is not None and used is not None and total >= used else None,
        compute_capability=graphics.get(card.bus_id),
        pcie_gen=card.generation,
        pcie_gen_max=card.generation_max,
        pcie_width=card.width,
        pcie_width_max=card.width_max,
        **_sensors(card.path),
    )


def _sensors(card: Path) -> dict[str, Any]:
    """Power in µW and temperature in m°C, of the first sensor."""
    sensors = list_names(card / "hwmon", "hwmon*")
    folder = sensors[0] if sensors else card / "hwmon"

    def read(factor: float, *names: str) -> float | None:
        values = (read_int(folder / name) for name in names)
        return next((value * factor for value in values if value is not None), None)

    return {
        "power_limit_w": read(MICRO, "power1_cap"),
        "power_limit_default_w": read(MICRO, "power1_cap_default"),
        "power_draw_w": read(MICRO, "power1_average", "power1_input"),
        "temperature_c": read(MILLI, "temp2_input", "temp1_input"),
    }


def _nodes(place: Surroundings) -> list[tuple[Path, dict[str, int]]]:
    """Compute nodes that are devices, with their properties."""
    found = []
    for node in list_names(place.sys / "class" / "kfd" / "kfd" / "topology" / "nodes"):
        properties = _properties(node / "properties")
        if properties.get("simd_count"):
            found.append((node, properties))
    return found


def _properties(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in (read_text(path, 65536) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and re.fullmatch(r"\d{1,20}", pair[1])}


def _graphics_versions(place: Surroundings) -> dict[str, str]:
    """PCI address → gfx name; 90402 is gfx942, 110001 is gfx1101."""
    versions = {}
    for _, properties in _nodes(place):
        version, location = properties.get("gfx_target_version", 0), properties.get("location_id", 0)
        address = f"{properties.get('domain', 0):04x}:{location >> 8 & 0xFF:02x}:{location >> 3 & 0x1F:02x}"
        major, minor, step = version // 10000, version // 100 % 100, version % 100
        if version:
            versions[f"{address}.{location & 7:x}"] = f"gfx{major}{minor:x}{step:x}"
    return versions


def kernel_topology(place: Surroundings, count: int) -> tuple[tuple[str, ...], ...]:
    """Pairwise links of the devices; empty if the kernel's count differs from ``count``."""
    nodes = _nodes(place)
    if count < 2 or len(nodes) != count:
        return ()
    places = {node.name: place for place, (node, _) in enumerate(nodes)}
    matrix = [["X" if row == column else "N/A" for column in range(count)] for row in range(count)]
    for row, (node, _) in enumerate(nodes):
        for link in list_names(node / "io_links"):
            properties: dict[str, Any] = _properties(link / "properties")
            column = places.get(str(properties.get("node_to")))
            if column is not None and column != row:
                matrix[row][column] = LINK_TYPES.get(properties.get("type", 0), "N/A")
    return tuple(map(tuple, matrix))
