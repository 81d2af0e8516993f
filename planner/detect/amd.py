"""AMD through ``amd-smi`` or ``rocm-smi``, else sysfs; links between devices always from the kernel's topology."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from planner.detect.amd_sysfs import kernel_topology, read_sysfs
from planner.detect.recorded.amd_smi import read_amd, rows_of
from planner.detect.recorded.rocm_smi import is_rocm, read_rocm
from planner.detect.report import VendorReport, complete
from planner.detect.surroundings import Surroundings, read_text
from planner.detect.tools import run_tool
from planner.detect.visible import mark_visible
from planner.documents.inventory import Notice

VENDOR = "amd"
WHERE = "amd driver"
ROCM_SMI = (
    *("rocm-smi", "--showproductname", "--showid", "--showuniqueid", "--showbus", "--showmeminfo", "vram"),
    *("--showpower", "--showmaxpower", "--showtemp", "--showdriverversion", "--showtopotype", "--json"),
)


def detect(place: Surroundings) -> VendorReport:
    """Everything AMD's tools and the kernel tell about this machine."""
    report = _by_amd_smi(place) or _by_rocm_smi(place)
    kernel = read_sysfs(place)
    if report is None or not report.devices:
        report = kernel
    elif len(kernel.devices) == len(report.devices):
        report = complete(report, kernel)
    topology = report.topology or kernel_topology(place, len(report.devices))
    version = report.driver_version or read_text(place.sys / "module" / "amdgpu" / "version", 256)
    return replace(
        report,
        devices=mark_visible(report.devices, VENDOR, place.environ),
        topology=topology,
        driver_version=version,
        runtime_version=report.runtime_version or _rocm_version(place),
        warnings=report.warnings + _access(place, report),
    )


def _json(place: Surroundings, *arguments: str) -> Any:
    output = run_tool(place, arguments)
    if output is None or output.problem:
        return None
    try:
        return json.loads(output.content)
    except (ValueError, RecursionError):
        return None


def _by_amd_smi(place: Surroundings) -> VendorReport | None:
    static = _json(place, "amd-smi", "static", "--json")
    if not rows_of(static):
        return None
    report = read_amd(static)
    metric = _json(place, "amd-smi", "metric", "--json")
    if rows_of(metric):
        report = complete(report, read_amd(metric))
    processes = _json(place, "amd-smi", "process", "--json")
    return complete(report, read_amd(processes)) if rows_of(processes) else report


def _by_rocm_smi(place: Surroundings) -> VendorReport | None:
    data = _json(place, *ROCM_SMI)
    return read_rocm(data) if is_rocm(data) else None


def _rocm_version(place: Surroundings) -> str | None:
    text = read_text(place.top / "opt" / "rocm" / ".info" / "version", 256)
    return text.partition("-")[0] if text else None


def _access(place: Surroundings, report: VendorReport) -> tuple[Notice, ...]:
    """Cards that are seen but cannot be computed on."""
    if not report.devices or (place.dev / "kfd").exists():
        return ()
    message = "/dev/kfd is not here: programs cannot use these devices"
    fix = "install the amdgpu kernel driver; in a container pass --device /dev/kfd --device /dev/dri"
    return (Notice(WHERE, message, fix, "no-compute-device"),)
