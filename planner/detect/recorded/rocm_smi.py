"""``rocm-smi … --json`` of several ROCm versions; what was not asked for is absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from planner.detect.report import VendorReport
from planner.detect.values import first, hex_id, number, pcie_generation, positive, said, size
from planner.documents.inventory import GpuDevice

VENDOR = "amd"
MAX_DEVICES = 1024
_CARD = re.compile(r"card(\d{1,4})")
_PCIE = re.compile(r"(\d{1,2}(?:\.\d)?)\s*GT/s(?: PCIe)?\s*x(\d{1,2})")
_LINK = re.compile(r"\(Topology\) Link type between DRM devices (\d{1,4}) and (\d{1,4})")


def is_rocm(data: object) -> bool:
    """Whether parsed JSON has ``card0`` and the like on top."""
    return isinstance(data, Mapping) and any(
        _CARD.fullmatch(str(key)) and isinstance(data[key], Mapping) for key in data
    )


def read_rocm(data: Mapping[str, Any]) -> VendorReport:
    """The cards, in order of their number."""
    cards = {int(match[1]): data[key] for key in data if (match := _CARD.fullmatch(str(key)))}
    numbers = sorted(number for number in cards if isinstance(cards[number], Mapping))[:MAX_DEVICES]
    system = data.get("system")
    system = system if isinstance(system, Mapping) else {}
    return VendorReport(
        VENDOR,
        tuple(_device(index, cards[number]) for index, number in enumerate(numbers)),
        driver_version=said(first(system, "Driver version", "Driver Version")),
        topology=_topology(system, numbers),
    )


def _device(index: int, card: Mapping[str, Any]) -> GpuDevice:
    total = positive(size(card.get("VRAM Total Memory (B)")))
    used = size(card.get("VRAM Total Used Memory (B)")) if total else None
    generation, width = _pcie(card)
    unique = said(card.get("Unique ID"))
    return GpuDevice(
        index=index,
        vendor=VENDOR,
        name=_name(card),
        uuid=f"GPU-{unique.removeprefix('0x')}" if unique else None,
        pci_bus_id=said(card.get("PCI Bus")),
        pci_device_id=hex_id(first(card, "Device ID", "GPU ID")),
        total_bytes=total,
        used_bytes=used,
        free_bytes=total - used if total and used is not None and total >= used else None,
        compute_capability=said(card.get("GFX Version")),
        pcie_gen=generation,
        pcie_width=width,
        power_limit_w=number(card.get("Max Graphics Package Power (W)")),
        power_draw_w=number(
            first(card, "Current Socket Graphics Package Power (W)", "Average Graphics Package Power (W)")
        ),
        temperature_c=number(first(card, "Temperature (Sensor junction) (C)", "Temperature (Sensor edge) (C)")),
    )


def _name(card: Mapping[str, Any]) -> str | None:
    """The product in brackets, ``Arcturus GL-XL [Instinct MI100]``; a bare hex number is no name."""
    for key in ("Card Series", "Card series", "Device Name", "Card Model", "Card model"):
        word = said(card.get(key))
        if word and not word.lower().startswith("0x"):
            inside = re.search(r"\[([^\]]{2,100})\]", word)
            return inside[1] if inside else word
    return None


def _pcie(card: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """``0 (16.0GT/s x16)`` → (4, 16)."""
    match = _PCIE.search(said(card.get("pcie clock level")) or "")
    return (pcie_generation(match[1]), int(match[2])) if match else (None, None)


def _topology(system: Mapping[str, Any], numbers: list[int]) -> tuple[tuple[str, ...], ...]:
    places = {number: place for place, number in enumerate(numbers)}
    matrix = [["X" if row == column else "N/A" for column in places.values()] for row in places.values()]
    found = False
    for key, value in system.items():
        match = _LINK.fullmatch(str(key))
        ends = [places.get(int(end)) for end in match.groups()] if match else [None]
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
            found = True
            matrix[ends[0]][ends[1]] = matrix[ends[1]][ends[0]] = said(value) or "N/A"
    return tuple(map(tuple, matrix)) if found else ()
