"""Checks of each accelerator: free memory against the plan, ECC, power, what detection noticed."""

from __future__ import annotations

from collections.abc import Iterator

from planner.doctor.facts import Facts
from planner.doctor.result import Check
from planner.doctor.wants import Wants
from planner.units import human_bytes

_FULL_POWER = 0.98
_SERIOUS = frozenset({"device-error", "driver-library-mismatch", "mig-without-slices", "hidden-devices"})
_CHECKED = frozenset({"low-power-limit", "ecc-off", "swapping", "memory-in-use", "memory-limit", "little-disk"})
"""Notices that a check of its own says better."""


def free_memory(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Each device has free what the engine takes at its start."""
    devices = facts.node.devices
    if not devices:
        return
    if not wants.gpus_per_node:
        known = [d.free_bytes for d in devices if d.free_bytes is not None]
        if known:
            yield Check("gpu-memory", "ok", f"{human_bytes(min(known))} or more are free on each of {len(known)}")
        return
    unknown = [d.index for d in devices if d.free_bytes is None or d.total_bytes is None]
    short = []
    for device in devices:
        if device.free_bytes is None or device.total_bytes is None:
            continue
        need = max(wants.per_gpu_bytes, (wants.share or 0.0) * device.total_bytes)
        if device.free_bytes < need:
            short.append(f"{device.index}: {human_bytes(device.free_bytes)} free, {human_bytes(need)} wanted")
    ready = len(devices) - len(unknown) - len(short)
    if ready >= wants.gpus_per_node:
        yield Check("gpu-memory", "ok", f"{ready} devices have what the plan takes")
    elif short:
        fix = "stop what holds it (nvidia-smi, also in other containers), or lower gpu_memory_utilization"
        yield Check("gpu-memory", "problem", "not enough free memory on " + "; ".join(short[:8]), fix)
    else:
        yield Check("gpu-memory", "not-readable", "the driver does not report free memory")


def ecc(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Memory errors are seen."""
    states = [d.ecc for d in facts.node.devices]
    if not any(state is not None for state in states):
        yield Check("ecc", "not-applicable" if not states else "not-readable", "no device reports ECC")
    elif any(state is False for state in states):
        off = [str(d.index) for d in facts.node.devices if d.ecc is False]
        fix = "nvidia-smi -e 1, then reboot; on HBM it costs no capacity, on GDDR some per cent"
        yield Check("ecc", "warning", f"ECC is off on {', '.join(off)}: bit errors stay unnoticed", fix)
    else:
        yield Check("ecc", "ok", "ECC is on")


def power(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Power limits are as planned for: the default."""
    known = [d for d in facts.node.devices if d.power_limit_w and d.power_limit_default_w]
    if not known:
        yield Check(
            "power", "not-applicable" if not facts.node.devices else "not-readable", "no power limit is reported"
        )
        return
    low = [d for d in known if (d.power_limit_w or 0) < _FULL_POWER * (d.power_limit_default_w or 0)]
    if low:
        said = ", ".join(f"{d.index}: {d.power_limit_w:.0f} of {d.power_limit_default_w:.0f} W" for d in low[:8])
        fix = "nvidia-smi -pl WATTS; a cap on purpose is fine, prefill is then slower than planned"
        yield Check("power", "warning", f"capped: {said}", fix)
    else:
        yield Check("power", "ok", f"{known[0].power_limit_w:.0f} W, the default")


def noticed(facts: Facts, wants: Wants) -> Iterator[Check]:
    """What detection found worth saying and no other check covers."""
    for where, message, fix, kind in facts.warnings:
        if kind not in _CHECKED:
            state = "problem" if kind in _SERIOUS else "warning"
            yield Check(kind or "noticed", "problem" if state == "problem" else "warning", f"{where}: {message}", fix)
