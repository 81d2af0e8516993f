"""Step 1: what there is to plan with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from planner.units import human_bytes, human_rate
from tui.messages import Changed, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.columns import Column, Row
from tui.widgets.listing import Listing

if TYPE_CHECKING:
    from planner.documents.inventory import GpuDevice, HostInfo, Inventory, Node

NOT_REPORTED = "not reported"
COLUMNS = (
    Column("index", " #", 3),
    Column("device", "Device", 12, elastic=True),
    Column("total", "Total", 9, right=True),
    Column("used", "Used", 9, need=1, right=True),
    Column("free", "Free", 9, right=True),
    Column("limit", "Power", 5, need=3, right=True),
    Column("link", "Link", 12, need=4),
    Column("known", "Known as", 18, need=5),
    Column("state", "State", 6),
)


NO_FABRIC = Option("", "not reported")
FABRIC_ABOUT = (
    "the network between the machines; without one only pipeline stages cross it. Moves: which plans are possible."
)


class HardwarePane(Pane):
    """Devices with total, used and free memory; links; host; warnings with what to do."""

    TITLE = "Hardware"
    FIRST = "#devices"
    HELP_TEXT = (
        'Every accelerator as its driver reports it. "not reported" is a state of its own, never 0.\n\n'
        "Enter  go on to the model · e  plan for other hardware · o  open saved output or an inventory\n"
        "r  look at this machine again · s  save this hardware as a file"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "app.simulate", "Simulate", id="hardware.simulate", tooltip="Plan for hardware you name"),
        Binding("o", "app.open", "Open", id="hardware.open", tooltip="Open an inventory or saved tool output"),
        Binding("r", "app.detect", "Refresh", id="hardware.refresh", tooltip="Look at this machine again"),
        Binding("s", "app.save_site", "Save", show=False, id="hardware.save", tooltip="Save this hardware as a file"),
        Binding("q", "app.quit", "Quit", id="hardware.quit", tooltip="Leave"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._inventory: Inventory | None = None

    def compose(self) -> ComposeResult:
        yield Static("Looking at this machine …", id="hardware-summary")
        yield Listing("hardware", COLUMNS, id="devices")
        yield ChoiceField("Fabric", [NO_FABRIC], FABRIC_ABOUT, id="choice-fabric")
        yield Static(id="hardware-warnings")
        yield Static(id="hardware-host")
        yield Static(id="hardware-links")

    def show(self, session: Session) -> None:
        inventory = session.draft.inventory
        if inventory is None:
            waiting = session.activity or "No hardware yet: e names some, o opens a file, r looks at this machine."
            self.query_one("#hardware-summary", Static).update(Content(waiting))
            return
        self.border_subtitle = inventory.origin
        self.query_one("#hardware-summary", Static).update(Content("\n".join(summary_lines(session, inventory))))
        self.query_one(Listing).fill(device_rows(inventory))
        self._show_fabric(session, inventory)
        self._write("#hardware-warnings", "\n".join(warning_lines(inventory)))
        self._write("#hardware-host", "\n".join(line for node in inventory.nodes[:8] for line in host_lines(node)))
        self._write("#hardware-links", links_text(inventory))

    def _show_fabric(self, session: Session, inventory: Inventory) -> None:
        """The network between machines, where there are several."""
        field, fabric = self.query_one(ChoiceField), inventory.fabric or ""
        field.display = sum(node.count for node in inventory.nodes) > 1
        known = [Option(id_, id_, name) for id_, name in session.fabrics]
        extra = [Option(fabric, fabric)] if fabric and fabric not in dict(session.fabrics) else []
        field.options = (NO_FABRIC, *known, *extra)
        field.value = fabric
        self._inventory = inventory

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        if self._inventory is not None:
            self.post_message(Changed({"inventory": replace(self._inventory, fabric=event.value or None)}))

    def _write(self, where: str, words: str) -> None:
        place = self.query_one(where, Static)
        place.display = bool(words)
        place.update(Content(words))

    def on_listing_taken(self, event: Listing.Taken) -> None:
        event.stop()
        self.post_message(StepWanted(move=1))


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
            yield _device_row(f"{number}.{device.index}" if several else str(device.index), device, node)
        if not node.devices:
            yield _cpu_row(f"{number}.–" if several else "–", node)


def _device_row(index: str, device: GpuDevice, node: Node) -> Row:
    name = device.name or device.accelerator or device.vendor
    cells = {
        "index": index,
        "device": name + (f" ({len(device.slices)} slices)" if device.slices else ""),
        "total": short_amount(device.total_bytes),
        "used": short_amount(device.used_bytes),
        "free": short_amount(device.free_bytes),
        "limit": f"{device.power_limit_w:.0f} W" if device.power_limit_w else "–",
        "link": _link(device),
        "known": device.accelerator or "–",
        "state": device_state(device).partition(" ")[0],
    }
    holders = ", ".join(f"{p.name or p.pid or '?'} {amount(p.used_bytes)}" for p in device.processes[:4])
    about = f"{name}: {device_state(device)}" + (f" · held by {holders}" if holders else "")
    return Row(f"{index}", cells, about + (f" · {node.count} equal machines" if node.count > 1 else ""))


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
    if plan is None or not session.current:
        return
    from tui import text

    large = sum(item.count for item in session.plan.rejected if item.rule == "model-too-large") if session.plan else 0
    beyond = f" {large} models of the catalogue do not fit." if large else ""
    yield (
        f"It can run {text.model_of(plan)} in {text.weights_of(plan)}: "
        f"room for {text.room_of(plan)} × {text.tokens(text.longest_of(plan))} tokens at once.{beyond}"
    )


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
    for node in inventory.nodes:
        for device in node.devices:
            if not device_state(device).startswith("✓"):
                yield f"! {device.index} {device.name or device.vendor}: {device_state(device)[2:]}"
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


def links_text(inventory: Inventory) -> str:
    """How the devices of each node are connected."""
    lines = [f"Links  {node.link}" for node in inventory.nodes[:8] if node.link and len(node.devices) > 1]
    for node in inventory.nodes[:8]:
        words = {word for i, row in enumerate(node.topology) for j, word in enumerate(row) if i != j}
        if len(words) > 1:
            lines += ["       " + " ".join(f"{cell:<4}" for cell in row) for row in node.topology]
        elif words:
            lines.append(f"       every pair by {words.pop()}")
    return "\n".join(lines)
