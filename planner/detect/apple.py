"""Apple silicon: one device that shares the machine's memory, from ``sysctl``."""

from __future__ import annotations

from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings
from planner.detect.tools import run_tool
from planner.detect.values import clean, said, whole
from planner.documents.inventory import GpuDevice

VENDOR = "apple"


def detect(place: Surroundings) -> VendorReport:
    """The device; none on an Intel Mac."""
    name = _sysctl(place, "machdep.cpu.brand_string")
    if name is None or not name.startswith("Apple"):
        return VendorReport(VENDOR)
    version = _sysctl(place, "kern.osproductversion")
    device = GpuDevice(
        index=0,
        vendor=VENDOR,
        name=name,
        total_bytes=whole(_sysctl(place, "hw.memsize")),
        unified_memory=True,
    )
    return VendorReport(
        VENDOR,
        (device,),
        driver_version=f"macOS {version}" if version else None,
    )


def _sysctl(place: Surroundings, name: str) -> str | None:
    output = run_tool(place, ("sysctl", "-n", name), patience_s=3)
    return said(clean(output.content.decode("utf-8", "replace"))) if output and not output.problem else None
