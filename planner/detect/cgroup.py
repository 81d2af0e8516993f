"""Limits that a container or a service manager puts below the machine: cgroup v1 and v2, affinity masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from planner.detect.surroundings import Surroundings, read_int, read_text
from planner.detect.values import decimal

UNLIMITED = 1 << 62
"""cgroup v1 writes "no limit" as the largest page-aligned 63-bit number."""


class Limits(NamedTuple):
    """What is left of the machine; None where nothing is limited."""

    memory_bytes: int | None = None
    memory_used_bytes: int | None = None
    """Held inside the limit, reclaimable page cache excluded."""
    cpu: float | None = None
    """Cores' worth of time."""


def read_limits(place: Surroundings) -> Limits:
    """The tightest limit from this process's cgroup up to the root, of both versions."""
    paths = _own_paths(place)
    memory: list[tuple[int, int | None]] = []
    cpus: list[float] = []
    for folder in _folders(place, paths, "memory"):
        memory += _memory_limit(folder)
    for folder in _folders(place, paths, "cpu"):
        cpus += _cpu_limit(folder)
    cpus += _affinity(place)
    tightest = min(memory, default=(None, None), key=lambda pair: pair[0] or 0)
    return Limits(tightest[0], tightest[1], min(cpus, default=None))


def _own_paths(place: Surroundings) -> dict[str, str]:
    """Controller → path of this process, from ``/proc/self/cgroup``; "" is version 2."""
    paths: dict[str, str] = {}
    for line in (read_text(place.proc / "self" / "cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for name in controllers.split(","):
            paths[name] = path.strip()
    return paths


def _folders(place: Surroundings, paths: dict[str, str], controller: str) -> Iterator[Path]:
    """Every cgroup folder from the own one up to the root, version 1 and 2."""
    base = place.sys / "fs" / "cgroup"
    roots = [(base / controller, paths.get(controller)), (base / "unified", paths.get("")), (base, paths.get(""))]
    for root, path in roots:
        parts = [part for part in (path or "").split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            yield root.joinpath(*parts[:depth])


def _memory_limit(folder: Path) -> list[tuple[int, int | None]]:
    """(limit, bytes held) of one cgroup, if it limits memory."""
    for limit_name, usage_name, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = read_int(folder / limit_name)
        if limit is not None and 0 < limit < UNLIMITED:
            used = read_int(folder / usage_name)
            return [(limit, None if used is None else max(0, used - _statistic(folder, cache)))]
    return []


def _statistic(folder: Path, name: str) -> int:
    for line in (read_text(folder / "memory.stat") or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return decimal(value) or 0
    return 0


def _cpu_limit(folder: Path) -> list[float]:
    """Quota over period, if one is set."""
    quota, _, period = (read_text(folder / "cpu.max", 64) or "").partition(" ")
    if not quota:
        quota = str(read_int(folder / "cpu.cfs_quota_us") or "")
        period = str(read_int(folder / "cpu.cfs_period_us") or "")
    share, whole = decimal(quota), decimal(period)
    return [share / whole] if share and whole else []


def _affinity(place: Surroundings) -> list[float]:
    """CPUs this process may run on, from ``Cpus_allowed_list``."""
    for line in (read_text(place.proc / "self" / "status") or "").splitlines():
        if line.startswith("Cpus_allowed_list:"):
            count = count_list(line.partition(":")[2])
            return [float(count)] if count else []
    return []


def count_list(text: str) -> int:
    """Members of a kernel list such as ``0-3,8``; 0 if it is not one."""
    total = 0
    for part in text.strip().split(","):
        first, _, last = part.strip().partition("-")
        low, high = decimal(first), decimal(last or first)
        if low is None or high is None:
            return 0
        total += max(0, high - low + 1)
    return total
