"""Memory bandwidth and cores of the host that runs layers or experts, from what is known of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from hwdb.schema import Accelerator
from planner.performance.local_curves import HostCurve
from planner.resolved import Cluster

_CORES = re.compile(r"(\d{1,3})[\s-]*(?:c\b|c/socket|cores?\b|threads\b)", re.IGNORECASE)
_SOCKETS = re.compile(r"\s*(?:cpu:\s*)?([248])\s*x\b", re.IGNORECASE)
_MAX_TEXT = 300


class HostSpeed(NamedTuple):
    """Bytes per second of all sockets, and how surely."""

    bytes_s: float
    known: bool
    cores: float
    """As reported or described, else guessed from the bandwidth."""


def host_speed(cluster: Cluster, gpus: int, curve: HostCurve) -> HostSpeed:
    """The host's bandwidth as resolved, or assumed for its kind; sockets beyond the first count less."""
    host = cluster.host
    known = host.memory_bandwidth_bytes_s
    speed = known or _assumed(cluster.device.accelerator, gpus, curve)
    sockets = host.sockets or 1
    if sockets > 1:
        speed *= (1 + (sockets - 1) * curve.socket_share) / sockets
    cores = host.cores or described_cores(host.cpu)
    if cores:
        speed = min(speed, cores * curve.core_bytes_s)
    return HostSpeed(speed, known is not None, float(cores or speed / curve.unknown_core_bytes_s))


def _assumed(device: Accelerator | None, gpus: int, curve: HostCurve) -> float:
    """Of a CPU that shares its GPU's memory, of a workstation with many GPUs, of a desktop."""
    if device is not None and device.unified_memory and device.bandwidth_bytes_s:
        return device.bandwidth_bytes_s * curve.unified_share
    return curve.unknown_many_gpus_bytes_s if gpus >= curve.many_gpus else curve.unknown_bytes_s


def described_cores(text: str | None) -> int | None:
    """Cores of all sockets that a free description states: "(32 cores)", "128c", "2x … (20c)"."""
    text = (text or "")[:_MAX_TEXT]
    found = _CORES.search(text)
    if not found:
        return None
    sockets = _SOCKETS.match(text)
    return int(found.group(1)) * (int(sockets.group(1)) if sockets else 1)
