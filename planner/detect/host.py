"""The machine around the accelerators: processor, memory, disks, network, and the limits this process lives under.

Linux is read from ``/proc`` and sysfs; elsewhere, and where these are hidden, psutil is asked.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from planner.detect.cgroup import Limits, read_limits
from planner.detect.disks import read_disks
from planner.detect.environment import read_environment
from planner.detect.network import read_nics
from planner.detect.processor import Processor, read_processor
from planner.detect.surroundings import Surroundings, read_text
from planner.detect.values import decimal
from planner.documents.inventory import Disk, HostInfo
from planner.units import KIB

N = TypeVar("N", int, float)


class Memory(NamedTuple):
    """Bytes; None where hidden."""

    total: int | None = None
    available: int | None = None
    swap: int | None = None
    swap_used: int | None = None


def read_host(place: Surroundings) -> HostInfo:
    """Everything about the host but its bandwidth, which is a fact of the hardware database."""
    processor = read_processor(place)
    memory = _memory(place)
    limits = read_limits(place)
    cores, threads = processor.cores, processor.threads
    if place.real and not threads:
        cores, threads = _psutil_cores()
    environment = read_environment(place)
    return HostInfo(
        hostname=_hostname(place),
        os=_os_name(place),
        cpu=processor.name or _platform_cpu(place),
        cores=cores,
        threads=threads,
        sockets=processor.sockets,
        numa_nodes=processor.numa_nodes,
        ram_bytes=memory.total,
        ram_available_bytes=_available(memory, limits),
        memory_limit_bytes=_below(limits.memory_bytes, memory.total),
        features=processor.features,
        disks=read_disks(place) or (_psutil_disks() if place.real else ()),
        environment=tuple(sorted({*environment, *_virtual(processor, environment)})),
        cpu_limit=_below(limits.cpu, threads),
        swap_bytes=memory.swap,
        swap_used_bytes=memory.swap_used,
        nics=read_nics(place),
    )


def _below(limit: N | None, whole: int | None) -> N | None:
    """A limit that really limits."""
    return limit if limit is not None and (whole is None or limit < whole) else None


def _available(memory: Memory, limits: Limits) -> int | None:
    """What this process may still take: the machine's figure, or less inside a cgroup."""
    if limits.memory_bytes is None or limits.memory_used_bytes is None:
        return memory.available
    left = max(0, limits.memory_bytes - limits.memory_used_bytes)
    return left if memory.available is None else min(left, memory.available)


def _virtual(processor: Processor, environment: tuple[str, ...]) -> tuple[str, ...]:
    return ("virtual-machine",) if processor.virtual and "wsl2" not in environment else ()


def _memory(place: Surroundings) -> Memory:
    table: dict[str, int] = {}
    for line in (read_text(place.proc / "meminfo") or "").splitlines():
        key, _, value = line.partition(":")
        number = value.split()
        if number and (kibibytes := decimal(number[0])) is not None:
            table[key] = kibibytes * KIB
    if table.get("MemTotal"):
        swap, free = table.get("SwapTotal"), table.get("SwapFree")
        used = swap - free if swap is not None and free is not None else None
        return Memory(table["MemTotal"], table.get("MemAvailable"), swap, used)
    return _psutil_memory() if place.real else Memory()


def _platform_cpu(place: Surroundings) -> str | None:
    if not place.real:
        return None
    import platform

    return platform.processor() or None


def _hostname(place: Surroundings) -> str | None:
    name = read_text(place.proc / "sys" / "kernel" / "hostname", 256)
    if name or not place.real:
        return name or None
    import socket

    return socket.gethostname() or None


def _os_name(place: Surroundings) -> str | None:
    """``Ubuntu 24.04.1 LTS, Linux 6.8.0-45-generic``."""
    release = read_text(place.proc / "sys" / "kernel" / "osrelease", 256)
    kernel = f"Linux {release}" if release else _platform_kernel(place)
    for line in (read_text(place.top / "etc" / "os-release", 65536) or "").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return ", ".join(part for part in (value.strip().strip("\"'"), kernel) if part)
    return kernel


def _platform_kernel(place: Surroundings) -> str | None:
    if not place.real:
        return None
    import platform

    return f"{platform.system()} {platform.release()}"


def _psutil_memory() -> Memory:
    import psutil

    try:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    except (OSError, RuntimeError, ValueError):
        return Memory()
    return Memory(memory.total, memory.available, swap.total, swap.used)


def _psutil_cores() -> tuple[int | None, int | None]:
    import psutil

    return psutil.cpu_count(logical=False), psutil.cpu_count()


def _psutil_disks() -> tuple[Disk, ...]:
    import psutil

    found = []
    try:
        for part in psutil.disk_partitions(all=False):
            usage = psutil.disk_usage(part.mountpoint)
            found.append(Disk(part.mountpoint, usage.total, usage.free, part.fstype or None))
    except (OSError, RuntimeError, ValueError):
        return tuple(found)
    return tuple(found)
