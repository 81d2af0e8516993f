"""Mounted file systems that can hold models, with their free space; a hanging network mount cannot hang detection."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.documents.inventory import Disk

NETWORK = ("nfs", "cifs", "smb", "ceph", "lustre", "beegfs", "gpfs", "glusterfs", "fuse.", "9p", "virtiofs", "wekafs")
READ_ONLY = ("squashfs", "iso9660", "erofs", "udf")
SPECIAL = ("zfs", "overlay", "btrfs")
MAX_DISKS = 32
NETWORK_PATIENCE_S = 0.3


class Mount(NamedTuple):
    """One line of the mount table."""

    device: str
    target: str
    file_system: str

    @property
    def network(self) -> bool:
        """Whether another machine answers for it, perhaps never."""
        return self.file_system.startswith(NETWORK)


def read_disks(place: Surroundings) -> tuple[Disk, ...]:
    """File systems with their space; those that do not answer in time are left out."""
    mounts = list(_worth_showing(place))[:MAX_DISKS]
    found: dict[str, Disk] = {}
    for mount in mounts:
        if not mount.network:
            _measure(place, mount, found)
    remote = [mount for mount in mounts if mount.network]
    if remote:
        worker = threading.Thread(target=_measure_all, args=(place, remote, found), daemon=True)
        worker.start()
        worker.join(NETWORK_PATIENCE_S)
    return tuple(found[mount.target] for mount in mounts if mount.target in found)


def _worth_showing(place: Surroundings) -> Iterator[Mount]:
    seen: set[str] = set()
    for mount in _mounts(place):
        local = mount.device.startswith("/dev/") and mount.file_system not in READ_ONLY
        special = mount.file_system in SPECIAL and (mount.file_system != "overlay" or mount.target == "/")
        key = mount.target if mount.file_system in SPECIAL else mount.device
        if (local or special or mount.network) and key not in seen:
            seen.add(key)
            yield mount


def _mounts(place: Surroundings) -> Iterator[Mount]:
    for line in (read_text(place.proc / "self" / "mounts") or "").splitlines():
        parts = line.split(" ")
        if len(parts) >= 3:
            device, target = (part.replace("\\040", " ") for part in parts[:2])
            yield Mount(device, target, parts[2])


def _measure_all(place: Surroundings, mounts: list[Mount], found: dict[str, Disk]) -> None:
    for mount in mounts:
        _measure(place, mount, found)


def _measure(place: Surroundings, mount: Mount, found: dict[str, Disk]) -> None:
    path = place.top / mount.target.lstrip("/")
    try:
        if not path.is_dir():
            return
        space = os.statvfs(path)
    except OSError:
        return
    total, free = space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize
    if total > 0:
        found[mount.target] = Disk(mount.target, total, free, _kind(place, mount))


def _kind(place: Surroundings, mount: Mount) -> str | None:
    """nvme, ssd, hdd, virtual, or the file system where no block device is behind it."""
    if not mount.device.startswith("/dev/"):
        return mount.file_system
    name = _block_name(place, mount.device)
    for prefix, kind in (("nvme", "nvme"), ("vd", "virtual"), ("xvd", "virtual")):
        if name.startswith(prefix):
            return kind
    block = place.sys / "class" / "block" / name
    for folder in (block, block.resolve().parent):
        rotational = read_int(folder / "queue" / "rotational")
        if rotational is not None:
            return "hdd" if rotational else "ssd"
    return None


def _block_name(place: Surroundings, device: str) -> str:
    """Kernel name behind a device path; one level of device mapper is looked through."""
    try:
        name = (place.top / device.lstrip("/")).resolve().name
    except OSError:
        name = Path(device).name
    below = list_names(place.sys / "class" / "block" / name / "slaves")
    return below[0].name if below else name
