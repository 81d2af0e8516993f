"""How long a start takes: the weights at the disk's speed, then the engine's own warm-up.

load = bytes / disk rate · start = load + usual warm-up · patience = max(least, slow factor · load + slow warm-up), in
whole minutes: a start-up probe waits that long, then something is wrong.
Warm-up (compilation, graph capture, autotuning) is a fact of the engine: ``startup.warm_up_s`` of its profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from planner.documents.result import Startup
from planner.estimate import Estimate, Origin
from planner.memory.host import disk_bytes
from planner.resolved import Resolved
from planner.units import GIGA, SECONDS_PER_MINUTE

ASSUMED_DISK_BYTES_S = 1.0 * GIGA
"""What one stream of a local NVMe drive or a good file server gives; nobody stated a rate. Shared storage is often
far slower: aws-do-eks pull request 40 reports 1,044 GiB in more than 75 minutes from Lustre (0.25 GB/s)."""
_SLOW_FACTOR = 3.0
"""Times the load in the slow case."""
_CACHED_FACTOR = 0.2
"""Times the load when the page cache still holds the files (five times an NVMe drive's rate)."""
_STATED_FACTOR = 1.5
"""Times the load at a stated rate: other readers, small reads."""
PROBE_PERIOD_S = 10
_LEAST_PATIENCE_S = 300.0
_LONGEST_S = 1e9
"""Thirty years: seconds stay finite for disks that hardly move."""
_WARM_UP_S = (120.0, 600.0)
"""Usual and slow where a profile says nothing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from start to the first answer."""

    weight_bytes: float
    """Read from storage by each node."""
    disk_bytes_s: float
    disk_is_assumed: bool
    load_s: float
    start_s: float
    """Usual."""
    patience_s: int
    """The slow case; after it something is wrong."""
    probe_period_s: int = PROBE_PERIOD_S

    @property
    def probe_failures(self) -> int:
        """How often a start-up probe may fail."""
        return ceil(self.patience_s / self.probe_period_s)


def timing(resolved: Resolved, disk_bytes_s: float | None = None) -> Timing:
    """The times of a deployment; ``disk_bytes_s`` goes before what the document says of the host."""
    known = disk_bytes_s or resolved.cluster.host.disk_bytes_s
    rate = known or ASSUMED_DISK_BYTES_S
    size = disk_bytes(resolved)
    usual, slow = warm_up_s(resolved)
    load = min(size / rate, _LONGEST_S)
    patience = max(_LEAST_PATIENCE_S, load * _SLOW_FACTOR + slow)
    whole = ceil(patience / SECONDS_PER_MINUTE) * SECONDS_PER_MINUTE
    return Timing(size, rate, known is None, load, load + usual, whole)


def warm_up_s(resolved: Resolved) -> tuple[float, float]:
    """From the last weight read to the first answer: usual and slow."""
    usual, slow = resolved.engine.fact("startup.warm_up_s", _WARM_UP_S)
    return float(usual), float(slow)


def startup(resolved: Resolved) -> Startup:
    """The same as estimates with their terms."""
    times = timing(resolved)
    usual, slow = warm_up_s(resolved)
    late = _SLOW_FACTOR if times.disk_is_assumed else _STATED_FACTOR
    origin: Origin = "assumed" if times.disk_is_assumed else "formula"
    read = {"bytes": times.weight_bytes, "bytes_s": times.disk_bytes_s}
    load = Estimate(_CACHED_FACTOR * times.load_s, times.load_s, late * times.load_s, origin, read)
    terms = {"load": times.load_s, "warm_up": usual}
    start = Estimate(load.low + 0.5 * usual, times.start_s, load.high + slow, "assumed", terms)
    patience = {"slow_load": _SLOW_FACTOR * times.load_s, "slow_warm_up": slow}
    probe = Estimate(times.start_s, float(times.patience_s), float(times.patience_s), "formula", patience)
    return Startup(load, start, probe)
