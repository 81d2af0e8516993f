"""Notices about the machine around the devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from planner.documents.inventory import Node, Notice
from planner.units import GIB, human_bytes

Rule = Callable[[Node], Iterator[Notice]]

SWAPPING = 0.05
"""Share of the RAM that lies in swap before it is worth saying."""
LITTLE_DISK = 20 * GIB


def _memory_limit(node: Node) -> Iterator[Notice]:
    limit, total = node.host.memory_limit_bytes, node.host.ram_bytes
    if limit is not None and total is not None:
        message = f"a cgroup allows {human_bytes(limit)} of {human_bytes(total)} RAM"
        yield Notice("host memory", message, "raise the container's or the job's memory limit", "memory-limit")


def _cpu_limit(node: Node) -> Iterator[Notice]:
    limit, threads = node.host.cpu_limit, node.host.threads
    if limit is not None and threads is not None:
        message = f"this process may use {limit:g} of {threads} CPU threads"
        yield Notice("host processor", message, "raise the container's or the job's CPU limit", "cpu-limit")


def _swapping(node: Node) -> Iterator[Notice]:
    used, total = node.host.swap_used_bytes, node.host.ram_bytes
    if used and total and used > SWAPPING * total:
        message = f"{human_bytes(used)} are swapped out: loading and offloading will stall"
        yield Notice("host memory", message, "free memory, then swapoff -a && swapon -a", "swapping")


def _environment(node: Node) -> Iterator[Notice]:
    states = node.host.environment
    if "hidden-proc" in states:
        message = "/proc is partly hidden: memory, limits and processes may be missing"
        yield Notice("host", message, "run outside the sandbox, or give the figures by --hardware", "hidden-proc")
    if "wsl2" in states:
        message = "WSL2 sees only the memory that .wslconfig grants, and no links between devices"
        yield Notice("host", message, "raise memory= in %UserProfile%\\.wslconfig, then wsl --shutdown", "wsl2")
    if "vgpu" in states:
        message = "virtual GPUs: peer access is off, and other guests share the card"
        yield Notice("host", message, "use pass-through for full speed", "vgpu")


def _disk(node: Node) -> Iterator[Notice]:
    disks = node.host.disks
    if disks and max(disk.free_bytes for disk in disks) < LITTLE_DISK:
        most = max(disks, key=lambda disk: disk.free_bytes)
        message = f"at most {human_bytes(most.free_bytes)} are free ({most.mount}): few models fit"
        yield Notice("host disks", message, "free space or mount a model store", "little-disk")


HOST_RULES: tuple[Rule, ...] = (_memory_limit, _cpu_limit, _swapping, _environment, _disk)
