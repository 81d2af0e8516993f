"""Graphics cards and accelerators on the PCI bus, from sysfs: whose they are and how they are connected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.detect.values import pcie_generation
from planner.documents.inventory import GpuDevice

AMD, INTEL, NVIDIA, HABANA, HUAWEI = "1002", "8086", "10de", "1da3", "19e5"
"""PCI vendor ids."""
COMPUTE_CLASSES = ("0x0300", "0x0302", "0x1200")
"""Display controllers and processing accelerators."""
MAX_WIDTH = 32


class PciDevice(NamedTuple):
    """One function of the bus; None where sysfs does not tell."""

    path: Path
    bus_id: str
    device_id: str | None
    generation: int | None
    generation_max: int | None
    width: int | None
    width_max: int | None


def drm_devices(place: Surroundings, vendor: str) -> list[PciDevice]:
    """Cards of ``/sys/class/drm`` of one vendor, by PCI address."""
    cards = [card / "device" for card in list_names(place.sys / "class" / "drm", "card[0-9]*") if "-" not in card.name]
    return _sorted(cards, vendor)


def vendors_on_bus(place: Surroundings) -> frozenset[str]:
    """PCI vendors of all display controllers and processing accelerators."""
    return frozenset(vendor for vendor, _ in _computing(place))


def _computing(place: Surroundings) -> list[tuple[str, Path]]:
    """(vendor, folder) of what can compute. ``class`` and ``vendor`` are two small reads a function."""
    found = []
    for path in list_names(place.sys / "bus" / "pci" / "devices"):
        if (read_text(path / "class", 32) or "").startswith(COMPUTE_CLASSES):
            found.append(((read_text(path / "vendor", 32) or "").removeprefix("0x"), path))
    return found


def bus_devices(place: Surroundings, vendor: str) -> list[PciDevice]:
    """What of one vendor on ``/sys/bus/pci`` can compute."""
    return _sorted([path for owner, path in _computing(place) if owner == vendor], vendor)


def bare_devices(place: Surroundings, vendor_id: str, vendor: str, error: str | None) -> tuple[GpuDevice, ...]:
    """Cards as the bus alone shows them: no name, no memory; ``error`` says why nothing better is known."""
    return tuple(
        GpuDevice(
            index=index,
            vendor=vendor,
            name=None,
            pci_bus_id=card.bus_id,
            pci_device_id=card.device_id,
            pcie_gen=card.generation,
            pcie_gen_max=card.generation_max,
            pcie_width=card.width,
            pcie_width_max=card.width_max,
            error=error,
        )
        for index, card in enumerate(bus_devices(place, vendor_id))
    )


def _sorted(paths: list[Path], vendor: str) -> list[PciDevice]:
    devices = {path.resolve(): path for path in paths if read_text(path / "vendor", 32) == f"0x{vendor}"}
    return sorted((_device(path) for path in devices), key=lambda device: device.bus_id)


def _device(path: Path) -> PciDevice:
    device = re.fullmatch(r"0x([0-9a-f]{4})", read_text(path / "device", 32) or "")
    return PciDevice(
        path=path,
        bus_id=path.name,
        device_id=device[1] if device else None,
        generation=pcie_generation(read_text(path / "current_link_speed", 64)),
        generation_max=pcie_generation(read_text(path / "max_link_speed", 64)),
        width=_width(path / "current_link_width"),
        width_max=_width(path / "max_link_width"),
    )


def _width(path: Path) -> int | None:
    width = read_int(path)
    return width if width is not None and 0 < width <= MAX_WIDTH else None
