"""NVIDIA through its management library; without the library through ``nvidia-smi -q -x``."""

from __future__ import annotations

import re
from ctypes import byref
from dataclasses import replace
from typing import Any

from planner.detect.nvidia_device import lost_device, read_device
from planner.detect.nvidia_links import End, join
from planner.detect.nvidia_troubles import no_devices, spoken_trouble, trouble
from planner.detect.nvml import DeviceLost, Driver
from planner.detect.pci import NVIDIA, bare_devices
from planner.detect.recorded.nvidia_xml import read_nvidia_xml
from planner.detect.recorded.topo import is_topology, read_topology, with_topology
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings
from planner.detect.tools import run_tool
from planner.detect.values import clean, plain, runs
from planner.detect.visible import mark_visible
from planner.documents.inventory import Notice
from planner.errors import BadInput

VENDOR = "nvidia"
MAX_DEVICES = 1024
FABRIC_WAITING = (1, 2)
"""NVML_GPU_FABRIC_STATE_NOT_STARTED and _IN_PROGRESS."""


def detect(place: Surroundings) -> VendorReport:
    """Everything NVIDIA's driver tells about this machine."""
    try:
        import pynvml
    except ImportError:
        return by_tool(place)
    driver = Driver(pynvml)
    try:
        driver.library.nvmlInit()
    except pynvml.NVMLError as error:
        code = driver.code(error)
        if code == "NVML_ERROR_LIBRARY_NOT_FOUND":
            return by_tool(place)
        return _silent(place, trouble(code, clean(error)))
    try:
        return _by_library(driver, place)
    finally:
        driver.ask("nvmlShutdown")


def _by_library(driver: Driver, place: Surroundings) -> VendorReport:
    count = min(driver.ask("nvmlDeviceGetCount") or 0, MAX_DEVICES)
    ends = [_end(driver, index, place) for index in range(count)]
    devices, topology = join(driver, ends)
    version = _text(driver.ask("nvmlSystemGetDriverVersion"))
    found = () if count else (no_devices(),)
    return VendorReport(
        VENDOR,
        mark_visible(devices, VENDOR, place.environ),
        driver_version=version,
        runtime_version=_cuda(driver.ask("nvmlSystemGetCudaDriverVersion_v2")),
        topology=topology,
        warnings=found + _fabric(driver, ends, version, place) + driver.notices(),
    )


def _end(driver: Driver, index: int, place: Surroundings) -> End:
    library = driver.library
    try:
        handle = library.nvmlDeviceGetHandleByIndex(index)
    except library.NVMLError as error:
        return End(lost_device(index, f"{error}: the driver lists it but does not reach it"))
    device = read_device(driver, index, handle, place)
    return End(device, handle if device.error is None else None)


def _text(value: Any) -> str | None:
    return clean(value) if value else None


def _cuda(number: int | None) -> str | None:
    """12020 → 12.2."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else None


def _fabric(driver: Driver, ends: list[End], version: str | None, place: Surroundings) -> tuple[Notice, ...]:
    """NVSwitch machines need the fabric manager of the driver's own version before any device computes."""
    waiting = [end.device.index for end in ends if end.handle is not None and _waits(driver, end.handle)]
    if not waiting:
        return ()
    manager = _fabric_manager(place)
    listed = runs(waiting)
    if manager and version and manager != version:
        message = f"fabric manager {manager} ≠ driver {version}: NVSwitch will not initialise (devices {listed})"
        return (Notice("nvidia fabric", message, "install the matching fabric manager package", "fabric-mismatch"),)
    message = f"NVSwitch is not initialised (devices {listed}): nothing runs on them yet"
    fix = "start it with systemctl start nvidia-fabricmanager, in the driver's own version"
    return (Notice("nvidia fabric", message, fix, "fabric-not-ready"),)


def _waits(driver: Driver, handle: Any) -> bool:
    make = getattr(driver.library, "c_nvmlGpuFabricInfo_v2_t", None)
    if make is None:
        return False
    info = make()
    try:
        answered = driver.ask("nvmlDeviceGetGpuFabricInfoV", handle, byref(info)) is not None
    except DeviceLost:
        return False
    return answered and info.state in FABRIC_WAITING


def _fabric_manager(place: Surroundings) -> str | None:
    output = run_tool(place, ("nv-fabricmanager", "--version"), patience_s=3)
    match = re.search(rb"(\d{3,4}(?:\.\d{1,4}){1,3})", output.content[:4096]) if output else None
    return match[1].decode() if match else None


def _silent(place: Surroundings, *notices: Notice) -> VendorReport:
    """The driver cannot be asked: what the bus shows, with the reason on every card."""
    return VendorReport(VENDOR, bare_devices(place, NVIDIA, VENDOR, notices[0].message), warnings=notices)


def by_tool(place: Surroundings) -> VendorReport:
    """The library is not to be had: the same facts from nvidia-smi's XML, read as a recorded file would be."""
    missing = trouble("NVML_ERROR_LIBRARY_NOT_FOUND")
    output = run_tool(place, ("nvidia-smi", "-q", "-x"))
    if output is None:
        return _silent(place, missing)
    if output.problem:
        return _silent(place, missing, Notice("nvidia-smi", output.problem, missing.fix, "tool-failed"))
    said = spoken_trouble(output.content.decode("utf-8", "replace"))
    if said is not None:
        return _silent(place, said)
    try:
        report = read_nvidia_xml(output.content, "nvidia-smi -q -x")
    except BadInput as error:
        return _silent(place, missing, Notice("nvidia-smi", str(error), missing.fix, "tool-failed"))
    report = _with_matrix(report, place)
    return replace(report, devices=mark_visible(report.devices, VENDOR, place.environ))


def _with_matrix(report: VendorReport, place: Surroundings) -> VendorReport:
    """The XML says nothing of links; the matrix does, for machines of several devices."""
    output = run_tool(place, ("nvidia-smi", "topo", "-m")) if len(report.devices) > 1 else None
    text = plain(output.content.decode("utf-8", "replace")) if output else ""
    try:
        matrix = read_topology(text, "nvidia-smi topo -m") if is_topology(text) else ()
    except BadInput:
        return report
    return with_topology(report, matrix) if len(matrix) == len(report.devices) else report
