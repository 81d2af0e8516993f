"""From a driver's words to a row of the hardware database; a miss keeps the nearest names and is never guessed away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hwdb.errors import AmbiguousRow, LookupProblem
from planner.documents.inventory import GpuDevice, HostInfo, MigSlice, Node
from planner.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from hwdb.database import Database
    from hwdb.schema import Accelerator

MUCH_ALIKE = 0.12
"""Largest relative difference between a slice's memory and its profile's."""


def look_up(name: str, db: Database) -> Accelerator:
    """An accelerator by id or alias. Raises UnknownName with the nearest names, BadInput where several carry it."""
    try:
        return db.accelerator(name)
    except AmbiguousRow as error:
        raise BadInput("hardware", str(error), f"for example {error.candidates[0]}") from None
    except LookupProblem as error:
        raise UnknownName("accelerator", name[:80], error.nearest) from None


def identify(device: GpuDevice, db: Database) -> GpuDevice:
    """The device with its hwdb id, or with the nearest ids. An id that it carries already is checked."""
    if device.accelerator is not None:
        row = look_up(device.accelerator, db)
        return _known(replace(device, accelerator=row.id, match="exact"), row)
    if device.name is None and device.pci_device_id is None:
        return device
    found = db.match(driver_name=device.name, memory_bytes=device.total_bytes, pci_device_id=device.pci_device_id)
    virtual = device.virtualization or ("vgpu" if found.partition == "vgpu" else None)
    device = replace(device, match=found.state, nearest=found.nearest, virtualization=virtual)
    if found.accelerator is None:
        return device
    return _known(replace(device, accelerator=found.accelerator.id), found.accelerator)


def _known(device: GpuDevice, row: Accelerator) -> GpuDevice:
    """What the row adds: unified memory, the compute capability that XML logs leave out, names of slices."""
    capability = row.compute_capability
    return replace(
        device,
        unified_memory=device.unified_memory or row.unified_memory,
        compute_capability=device.compute_capability
        or (f"{capability[0]}.{capability[1]}" if capability else row.gfx_arch),
        slices=tuple(_named(part, row) for part in device.slices),
    )


def _named(part: MigSlice, row: Accelerator) -> MigSlice:
    """A slice whose profile the driver did not name has that of like memory and the nearest compute share."""
    profile = part.profile or _nearest_profile(part, row)
    return replace(part, profile=profile, accelerator=f"{row.id}:{profile}" if profile in row.mig_profiles else None)


def _nearest_profile(part: MigSlice, row: Accelerator) -> str:
    whole = row.driver_memory_bytes or row.memory_bytes
    if part.total_bytes is None or not whole:
        return ""
    from hwdb.partition import slice_shares

    share = part.sm_count / row.sm_count if part.sm_count and row.sm_count else None
    near = []
    for name in row.mig_profiles:
        shares = slice_shares(row, name)
        if abs((shares.memory_share or 0) * whole - part.total_bytes) <= MUCH_ALIKE * part.total_bytes:
            distance = abs((shares.compute_share or 0) - share) if share is not None else 0.0
            near.append((distance, len(name), name))
    return min(near)[2] if near else ""


def identify_host(host: HostInfo, db: Database) -> HostInfo:
    """The host with its hwdb id and the memory bandwidth of all its sockets, where the processor is known."""
    row = db.host(host.cpu) if host.cpu else None
    if row is None:
        return host
    bandwidth = row.bandwidth_bytes_s * (host.sockets or 1) if row.bandwidth_bytes_s else None
    return replace(host, cpu_id=row.id, memory_bandwidth_bytes_s=host.memory_bandwidth_bytes_s or bandwidth)


def identify_node(node: Node, db: Database) -> Node:
    """A node with devices and host looked up; a device without memory of its own has the host's."""
    devices = (identify(device, db) for device in node.devices)
    host = identify_host(node.host, db)
    return replace(node, host=host, devices=tuple(_shared(device, host) for device in devices))


def _shared(device: GpuDevice, host: HostInfo) -> GpuDevice:
    total, free = host.memory_limit_bytes or host.ram_bytes, host.ram_available_bytes
    if not device.unified_memory or device.total_bytes is not None or total is None:
        return device
    used = max(0, total - free) if free is not None else None
    return replace(device, total_bytes=total, free_bytes=free, used_bytes=used)
