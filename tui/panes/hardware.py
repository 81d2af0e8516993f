"""Step 1: what there is to plan with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from tui.hardware_text import details, device_rows, summary_lines
from tui.messages import Changed, Explained, StepWanted
from tui.panes.base import Pane
from tui.session import Session
from tui.widgets.choice import ChoiceField, Option
from tui.widgets.columns import Column
from tui.widgets.listing import Listing
from tui.widgets.words import Words

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory

COLUMNS = (
    Column("index", " #", 4),
    Column("device", "Device", 12, elastic=True),
    Column("total", "Total", 9, right=True),
    Column("used", "Used", 9, need=1, right=True),
    Column("free", "Free", 9, right=True),
    Column("limit", "Power", 6, need=3, right=True),
    Column("link", "Link", 12, need=4),
    Column("known", "Known as", 18, need=5),
    Column("state", "State", 6),
)


NO_FABRIC = Option("", "not reported")
FABRIC_ABOUT = (
    "the network between the machines; without one only pipeline stages cross it. Moves: which plans are possible."
)


SHARE = 0.02
"""Of a card's memory: from here on a change is worth planning anew."""


def _moved(planned: Inventory, live: Inventory | None) -> str:
    """What to press where the free memory is no longer what was planned with."""
    if live is None:
        return ""
    pairs = zip(
        (d for node in planned.nodes for d in node.devices), (d for node in live.nodes for d in node.devices),
        strict=False,
    )  # fmt: skip
    moved = any(abs((a.free_bytes or 0) - (b.free_bytes or 0)) > SHARE * (a.total_bytes or 0) for a, b in pairs)
    return ", live · r plans with the memory as it is now" if moved else ", live"


def nothing_yet(session: Session) -> str:
    """What names hardware; before it, in full, why what was named last was refused."""
    words = "No hardware yet: e names some, o opens a file, r looks at this machine."
    return f"✗ {session.failure}\n\n{words}" if session.failure else words


class HardwarePane(Pane):
    """Devices with total, used and free memory; links; host; warnings with what to do."""

    TITLE = "Hardware"
    FIRST = "#devices"
    HELP_TEXT = (
        'Every accelerator as its driver reports it. "not reported" is a state of its own, never 0.\n\n'
        "Enter  go on to the model · e  plan for other hardware · E  edit a copy: cards, memory, link, machines\n"
        "o  open a saved site, an inventory or saved tool output\n"
        "r  look at this machine again · s  save this hardware as a file"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "app.simulate", "Simulate", id="hardware.simulate", tooltip="Plan for hardware you name"),
        Binding("E", "app.edit", "Edit", id="hardware.edit", tooltip="Edit a copy: cards, memory, link, machines"),
        Binding("o", "app.open", "Open", id="hardware.open", tooltip="Open an inventory or saved tool output"),
        Binding("r", "app.detect", "Refresh", id="hardware.refresh", tooltip="Look at this machine again"),
        Binding("s", "app.save_site", "Save", show=False, id="hardware.save", tooltip="Save this hardware as a file"),
        Binding("q", "app.quit", "Quit", id="hardware.quit", tooltip="Leave"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._inventory: Inventory | None = None

    def compose(self) -> ComposeResult:
        yield Words("Looking at this machine …", id="hardware-summary")
        yield Listing("hardware", COLUMNS, id="devices")
        yield ChoiceField("Fabric", [NO_FABRIC], FABRIC_ABOUT, id="choice-fabric")
        with VerticalScroll(id="hardware-details"):
            yield Words(id="hardware-host")

    def show(self, session: Session) -> None:
        inventory = session.draft.inventory
        if inventory is None:
            self.query_one("#hardware-summary", Words).say(session.activity or nothing_yet(session))
            return
        live = session.live if inventory.origin == "detected" else None
        self.border_subtitle = Content(f"{inventory.origin}{_moved(inventory, live)}")
        self.query_one("#hardware-summary", Words).say("\n".join(summary_lines(session, inventory)))
        self.query_one(Listing).fill(device_rows(live or inventory))
        self._show_fabric(session, inventory)
        self.query_one("#hardware-host", Words).say("\n".join(details(inventory)))

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

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id == "hardware-details":
            self.post_message(Explained("What to look at, the host, its links. ↑ ↓ scroll."))

    def on_listing_taken(self, event: Listing.Taken) -> None:
        event.stop()
        self.post_message(StepWanted(move=1))
