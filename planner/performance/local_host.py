"""Memory bandwidth of the host that runs layers or experts, from what is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from planner.performance.local_curves import HostCurve
from planner.resolved import Host
from planner.units import GIGA, MEGA

_BUS_BYTES = 8
"""Width of a DDR channel."""
_STATED = re.compile(r"(\d{2,4})\s*gb/s", re.IGNORECASE)
_CHANNELS = re.compile(
    r"(\d{1,2})\s*(?:x|ch|channels?)?[\s-]*ddr[45]x?(?:\s*channels?)?[\s@-]*(\d{4})|ddr[45]-?(\d{4})\D{0,3}(\d{1,2})\s*ch",
    re.I,
)
_SOCKETS = re.compile(r"\b([248])\s*x\b(?!\s*ddr)", re.IGNORECASE)
_MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class HostSpeed:
    """Bytes per second of all sockets, and how surely."""

    bytes_s: float
    known: bool


def host_speed(host: Host, curve: HostCurve) -> HostSpeed:
    """The host's bandwidth: as resolved, as written in its description, or assumed for a desktop."""
    known = host.memory_bandwidth_bytes_s or described_bandwidth(host.cpu)
    speed = known or curve.unknown_bytes_s
    if host.cores:
        speed = min(speed, host.cores * curve.core_bytes_s)
    return HostSpeed(speed, known is not None)


def described_bandwidth(text: str | None) -> float | None:
    """Bandwidth that a free description states: "~512 GB/s", "2x …, 8x DDR5-4800 per socket", "DDR4-3200 8ch"."""
    text = (text or "")[:_MAX_TEXT]
    stated = _STATED.search(text)
    if stated:
        return float(stated.group(1)) * GIGA
    found = _CHANNELS.search(text)
    if not found:
        return None
    channels, rate = (found.group(1), found.group(2)) if found.group(1) else (found.group(4), found.group(3))
    sockets = _SOCKETS.match(text.strip())
    each = sockets is not None and "total" not in text.lower()
    return int(channels) * int(rate) * MEGA * _BUS_BYTES * (int(sockets.group(1)) if sockets and each else 1)
