"""What a preflight looks at, read from this machine (or a directory tree laid out for a test)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from planner.detect.surroundings import Surroundings, list_names, read_int, read_text
from planner.documents.inventory import Disk, Inventory, Node
from planner.units import KIB, MIB

_NVSWITCH = "0x068000"
_BRIDGE = "0x0604"
_NVIDIA = "0x10de"
_EXTENDED = 256
"""Bytes of PCI configuration space that everyone may read; capabilities such as ACS lie beyond."""
_ACS_ID = 0x000D


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a check may look at; None is "not readable"."""

    node: Node
    warnings: tuple[tuple[str, str, str, str], ...] = ()
    """Where, message, fix and kind of what detection noticed."""
    platform: str = "linux"
    shm_total: int | None = None
    shm_free: int | None = None
    limits: Mapping[str, float | None] = field(default_factory=dict)
    """"Max locked memory" … → soft limit, infinite where unlimited."""
    kernel_command: str | None = None
    iommu_groups: int | None = None
    numa_balancing: int | None = None
    max_map_count: int | None = None
    modules: frozenset[str] | None = None
    processes: frozenset[str] | None = None
    """Names of what runs."""
    nvswitches: int | None = None
    bridges: int = 0
    bridges_redirecting: int | None = None
    """PCI bridges whose ACS sends peer traffic up to the root; None: only root may read it."""
    module_version: str | None = None
    """Of NVIDIA's kernel module."""
    fabric_manager: str | None = None
    """Version that its log names."""
    compat_folder: str | None = None
    """CUDA compat libraries on the library path."""
    container_toolkit: bool | None = None
    kfd_writable: bool | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of NCCL, GLOO, vLLM and Hugging Face."""
    disk_of_weights: Disk | None = None
    weights_present: bool | None = None
    """The document names a local path that exists."""


def gather(inventory: Inventory, place: Surroundings, weights: Path | None = None) -> Facts:
    """Reads the machine; nothing is written and nothing is run."""
    shm = _room(place.dev / "shm")
    bridges, redirecting = _bridges(place)
    return Facts(
        node=inventory.nodes[0],
        warnings=tuple((n.where, n.message, n.fix, n.kind) for n in inventory.warnings),
        platform=place.platform,
        shm_total=shm[0] if shm else None,
        shm_free=shm[1] if shm else None,
        limits=_limits(place),
        kernel_command=read_text(place.proc / "cmdline", 64 * KIB),
        iommu_groups=_count(place.sys / "kernel" / "iommu_groups"),
        numa_balancing=read_int(place.proc / "sys" / "kernel" / "numa_balancing"),
        max_map_count=read_int(place.proc / "sys" / "vm" / "max_map_count"),
        modules=_modules(place),
        processes=_processes(place),
        nvswitches=_nvswitches(place),
        bridges=bridges,
        bridges_redirecting=redirecting,
        module_version=_module_version(place),
        fabric_manager=_fabric_manager(place),
        compat_folder=_compat(place),
        container_toolkit=_toolkit(place),
        kfd_writable=_writable(place.dev / "kfd"),
        environment={k: v for k, v in place.environ.items() if k.startswith(("NCCL_", "GLOO_", "VLLM_", "HF_"))},
        disk_of_weights=_disk_of(weights, inventory.nodes[0]),
        weights_present=weights.exists() if weights is not None else None,
    )


def _room(path: Path) -> tuple[int, int] | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _limits(place: Surroundings) -> dict[str, float | None]:
    """The soft limits of this process, by the kernel's names."""
    found: dict[str, float | None] = {}
    for line in (read_text(place.proc / "self" / "limits", 64 * KIB) or "").splitlines()[1:]:
        cells = re.split(r" {2,}", line.strip())
        if len(cells) >= 3:
            found[cells[0]] = _limit(cells[1])
    return found


def _limit(text: str) -> float | None:
    if text == "unlimited":
        return float("inf")
    return float(text) if text.isdigit() else None


def _count(path: Path) -> int | None:
    try:
        return sum(1 for _ in path.iterdir())
    except OSError:
        return None


def _modules(place: Surroundings) -> frozenset[str] | None:
    text = read_text(place.proc / "modules")
    return None if text is None else frozenset(line.split(" ", 1)[0] for line in text.splitlines())


def _processes(place: Surroundings) -> frozenset[str] | None:
    names = {read_text(path / "comm", 64) for path in list_names(place.proc, "[0-9]*")}
    names.discard(None)
    return frozenset(name for name in names if name) or None


def _nvswitches(place: Surroundings) -> int | None:
    folder = place.sys / "bus" / "pci" / "devices"
    if not folder.is_dir():
        return None
    return sum(
        1
        for path in list_names(folder)
        if read_text(path / "vendor", 16) == _NVIDIA and (read_text(path / "class", 16) or "") == _NVSWITCH
    )


def _bridges(place: Surroundings) -> tuple[int, int | None]:
    """PCI bridges, and how many of them redirect peer requests (ACS), where that may be read."""
    count, redirecting, readable = 0, 0, False
    for path in list_names(place.sys / "bus" / "pci" / "devices"):
        if not (read_text(path / "class", 16) or "").startswith(_BRIDGE):
            continue
        count += 1
        space = _config_space(path / "config")
        if len(space) > _EXTENDED:
            readable = True
            redirecting += _redirects(space)
    return count, redirecting if readable else None


def _config_space(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def _redirects(space: bytes) -> bool:
    """Whether P2P Request Redirect (bit 2 of the ACS control register) is on. PCIe base specification 7.7.11."""
    offset = _EXTENDED
    for _ in range(48):
        if not _EXTENDED <= offset <= len(space) - 8:
            return False
        header = int.from_bytes(space[offset : offset + 4], "little")
        if header & 0xFFFF == _ACS_ID:
            return bool(int.from_bytes(space[offset + 6 : offset + 8], "little") & 0b100)
        offset = header >> 20
    return False


def _module_version(place: Surroundings) -> str | None:
    text = read_text(place.sys / "module" / "nvidia" / "version", 64)
    if text:
        return text
    found = re.search(
        r"Kernel Module.{0,40}?  (\d[\d.]{2,20})", read_text(place.proc / "driver/nvidia/version", 4096) or ""
    )
    return found[1] if found else None


def _fabric_manager(place: Surroundings) -> str | None:
    try:
        with (place.top / "var/log/fabricmanager.log").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - MIB))
            text = file.read(MIB).decode("utf-8", "replace")
    except OSError:
        return None
    found = re.findall(r"Fabric Manager version is ?: ?(\d[\d.]{2,20})", text)
    return found[-1] if found else None


def _compat(place: Surroundings) -> str | None:
    folders = place.environ.get("LD_LIBRARY_PATH", "").split(":")
    return next((f for f in folders if re.search(r"cuda[^/]{0,20}/compat/?$", f)), None)


def _toolkit(place: Surroundings) -> bool | None:
    """Whether containers can be given NVIDIA devices."""
    if place.find_tool("nvidia-ctk") or (place.top / "etc/nvidia-container-runtime/config.toml").exists():
        return True
    docker = place.find_tool("docker") or place.find_tool("podman")
    return False if docker else None


def _writable(path: Path) -> bool | None:
    return os.access(path, os.R_OK | os.W_OK) if path.exists() else None


def _disk_of(path: Path | None, node: Node) -> Disk | None:
    """The file system that a path lies on; without a path the roomiest."""
    disks = node.host.disks
    if path is None:
        return max(disks, key=lambda disk: disk.free_bytes, default=None)
    try:
        where = str(path.absolute())
    except OSError:
        return None
    holding = [d for d in disks if where == d.mount or where.startswith(d.mount.rstrip("/") + "/")]
    return max(holding, key=lambda disk: len(disk.mount), default=None)
