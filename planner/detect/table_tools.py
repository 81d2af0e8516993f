"""Vendors whose only interface is a printed table: run the tool, read it as a recorded file would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from planner.detect.pci import bare_devices
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings
from planner.detect.tools import run_tool
from planner.detect.visible import mark_visible
from planner.documents.inventory import Notice
from planner.errors import BadInput


@dataclass(frozen=True, slots=True)
class TableTool:
    """A vendor's tool and what to say without it."""

    vendor: str
    command: tuple[str, ...]
    read: Callable[[str, str], VendorReport]
    fix: str
    pci_vendor: str
    """To count the devices when the tool is missing."""
    variables: str
    """Key of the vendor's visibility variables."""


def detect_by_table(place: Surroundings, tool: TableTool) -> VendorReport:
    """The tool's devices; without it what the PCI bus shows, and a notice."""
    command = " ".join(tool.command)
    output = run_tool(place, tool.command)
    problem = f"{tool.command[0]} is not installed here" if output is None else output.problem
    if output is not None and problem is None:
        try:
            report = tool.read(output.content.decode("utf-8", "replace"), command)
            return replace(report, devices=mark_visible(report.devices, tool.variables, place.environ))
        except BadInput as error:
            problem = str(error)
    devices = bare_devices(place, tool.pci_vendor, tool.vendor, problem)
    notice = Notice(tool.command[0], problem or "", tool.fix, "tool-missing" if output is None else "tool-failed")
    return VendorReport(tool.vendor, mark_visible(devices, tool.variables, place.environ), warnings=(notice,))
