"""Step 1: what there is to plan with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from planner.units import human_bytes, human_rate
from tui.messages import Explained
from tui.panes.base import Pane
from tui.session import Session

if TYPE_CHECKING:
    from planner.documents.inventory import GpuDevice, Inventory, Node

NOT_REPORTED = "not reported"


def amount(count: int | float | None) -> str:
    """Bytes, or the state "not reported"."""
    return NOT_REPORTED if count is None else human_bytes(count)


class HardwarePane(Pane):
    """Devices with total, used and free memory; links; host; warnings with what to do."""

    TITLE = "Hardware"
    HELP_TEXT = (
        'Every accelerator as its driver reports it. "not reported" is a state of its own, never 0.\n\n'
        "e  plan for other hardware (8xH200, 2x8xH100, 4xRTX-4090, cpu, or a file)\n"
        "r  look at this machine again"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "app.simulate", "Simulate", id="hardware.simulate", tooltip="Plan for hardware you name"),
        Binding("r", "app.detect", "Refresh", id="hardware.refresh", tooltip="Look at this machine again"),
    ]

    def compose(self) -> ComposeResult:
        yield Static("Looking at this machine …", id="hardware-summary")
        yield DataTable(id="devices", cursor_type="row", zebra_stripes=False)
        yield Static(id="hardware-host")
        yield Static(id="hardware-links")
        yield Static(id="hardware-warnings")

    def on_mount(self) -> None:
        super().on_mount()
        table = self.query_one(DataTable)
        table.add_columns("", "Device", "Total", "Used", "Free", "Limit", "State")
        table.display = False

    def on_data_table_row_highlighted(self) -> None:
        self.post_message(
            Explained("Total is what the runtime sees; free is what is left of it now. Plans use what is free.")
        )

    def show(self, session: Session) -> None:
        inventory = session.draft.inventory
        if inventory is None:
            return
        self.border_subtitle = inventory.origin
        self.query_one("#hardware-summary", Static).update(Content(summary(inventory)))
        self._show_devices(inventory)
        hosts = "\n".join(host_line(node) for node in inventory.nodes)
        self.query_one("#hardware-host", Static).update(Content(hosts))
        self.query_one("#hardware-links", Static).update(Content(links_text(inventory)))
        warnings = "\n".join(f"! {w.where}: {w.message}" + (f" → {w.fix}" if w.fix else "") for w in inventory.warnings)
        self.query_one("#hardware-warnings", Static).update(Content(warnings))

    def _show_devices(self, inventory: Inventory) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for node in inventory.nodes:
            for device in node.devices:
                table.add_row(*(Text(cell) for cell in device_cells(device)))
        table.display = table.row_count > 0


def device_cells(device: GpuDevice) -> tuple[str, ...]:
    """One row of the table."""
    name = device.name or device.accelerator or device.vendor
    power = f"{device.power_limit_w:.0f} W" if device.power_limit_w else "–"
    return (
        str(device.index),
        name + (f" ({len(device.slices)} slices)" if device.slices else ""),
        amount(device.total_bytes),
        amount(device.used_bytes),
        amount(device.free_bytes),
        power,
        device_state(device),
    )


def device_state(device: GpuDevice) -> str:
    """✓ known, ~ hidden or ambiguous, ✗ unusable."""
    if device.error:
        return f"✗ {device.error}"
    if not device.visible:
        return "~ hidden by the environment"
    if device.match == "exact":
        return "✓"
    near = device.nearest[0][0] if device.nearest else "none"
    return f"~ not in the database, nearest: {near}"


def summary(inventory: Inventory) -> str:
    """``8× H200, 1.1 TiB of GPU memory`` or that the plan is for the CPU."""
    devices = [(device, node.count) for node in inventory.nodes for device in node.devices]
    if not devices:
        return "No accelerator: the plan is for the CPU."
    count = sum(n for _, n in devices)
    known = [d.total_bytes * n for d, n in devices if d.total_bytes is not None]
    memory = human_bytes(sum(known)) if known else NOT_REPORTED
    return f"{count} accelerators on {sum(n.count for n in inventory.nodes)} node(s), {memory} of device memory"


def host_line(node: Node) -> str:
    """The machine around the devices."""
    host = node.host
    cores = f"{host.cores} cores" if host.cores else f"cores {NOT_REPORTED}"
    sockets = f", {host.sockets} sockets" if host.sockets and host.sockets > 1 else ""
    speed = f" at {human_rate(host.memory_bandwidth_bytes_s)}" if host.memory_bandwidth_bytes_s else ""
    disks = ", ".join(f"{d.mount} {human_bytes(d.free_bytes)} free" for d in host.disks[:3])
    where = f" [{', '.join(host.environment)}]" if host.environment else ""
    times = f"{node.count} × " if node.count > 1 else ""
    lines = [
        f"Host  {times}{host.cpu or 'CPU ' + NOT_REPORTED}: {cores}{sockets}{where}",
        f"RAM   {amount(host.ram_bytes)}{speed}, {amount(host.ram_available_bytes)} available",
    ]
    if disks:
        lines.append(f"Disks {disks}")
    return "\n".join(lines)


def links_text(inventory: Inventory) -> str:
    """How the devices of each node are connected."""
    lines = [f"Links {node.link}" for node in inventory.nodes if node.link and len(node.devices) > 1]
    for node in inventory.nodes:
        lines += ["      " + "  ".join(f"{cell:<5}" for cell in row) for row in node.topology]
    if inventory.fabric:
        lines.append(f"Fabric between nodes: {inventory.fabric}")
    return "\n".join(lines)
