"""One accelerator with its laws: what an operation of a size and format takes on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from hwdb.schema import Accelerator
from planner.errors import UnknownFact
from planner.estimate import Origin
from planner.memo import IdentityMemo
from planner.performance.curves import Curves, Law, LawRow, family
from planner.resolved import Host

PEAK_FORMATS: Mapping[str, tuple[str, ...]] = {
    "bf16": ("bf16", "fp16"),
    "fp32": ("tf32", "fp32", "bf16", "fp16"),
    "fp8": ("fp8",),
    "fp8-block": ("fp8",),
    "fp8-channel": ("fp8",),
    "nvfp4": ("nvfp4", "fp4"),
    "mxfp4-fp8": ("fp8",),
    "int8": ("int8", "fp8"),
}
"""Law format → peaks that serve it, best first. Formats not listed cast weights up: bf16."""
WEIGHT_ONLY: Mapping[str, str] = {
    "fp8": "int8-weight", "fp8-block": "int8-weight", "fp8-channel": "int8-weight", "int8": "int8-weight",
    "nvfp4": "int4", "mxfp4-fp8": "mxfp4",
}  # fmt: skip
"""What is done with a format that the tensor units lack: weights are cast up inside the kernel."""
_STAND_IN: Mapping[str, tuple[str, ...]] = {
    "fp8": ("fp8-block",), "fp8-block": ("fp8",), "fp8-channel": ("fp8", "fp8-block"), "int8": ("fp8", "fp8-block"),
    "int4": ("mxfp4",), "mxfp4": ("int4",),
    "int8-weight": ("int4", "mxfp4"), "mxfp4-fp8": ("mxfp4", "fp8-block"), "nvfp4": ("mxfp4-fp8", "fp8-block"),
}  # fmt: skip
"""Formats whose law serves where a chip or its family has no timings of the wanted one, best first; bf16 last."""


@dataclass(frozen=True, eq=False, slots=True)
class Chip:
    """Bandwidth, peaks and laws of one device."""

    accelerator: Accelerator | None
    bandwidth_bytes_s: float
    peaks: Mapping[str, float]
    curves: Curves
    traits: Mapping[str, Any]
    """Of its family or vendor, for chips without timings: shares and scales."""
    origin: Origin
    """"measured" with own timings, "formula" with timings of its family, else "assumed"."""

    def format(self, wanted: str) -> str:
        """The format that runs: the wanted one, or its weight-only form on chips without such units."""
        formats = PEAK_FORMATS.get(wanted)
        if formats is None or any(name in self.peaks for name in formats):
            return wanted
        return WEIGHT_ONLY.get(wanted, "bf16")

    def peak(self, form: str) -> float:
        """Dense FLOP per second of a law format."""
        for name in (*PEAK_FORMATS.get(form, ()), "bf16", "fp16", "fp32"):
            if self.peaks.get(name):
                return self.peaks[name]
        raise UnknownFact(f"dense peak FLOP/s of {self.accelerator.id if self.accelerator else 'the CPU'}")

    def law(self, operation: str, form: str, engine: str = "") -> Law:
        """The law of an operation in a format, carried over from the nearest chip where it has no own.

        ``engine`` names whose kernels run; where those were not timed, the fastest stand for them.
        """
        return _law(self, operation, form, engine)


_CARRIED_LATENCY = 1.5
"""A law of another family keeps its shares; its latency is at most this often that of the own 16-bit products."""


_OTHER_KERNELS = 0.1
"""How much farther the fastest kernels are than the engine's own: less than a stand-in format."""


@lru_cache(maxsize=4096)
def _law(chip: Chip, operation: str, form: str, engine: str) -> Law:
    formats = (form, *_STAND_IN.get(form, ()), "bf16")
    rows = [row for row in chip.curves.laws[operation] if row.format in formats and row.engine in ("", engine)]

    def far(row: LawRow) -> tuple[float, str, str]:
        foreign = _OTHER_KERNELS if row.engine != engine else 0.0
        return _distance(chip, row) + _strangeness(formats, row) + foreign, row.accelerator, row.format

    row = min(rows, key=far)
    law = row.law
    if form != "bf16" and _distance(chip, row) >= 0:
        plain = _law(chip, operation, "bf16", engine).latency_s / chip.traits.get("latency_scale", 1.0)
        law = replace(law, latency_s=min(law.latency_s, _CARRIED_LATENCY * plain))
    return _scaled(law, chip.traits)


def _strangeness(formats: tuple[str, ...], row: LawRow) -> float:
    """Below one for a stand-in format, so that the own family's stand-in beats other chips; bf16 only at last."""
    if row.format == formats[0]:
        return 0.0
    return 1000.0 if row.format == "bf16" else 0.2 * formats.index(row.format)


def _distance(chip: Chip, row: LawRow) -> float:
    """Own timings, then the family's, then by compute capability."""
    device, like = chip.accelerator, chip.traits.get("like", "")
    if device is None:
        return abs(_capability(row.family) - _capability(like))
    if row.accelerator == device.id:
        return -3.0
    own = like or family(device)
    return -1.5 if row.family == own else abs(_capability(row.family) - _capability(own))


def _capability(name: str) -> float:
    return float(name[2:]) if name.startswith("sm") and name[2:].isdigit() else 80.0


def _scaled(law: Law, traits: Mapping[str, Any]) -> Law:
    """A law with the scales of a chip family that has no timings of its own."""
    if not traits:
        return law
    return replace(
        law,
        latency_s=law.latency_s * traits.get("latency_scale", 1.0),
        memory=min(law.memory * traits.get("memory_scale", 1.0), 1.0),
        compute=min(law.compute * traits.get("compute_scale", 1.0), 1.0),
    )


_CHIPS: IdentityMemo[Chip] = IdentityMemo()


def chip_of(device: Accelerator | None, host: Host, curves: Curves) -> Chip:
    """The chip of a deployment; a machine without accelerators is one from its memory bandwidth and cores.

    Raises UnknownFact naming the fact that is missing.
    """
    if device is None:
        return _CHIPS.get(curves, curves, host, lambda: _cpu(host, curves))
    return _CHIPS.get(device, curves, None, lambda: _accelerator(device, curves))


def _accelerator(device: Accelerator, curves: Curves) -> Chip:
    if not device.bandwidth_bytes_s:
        raise UnknownFact(f"memory bandwidth of {device.id}")
    timed = {row.accelerator for row in curves.laws["gemm"]}
    families = {row.family for row in curves.laws["gemm"] if row.family}
    own = family(device)
    origin: Origin = "measured" if device.id in timed else "formula" if own in families else "assumed"
    traits: Mapping[str, Any] = {}
    if device.id not in timed:
        traits = curves.chips.get(device.id) or curves.chips.get(own) or curves.chips.get(device.vendor) or {}
    peaks = {name: peak for name, peak in device.peak_flop_s.items() if peak > 0}
    if not any(name in peaks for name in ("bf16", "fp16", "fp32")):
        guess = device.bandwidth_bytes_s * curves.chips["unknown"]["flop_per_byte"]
        peaks["bf16"] = peaks["fp8"] / 2 if "fp8" in peaks else guess
        origin = "assumed"
    return Chip(device, device.bandwidth_bytes_s, peaks, curves, traits, origin)


def _cpu(host: Host, curves: Curves) -> Chip:
    if not host.memory_bandwidth_bytes_s:
        raise UnknownFact("memory bandwidth of the host (hardware.host.memory_bandwidth_bytes_s)")
    traits = curves.chips["cpu"]
    cores = host.cores or traits["cores_per_socket"] * (host.sockets or 1)
    peak = cores * traits["flop_per_core_s"]
    return Chip(None, host.memory_bandwidth_bytes_s, {"bf16": peak}, curves, traits, "assumed")


def roofline(latency: float, memory_s: float, compute_s: float) -> float:
    """Seconds of an operation; see ``Law``. Power 3 joins the two limits smoothly."""
    return latency + math.cbrt(memory_s**3 + compute_s**3)
