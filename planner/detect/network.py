"""Network ports that traffic between nodes can use: Ethernet and InfiniBand, from sysfs."""

from __future__ import annotations

import re
from pathlib import Path

from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.documents.inventory import Nic
from planner.units import GIGA, MEGA

BITS_PER_BYTE = 8
MAX_NICS = 64


def read_nics(place: Surroundings) -> tuple[Nic, ...]:
    """InfiniBand and RoCE ports first, then Ethernet ports with a link; virtual ones are left out."""
    ports = [
        nic
        for device in list_names(place.sys / "class" / "infiniband")
        for port in list_names(device / "ports")
        if (nic := _rdma_port(device, port))
    ]
    ports += [nic for folder in list_names(place.sys / "class" / "net") if (nic := _ethernet(folder))]
    return tuple(ports[:MAX_NICS])


def _rdma_port(device: Path, port: Path) -> Nic | None:
    """``rate`` reads ``400 Gb/sec (4X NDR)``, ``link_layer`` InfiniBand or Ethernet."""
    state = read_text(port / "state", 64) or ""
    if "ACTIVE" not in state:
        return None
    rate = re.match(r"(\d{1,6}(?:\.\d{1,3})?) Gb/sec", read_text(port / "rate", 64) or "")
    kind = "infiniband" if (read_text(port / "link_layer", 64) or "") == "InfiniBand" else "roce"
    return Nic(f"{device.name}:{port.name}", kind, float(rate[1]) * GIGA / BITS_PER_BYTE if rate else None)


def _ethernet(folder: Path) -> Nic | None:
    if not (folder / "device").exists() or read_text(folder / "operstate", 64) != "up":
        return None
    megabits = read_int(folder / "speed")
    known = megabits is not None and 0 < megabits < 10**8
    return Nic(folder.name, "ethernet", megabits * MEGA / BITS_PER_BYTE if known and megabits else None)
