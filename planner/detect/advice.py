"""What an operator should know about a machine, each with what to do. One rule, one function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from planner.detect.advice_devices import DEVICE_RULES
from planner.detect.advice_host import HOST_RULES
from planner.detect.values import runs
from planner.documents.inventory import GpuDevice, Node, Notice

if TYPE_CHECKING:
    from hwdb.database import Database


def advise(node: Node, db: Database) -> tuple[Notice, ...]:
    """All notices of a node; the same one for several devices is said once, naming them."""
    found = [notice for rule in HOST_RULES for notice in rule(node)]
    found += [notice for rule in _NODE_RULES for notice in rule(node)]
    grouped: dict[tuple[str, str, str], list[GpuDevice]] = {}
    for device in node.devices:
        row = db.accelerator(device.accelerator) if device.accelerator else None
        for rule in DEVICE_RULES:
            for notice in rule(device, row):
                grouped.setdefault((notice.message, notice.fix, notice.kind), []).append(device)
    found += [Notice(_labels(devices), *said) for said, devices in grouped.items()]
    return tuple(found)


def _labels(devices: Iterable[GpuDevice]) -> str:
    """``nvidia 0-3,6``: runs of indices, a vendor once."""
    by_vendor: dict[str, list[int]] = {}
    for device in devices:
        by_vendor.setdefault(device.vendor, []).append(device.index)
    return ", ".join(f"{vendor} {runs(sorted(set(indices)))}" for vendor, indices in by_vendor.items())


def _mixed_cards(node: Node) -> Iterator[Notice]:
    names = sorted({device.accelerator or device.name or "unknown" for device in node.devices if not device.error})
    if len(names) > 1:
        message = f"different cards in one machine: {', '.join(names)}"
        fix = "an engine splits a model evenly only over equal cards: plan each group apart, or use layer splitting"
        yield Notice("devices", message, fix, "mixed-cards")


def _mixed_ecc(node: Node) -> Iterator[Notice]:
    on = [device for device in node.devices if device.ecc is True]
    off = [device for device in node.devices if device.ecc is False]
    if on and off:
        message = f"ECC is on for {len(on)} devices and off for {len(off)}: they have different free memory"
        yield Notice("devices", message, "set all alike: nvidia-smi -e 1, then reboot", "mixed-ecc")


def _hidden(node: Node) -> Iterator[Notice]:
    hidden = [device for device in node.devices if not device.visible]
    if hidden:
        message = "hidden from programs by an environment variable (CUDA_VISIBLE_DEVICES or the vendor's)"
        yield Notice(_labels(hidden), message, "unset it to plan with all devices", "hidden-devices")


def _no_peer_access(node: Node) -> Iterator[Notice]:
    without = [device for device in node.devices if device.peer_access is False]
    if without and not any(device.mig_enabled for device in node.devices):
        message = "cannot read each other's memory: traffic between cards goes through the host"
        fix = "expect slow tensor parallelism; pipeline or layer splitting, or separate replicas, suffer less"
        yield Notice(_labels(without), message, fix, "no-peer-access")


_NODE_RULES = (_mixed_cards, _mixed_ecc, _hidden, _no_peer_access)
