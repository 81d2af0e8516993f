"""Graphics cards and accelerators on the PCI bus, from sysfs: whose they are and how they are connected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.detect.values import pcie_generation

AMD, INTEL, HABANA, HUAWEI = "1002", "8086", "1da3", "19e5"
"""PCI vendor ids."""
MAX_WIDTH = 32


@dataclass(frozen=True, slots=True)
class PciDevice:
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


def bus_devices(place: Surroundings, vendor: str, classes: tuple[str, ...]) -> list[PciDevice]:
    """Functions of ``/sys/bus/pci`` of one vendor whose class starts with one of ``classes``."""
    found = []
    for path in list_names(place.sys / "bus" / "pci" / "devices"):
        if (read_text(path / "class", 32) or "").startswith(classes):
            found.append(path)
    return _sorted(found, vendor)


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
