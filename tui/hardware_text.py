"""Hardware in words: rows of devices, the host around them, links, warnings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.units import human_bytes, human_rate
from tui.rows import Row
from tui.session import Session

if TYPE_CHECKING:
    from planner.documents.inventory import GpuDevice, HostInfo, Inventory, MigSlice, Node

NOT_REPORTED = "not reported"
MOST_NODES = 8
"""Machines that are described one by one."""


def amount(count: int | float | None) -> str:
    """Bytes, or the state "not reported"."""
    return NOT_REPORTED if count is None else human_bytes(count)


def short_amount(count: int | float | None) -> str:
    return "?" if count is None else human_bytes(count)


def device_rows(inventory: Inventory) -> Iterator[Row]:
    """One row a device; a machine without any is a row of its own: plans are then for its CPU."""
    several = len(inventory.nodes) > 1
    for number, node in enumerate(inventory.nodes):
        for device in node.devices:
            index = f"{number}.{device.index}" if several else str(device.index)
            yield _device_row(index, device, node)
            yield from (_slice_row(f"{index}:{n}", part) for n, part in enumerate(device.slices))
        if not node.devices:
            yield _cpu_row(f"{number}.–" if several else "–", node)


MAKERS = ("NVIDIA ", "AMD ", "Intel(R) ", "Intel ")


def short_name(device: GpuDevice) -> str:
    """The driver's name without its maker."""
    name = device.name or device.accelerator or device.vendor
    return next((name.removeprefix(maker) for maker in MAKERS if name.startswith(maker)), name)


def _device_row(index: str, device: GpuDevice, node: Node) -> Row:
    name = device.name or device.accelerator or device.vendor
    cells = {
        "index": index,
        "device": short_name(device),
        "total": short_amount(device.total_bytes),
        "used": short_amount(device.used_bytes),
        "free": short_amount(device.free_bytes),
        "limit": f"{device.power_limit_w:.0f} W" if device.power_limit_w else "–",
        "link": _link(device),
        "known": device.accelerator or "–",
        "state": device_state(device).partition(" ")[0] + (" MIG" if device.slices else ""),
    }
    holders = ", ".join(f"{p.name or p.pid or '?'} {amount(p.used_bytes)}" for p in device.processes[:4])
    about = f"{name}: {device_state(device)}" + (f" · held by {holders}" if holders else "")
    return Row(f"{index}", cells, about + (f" · {node.count} equal machines" if node.count > 1 else ""))


def _slice_row(index: str, part: MigSlice) -> Row:
    """A slice of a card: its own memory, nothing shared."""
    free = None if part.total_bytes is None else part.total_bytes - (part.used_bytes or 0)
    cells = {
        "index": index,
        "device": f"└ slice {part.profile}",
        "total": short_amount(part.total_bytes),
        "used": short_amount(part.used_bytes),
        "free": short_amount(free),
        "known": part.accelerator or "–",
        "state": "✓",
    }
    return Row(index, cells, f"Slice {part.profile}: planned for itself, never joined with others")


def _cpu_row(index: str, node: Node) -> Row:
    host = node.host
    used = host.ram_bytes - host.ram_available_bytes if host.ram_bytes and host.ram_available_bytes else None
    cells = {
        "index": index,
        "device": host.cpu or "CPU",
        "total": short_amount(host.ram_bytes),
        "used": short_amount(used),
        "free": short_amount(host.ram_available_bytes),
        "limit": "–",
        "link": "–",
        "known": host.cpu_id or "cpu",
        "state": "✓",
    }
    return Row(index, cells, f"{host.cpu or 'CPU'}: no accelerator here, models run on the processor")


def _link(device: GpuDevice) -> str:
    if device.link_kind and not device.link_kind.startswith("pcie"):
        return f"{device.link_count or ''}{'×' if device.link_count else ''}{device.link_kind}"
    if device.pcie_gen and device.pcie_width:
        return f"PCIe{device.pcie_gen}×{device.pcie_width}"
    return "–"


def device_state(device: GpuDevice) -> str:
    """✓ known, ~ hidden or ambiguous, ✗ unusable."""
    if device.error:
        return f"✗ {device.error}"
    if not device.visible:
        return "~ hidden by the environment"
    if device.match == "exact":
        return "✓ known"
    near = device.nearest[0][0] if device.nearest else "none"
    return f"~ not in the database, nearest: {near}"


def summary_lines(session: Session, inventory: Inventory) -> Iterator[str]:
    """What there is, and at a glance what it can do."""
    yield summary(inventory)
    plan = session.best
    if plan is None or not session.current or session.draft.purpose != "serve":
        return
    from tui import text

    yield (
        f"Here runs {text.model_of(plan)} {text.weights_of(plan)} at {text.tokens(text.longest_of(plan))} "
        f"for ~{_users(text.room_of(plan))}{_beyond(session)}"
    )


def _beyond(session: Session) -> str:
    """``; 23 of 315 models do not fit``: as worked out so far, or what is too large by size alone."""
    from tui.catalogue_view import USABLE

    total = len(session.catalogue.models()) if session.catalogue else 0
    if total and len(session.fits) >= total:
        beyond = sum(fit.mark not in USABLE for fit in session.fits.values())
        return f"; {beyond} of {total} catalogue models {'does' if beyond == 1 else 'do'} not fit."
    large = sum(item.count for item in session.plan.rejected if item.rule == "model-too-large") if session.plan else 0
    if not large:
        return "."
    return "; 1 catalogue model is too large." if large == 1 else f"; {large} catalogue models are too large."


def _users(count: str) -> str:
    return "1 user" if count == "1" else f"{count} users"


def summary(inventory: Inventory) -> str:
    """``8 accelerators, 1.1 TiB of device memory`` or that the plan is for the CPU."""
    devices = [(device, node.count) for node in inventory.nodes for device in node.devices]
    if not devices:
        return "No accelerator: the plan is for the CPU."
    count, nodes = sum(n for _, n in devices), sum(n.count for n in inventory.nodes)
    known = [d.total_bytes * n for d, n in devices if d.total_bytes is not None]
    memory = human_bytes(sum(known)) if known else f"memory {NOT_REPORTED}"
    where = f" on {nodes} machines" if nodes > 1 else ""
    return f"{count} accelerator{'s' if count > 1 else ''}{where}, {memory} of device memory."


def warning_lines(inventory: Inventory) -> Iterator[str]:
    """What an operator should know, each with what to do."""
    said = " ".join(notice.message for notice in inventory.warnings)
    for node in inventory.nodes:
        for device in node.devices:
            state = device_state(device)
            if not state.startswith("✓") and (device.error or device.name or "\n") not in said:
                yield f"! {device.index} {device.name or device.vendor}: {state[2:]}"
    for notice in inventory.warnings:
        yield f"! {notice.where}: {notice.message}" + (f" → {notice.fix}" if notice.fix else "")


def host_lines(node: Node) -> Iterator[str]:
    """The machine around the devices."""
    host = node.host
    name = f"{node.count} × " if node.count > 1 else ""
    if host.cpu or host.cores:
        cores = f": {host.cores} cores" if host.cores else ""
        sockets = f", {host.sockets} sockets" if host.sockets and host.sockets > 1 else ""
        numa = f", {host.numa_nodes} NUMA nodes" if host.numa_nodes and host.numa_nodes > 1 else ""
        yield f"Host   {name}{host.cpu or 'CPU ' + NOT_REPORTED}{cores}{sockets}{numa}"
    else:
        yield f"Host   {name}{NOT_REPORTED}"
    yield from _memory_lines(host)
    if host.disks:
        yield "Disks  " + ", ".join(f"{d.mount} {human_bytes(d.free_bytes)} free" for d in host.disks[:4])
    if host.nics:
        yield "Net    " + ", ".join(
            f"{n.name} {human_rate(n.bytes_s) if n.bytes_s else ''}".rstrip() for n in host.nics[:4]
        )
    versions = (("driver", node.driver_version), ("runtime", node.runtime_version))
    system = [f"{name} {version}" for name, version in versions if version] + list(host.environment)
    if system:
        yield "System " + ", ".join(system)


def _memory_lines(host: HostInfo) -> Iterator[str]:
    if host.ram_bytes is None:
        return
    speed = f" at {human_rate(host.memory_bandwidth_bytes_s)}" if host.memory_bandwidth_bytes_s else ""
    limit = f", limited to {human_bytes(host.memory_limit_bytes)}" if host.memory_limit_bytes else ""
    yield f"RAM    {human_bytes(host.ram_bytes)}{speed}, {amount(host.ram_available_bytes)} available{limit}"


def links_lines(inventory: Inventory) -> Iterator[str]:
    """How the devices of each machine are connected."""
    from tui.topology import drawing

    for node in inventory.nodes[:MOST_NODES]:
        lines = list(drawing(node.topology, node.link, len(node.devices)))
        yield from (f"{'Links  ' if not n else '       '}{line}" for n, line in enumerate(lines))
        if not lines and node.link and len(node.devices) > 1:
            yield f"Links  {node.link}"
        words = {word for i, row in enumerate(node.topology) for j, word in enumerate(row) if i != j}
        if len(words) > 2 or (len(words) > 1 and not lines):
            yield from ("       " + " ".join(f"{cell:<4}" for cell in row) for row in node.topology)


def details(inventory: Inventory) -> Iterator[str]:
    """Warnings first, then the machines around the devices, then how these are joined."""
    warnings = list(warning_lines(inventory))
    yield from warnings
    if warnings:
        yield ""
    for node in inventory.nodes[:MOST_NODES]:
        yield from host_lines(node)
    yield from links_lines(inventory)
