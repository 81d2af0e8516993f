"""How long a start takes, for probes, units and people."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from planner.data import read_toml
from planner.memory.host import disk_bytes

if TYPE_CHECKING:
    from planner.export.target import Context

_FILE = "export/timing.toml"


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
    probe_period_s: int

    @property
    def probe_failures(self) -> int:
        """How often a start-up probe may fail."""
        return ceil(self.patience_s / self.probe_period_s)


def timing_of(context: Context) -> Timing:
    """load = bytes / disk rate; start = load + warm-up; patience = slow_factor · load + slow warm-up."""
    facts = read_toml(_FILE)
    known = context.options.disk_bytes_s or context.resolved.cluster.host.disk_bytes_s
    rate = known or float(facts["storage"]["assumed_bytes_s"])
    size = disk_bytes(context.resolved)
    usual, slow = context.runtime.warm_up_s
    load = size / rate
    patience = max(float(facts["probe"]["least_s"]), load * facts["storage"]["slow_factor"] + slow)
    return Timing(
        weight_bytes=size,
        disk_bytes_s=rate,
        disk_is_assumed=known is None,
        load_s=load,
        start_s=load + usual,
        patience_s=ceil(patience / 60) * 60,
        probe_period_s=int(facts["probe"]["period_s"]),
    )


def shared_memory_bytes(devices: int) -> int:
    """Size of /dev/shm for one node's processes."""
    facts = read_toml(_FILE)["shared_memory"]
    return max(int(facts["least_bytes"]), devices * int(facts["per_device_bytes"]))


def transfer_times(size: float) -> list[tuple[str, float]]:
    """Seconds to carry ``size`` bytes over usual links."""
    return [(row["name"], size / row["bytes_s"]) for row in read_toml(_FILE)["transfer"]["links"]]
