"""How long a start takes, for probes, units and people; the formula is the planner's own (``memory/startup.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.data import read_toml
from planner.memory.startup import Timing, timing

if TYPE_CHECKING:
    from planner.export.target import Context

__all__ = ["Timing", "shared_memory_bytes", "timing_of", "transfer_times"]

_FILE = "export/timing.toml"


def timing_of(context: Context) -> Timing:
    """Of an export; a disk rate given with it goes before the document's."""
    return timing(context.resolved, context.options.disk_bytes_s)


def shared_memory_bytes(devices: int) -> int:
    """Size of /dev/shm for one node's processes."""
    facts = read_toml(_FILE)["shared_memory"]
    return max(int(facts["least_bytes"]), devices * int(facts["per_device_bytes"]))


def transfer_times(size: float) -> list[tuple[str, float]]:
    """Seconds to carry ``size`` bytes over usual links."""
    return [(row["name"], size / row["bytes_s"]) for row in read_toml(_FILE)["transfer"]["links"]]
