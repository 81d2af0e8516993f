"""An inventory as plain text: one block a node; what was withheld reads "not reported"."""

from __future__ import annotations

from collections.abc import Iterator

from planner.cli.tables import align
from planner.documents.inventory import GpuDevice, HostInfo, Inventory, Node
from planner.units import GIGA, human_bytes

UNSAID = "not reported"
BITS_PER_BYTE = 8
MARKS = {"exact": "OK", "ambiguous": "~", "unknown": "?"}
HEAD = ("", "#", "device", "known as", "memory", "used", "free", "power", "PCIe", "links", "state")


def inventory_table(inventory: Inventory) -> str:
    """The whole inventory, its warnings last."""
    blocks = [_node_block(number, node, inventory) for number, node in enumerate(inventory.nodes, 1)]
    if inventory.warnings:
        lines = [f"  {notice.where}: {notice.message}\n      → {notice.fix}" for notice in inventory.warnings]
        blocks.append("\n".join(["warnings", *lines]))
    return "\n\n".join(blocks)


def _node_block(number: int, node: Node, inventory: Inventory) -> str:
    name = node.host.hostname or f"node {number}"
    times = f" × {node.count}" if node.count > 1 else ""
    lines = [f"{name}{times} ({inventory.origin})", *_host_lines(node.host)]
    if not node.devices:
        return "\n".join([*lines, "  devices    none: models run on the processor"])
    versions = (("driver", node.driver_version), ("runtime", node.runtime_version))
    said = ", ".join(f"{label} {version}" for label, version in versions if version)
    link = f", link {node.link or UNSAID}" if len(node.devices) > 1 else ""
    lines.append(f"  devices    {len(node.devices)}{link}{', ' + said if said else ''}")
    lines.append(align([HEAD, *(_device_row(device) for device in node.devices)], indent="  "))
    lines += [line for device in node.devices for line in _device_details(device)]
    return "\n".join(lines + _matrix(node))


def _host_lines(host: HostInfo) -> Iterator[str]:
    if host == HostInfo():
        yield f"  host       {UNSAID}"
        return
    counts = ((host.cores, "cores"), (host.threads, "threads"), (host.sockets, "sockets"), (host.numa_nodes, "NUMA"))
    said = ", ".join(f"{count} {label}" for count, label in counts if count is not None)
    yield f"  processor  {host.cpu or UNSAID}; {said or 'cores ' + UNSAID}"
    if host.features:
        yield f"             {' '.join(host.features)}"
    yield f"  memory     {_bytes(host.ram_bytes)}, {_bytes(host.ram_available_bytes)} available{_limits(host)}"
    for disk in host.disks[:8]:
        kind = f" ({disk.kind})" if disk.kind else ""
        yield f"  disk       {disk.mount}{kind}: {_bytes(disk.free_bytes)} free of {_bytes(disk.total_bytes)}"
    for nic in host.nics[:16]:
        rate = f"{nic.bytes_s * BITS_PER_BYTE / GIGA:g} Gbit/s" if nic.bytes_s else f"rate {UNSAID}"
        yield f"  network    {nic.name} {nic.kind}, {rate}"
    if host.os or host.environment:
        yield f"  system     {', '.join(part for part in (host.os, *host.environment) if part)}"


def _limits(host: HostInfo) -> str:
    parts = []
    if host.memory_limit_bytes is not None:
        parts.append(f"limited to {human_bytes(host.memory_limit_bytes)}")
    if host.swap_used_bytes:
        parts.append(f"{human_bytes(host.swap_used_bytes)} swapped out")
    return "".join(f", {part}" for part in parts)


def _bytes(count: int | None) -> str:
    return UNSAID if count is None else human_bytes(count)


def _device_row(device: GpuDevice) -> tuple[str, ...]:
    return (
        "NO" if device.error else MARKS[device.match],
        str(device.index),
        device.name or UNSAID,
        device.accelerator or _nearest(device),
        _bytes(device.total_bytes),
        _bytes(device.used_bytes),
        _bytes(device.free_bytes),
        _power(device),
        _pcie(device),
        _links(device),
        _state(device),
    )


def _nearest(device: GpuDevice) -> str:
    return f"like {device.nearest[0][0]}?" if device.nearest else "unknown"


def _power(device: GpuDevice) -> str:
    draw, limit = device.power_draw_w, device.power_limit_w
    if draw is None and limit is None:
        return UNSAID
    return f"{'?' if draw is None else f'{draw:.0f}'}/{'?' if limit is None else f'{limit:.0f}'} W"


def _pcie(device: GpuDevice) -> str:
    if device.pcie_gen is None and device.pcie_width is None:
        return UNSAID
    best = f" (of {device.pcie_gen_max or '?'} x{device.pcie_width_max or '?'})"
    same = (device.pcie_gen, device.pcie_width) == (device.pcie_gen_max, device.pcie_width_max)
    known = device.pcie_gen_max is not None or device.pcie_width_max is not None
    return f"{device.pcie_gen or '?'} x{device.pcie_width or '?'}{best if known and not same else ''}"


def _links(device: GpuDevice) -> str:
    if device.link_count is None:
        return device.link_kind or UNSAID
    return f"{device.link_count} × {device.link_kind or 'link'}" if device.link_count else "none"


def _state(device: GpuDevice) -> str:
    states = (
        device.error,
        None if device.visible else "hidden",
        "MIG" if device.mig_enabled else None,
        "unified memory" if device.unified_memory else None,
        device.virtualization,
        {True: "ECC", False: "no ECC", None: None}[device.ecc],
    )
    return ", ".join(state for state in states if state)


def _device_details(device: GpuDevice) -> Iterator[str]:
    for number, part in enumerate(device.slices):
        used = f", {_bytes(part.used_bytes)} used"
        yield f"     {device.index}.{number}  slice {part.profile or UNSAID}: {_bytes(part.total_bytes)}{used}"
    for use in device.processes[:4]:
        yield f"     {device.index}    process {use.pid or '?'} {use.name or UNSAID}: {_bytes(use.used_bytes)}"


def _matrix(node: Node) -> list[str]:
    """The pairwise links, unless all pairs are joined alike."""
    words = {word for one, row in enumerate(node.topology) for other, word in enumerate(row) if one != other}
    if len(words) == 1:
        return [f"  links      all pairs {words.pop()}"]
    if not words or len(node.topology) > 32:
        return []
    names = [str(device.index) for device in node.devices]
    rows = [("", *names), *((name, *row) for name, row in zip(names, node.topology, strict=False))]
    return ["  links", align(rows, indent="    ")]
