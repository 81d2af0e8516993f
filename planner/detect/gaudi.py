"""Intel Gaudi through ``hl-smi``."""

from __future__ import annotations

from planner.detect.pci import HABANA
from planner.detect.recorded.boxed import read_boxed
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings
from planner.detect.table_tools import TableTool, detect_by_table

TOOL = TableTool(
    vendor="intel",
    command=("hl-smi",),
    read=lambda text, where: read_boxed(text, "intel", where),
    fix="install the habanalabs driver and firmware tools, or run the container with --runtime=habana",
    pci_vendor=HABANA,
    variables="gaudi",
)


def detect(place: Surroundings) -> VendorReport:
    """The cards of this machine."""
    return detect_by_table(place, TOOL)
