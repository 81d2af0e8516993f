"""The first line: what this is, which hardware, as much of it as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from planner.units import human_bytes
from tui.hardware_text import short_name
from tui.text import elided

if TYPE_CHECKING:
    from planner.documents.inventory import Inventory
    from tui.session import Session

NAME = " deploy-planner "


class SiteLine(Static):
    """Name of the site at the left, its hardware at the right."""

    def __init__(self, *, id: str) -> None:
        super().__init__(Content.styled(NAME, "bold"), id=id)
        self._session: Session | None = None

    def show(self, session: Session) -> None:
        self._session = session
        self.refresh()

    def render(self) -> Content:
        if self._session is None or self._session.draft.inventory is None:
            return Content.styled(NAME, "bold")
        room = self.size.width - len(NAME) - 2
        site, parts = self._session.draft.site, hardware_parts(self._session.draft.inventory)
        while len(parts) > 1 and cell_len(site) + 2 + cell_len("  ".join(parts)) > room:
            parts.pop()
        right = elided("  ".join(parts), max(0, room - min(cell_len(site), room * 2 // 3) - 2))
        left = elided(site, max(0, room - cell_len(right) - 2))
        gap = " " * max(2, room - cell_len(left) - cell_len(right))
        return Content.assemble((NAME, "bold"), " ", left, gap, right)


def hardware_parts(inventory: Inventory) -> list[str]:
    """``8×H200``, ``1.1 TiB``, ``nvlink4``, ``1.5 TiB RAM``: the most telling first."""
    kinds: dict[str, int] = {}
    memory = 0
    for node in inventory.nodes:
        for device in node.devices:
            kinds[short_name(device)] = kinds.get(short_name(device), 0) + node.count
            memory += (device.total_bytes or 0) * node.count
    hosts = [node.host for node in inventory.nodes]
    parts = [" + ".join(f"{count}×{name}" for name, count in kinds.items()) or (hosts[0].cpu or "CPU only")]
    parts += [human_bytes(memory)] if memory else []
    parts += sorted({node.link for node in inventory.nodes if node.link and len(node.devices) > 1})
    parts += [f"{human_bytes(hosts[0].ram_bytes)} RAM"] if hosts and hosts[0].ram_bytes else []
    return parts
