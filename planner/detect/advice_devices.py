"""Notices about one device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from planner.documents.inventory import GpuDevice, Notice
from planner.units import GIB, human_bytes

if TYPE_CHECKING:
    from hwdb.schema import Accelerator

Rule = Callable[[GpuDevice, "Accelerator | None"], Iterator[Notice]]

FULL_POWER = 0.98
"""Below this share of the default a power limit was lowered on purpose."""
UNSEEN_BYTES = 2 * GIB
"""Drivers themselves hold up to about 1.2 GiB of a large card; more belongs to someone."""


def _lost(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    if device.error:
        fix = "see dmesg (Xid 79: fell off the bus); reset or power-cycle the machine, check power and riser"
        yield Notice("", device.error, fix, "device-error")


def _unmatched(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    near = ", ".join(f"{name} ({distance:.0%} away)" for name, distance in device.nearest[:3])
    name = device.name or (f"PCI device {device.pci_device_id}" if device.pci_device_id else "device without a name")
    if device.error or device.match == "exact":
        return
    if device.match == "ambiguous":
        several = ", ".join(name for name, _ in device.nearest)
        yield Notice("", f"{name} may be one of {several}", "name it with --hardware", "ambiguous-card")
    elif device.name or device.pci_device_id:
        fix = "add it to your own accelerators/ directory (--data), or plan with a similar one by --hardware"
        yield Notice("", f"{name} is not in the hardware database; nearest: {near or 'none'}", fix, "unknown-card")


def _memory_withheld(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    if device.total_bytes is None and not device.error and device.name:
        known = row.driver_memory_bytes or row.memory_bytes if row else None
        instead = f"; planned with {human_bytes(known)} of its data sheet" if known else ""
        fix = "say how much it may use with hardware.memory_bytes"
        yield Notice("", f"the driver does not report its memory{instead}", fix, "memory-not-reported")


def _ecc_off(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    if device.ecc is False and row is not None and (row.memory_type or "").upper().startswith("HBM"):
        fix = "nvidia-smi -e 1, then reboot; on HBM it costs no capacity"
        yield Notice("", "ECC is off: bit errors stay unnoticed", fix, "ecc-off")


def _narrow_link(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    width, best = device.pcie_width, device.pcie_width_max
    if width and best and width < best:
        fix = "reseat the card, check riser and slot, and the lane split in the BIOS"
        yield Notice("", f"PCIe link is x{width}, the card can x{best}", fix, "narrow-pcie")
    slot, card = device.pcie_gen_max, row.pcie_gen if row else None
    if slot and card and slot < card:
        fix = "put it in a faster slot, or set the slot's speed in the BIOS"
        yield Notice("", f"slot is PCIe {slot}, the card can PCIe {card}", fix, "slow-pcie")


def _low_power(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    limit, default = device.power_limit_w, device.power_limit_default_w
    if limit and default and limit < FULL_POWER * default:
        fix = f"nvidia-smi -pl {default:.0f}" if device.vendor == "nvidia" else "raise it with the vendor's tool"
        message = f"power limit is {limit:.0f} W, its default {default:.0f} W: prefill will be slower than planned"
        yield Notice("", message, fix, "low-power-limit")


def _in_use(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    held = [use for use in device.processes if use.used_bytes]
    if held:
        names = ", ".join(f"{use.name or 'process'} {use.pid}" for use in held[:3])
        total = sum(use.used_bytes or 0 for use in held)
        message = f"{human_bytes(total)} are held by {names}{' and others' if len(held) > 3 else ''}"
        yield Notice("", message, "stop them, or plan with what is left", "memory-in-use")
    elif (device.used_bytes or 0) > UNSEEN_BYTES and not device.slices and not device.unified_memory:
        message = f"{human_bytes(device.used_bytes or 0)} are in use by processes that cannot be seen from here"
        yield Notice("", message, "look on the host or in other containers", "memory-in-use")


def _sliced(device: GpuDevice, row: Accelerator | None) -> Iterator[Notice]:
    if device.mig_enabled and not device.slices:
        fix = "create slices (nvidia-smi mig -cgi … -C) or switch it off (nvidia-smi -mig 0)"
        yield Notice("", "MIG is on without a slice: nothing can run on it", fix, "mig-without-slices")
    elif device.mig_enabled:
        fix = "nvidia-smi -mig 0 gives the whole card back; slices cannot be joined by tensor parallelism"
        yield Notice("", f"MIG is on: {len(device.slices)} slices, each planned for itself", fix, "mig")


DEVICE_RULES: tuple[Rule, ...] = (
    _lost,
    _unmatched,
    _memory_withheld,
    _ecc_off,
    _narrow_link,
    _low_power,
    _in_use,
    _sliced,
)
