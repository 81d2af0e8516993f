"""Huawei Ascend through ``npu-smi``."""

from __future__ import annotations

from dataclasses import replace

from planner.detect.pci import HUAWEI
from planner.detect.recorded.npu_smi import read_npu_smi
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings, read_text
from planner.detect.table_tools import TableTool, detect_by_table

TOOL = TableTool(
    vendor="huawei",
    command=("npu-smi", "info"),
    read=read_npu_smi,
    fix="install the Ascend driver package, or mount npu-smi and /dev/davinci* into the container",
    pci_vendor=HUAWEI,
    variables="huawei",
)
CANN = "usr/local/Ascend/ascend-toolkit/latest/version.cfg"


def detect(place: Surroundings) -> VendorReport:
    """The chips of this machine, with the CANN version."""
    report = detect_by_table(place, TOOL)
    text = read_text(place.top / CANN, 65536) or ""
    lines = [line for line in text.splitlines() if line.startswith("toolkit_installed_version")]
    version = lines[0].partition("[")[2].partition(":")[0] if lines else None
    return replace(report, runtime_version=report.runtime_version or version or None)
