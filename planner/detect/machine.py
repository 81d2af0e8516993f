"""This machine: every gateway whose device files or tools exist is asked, the rest is not even imported."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from planner.detect.advice import advise
from planner.detect.host import read_host
from planner.detect.links import settle_links
from planner.detect.matching import identify_node
from planner.detect.pci import AMD, HABANA, HUAWEI, NVIDIA, vendors_on_bus
from planner.detect.report import VendorReport
from planner.detect.surroundings import Surroundings
from planner.documents.inventory import Inventory, Node

if TYPE_CHECKING:
    from hwdb.database import Database


class Gateway(NamedTuple):
    """A vendor's module and the files, tools, PCI vendor and platform that make it worth importing."""

    module: str
    files: tuple[str, ...]
    tools: tuple[str, ...] = ()
    pci_vendor: str = ""
    libraries: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ("linux",)


GATEWAYS = (
    Gateway(
        "nvidia",
        ("dev/nvidiactl", "dev/nvidia0", "dev/dxg", "proc/driver/nvidia", "sys/module/nvidia", "dev/nvhost-gpu"),
        ("nvidia-smi",),
        NVIDIA,
        ("libnvidia-ml.so.1",),
        ("linux", "win32"),
    ),
    Gateway("amd", ("dev/kfd", "sys/class/kfd", "sys/module/amdgpu"), ("amd-smi", "rocm-smi"), AMD),
    Gateway("intel", ("sys/module/xe", "sys/module/i915"), ("xpu-smi",)),
    Gateway("ascend", ("dev/davinci_manager", "dev/davinci0"), ("npu-smi",), HUAWEI),
    Gateway("gaudi", ("dev/accel/accel_controlD0", "dev/hl0", "sys/module/habanalabs"), ("hl-smi",), HABANA),
    Gateway("apple", (), (), platforms=("darwin",)),
)
LIBRARY_FOLDERS = (
    *("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/lib/wsl/lib"),
    "run/opengl-driver/lib",
)


def detect_machine(db: Database, place: Surroundings | None = None) -> Inventory:
    """The inventory of the running machine (or of the directory tree in ``place``). No accelerator is normal."""
    place = place or Surroundings()
    on_bus = vendors_on_bus(place)
    reports = [report for gateway in GATEWAYS if _plausible(gateway, place, on_bus) for report in _ask(gateway, place)]
    node = settle_links(identify_node(_node(reports, place), db), db)
    warnings = tuple(notice for report in reports for notice in report.warnings)
    return Inventory(nodes=(node,), origin="detected", warnings=warnings + advise(node, db))


def _plausible(gateway: Gateway, place: Surroundings, on_bus: frozenset[str]) -> bool:
    """Whether anything of this vendor is here: a device file, a tool, a card on the bus, the driver's library."""
    if not place.platform.startswith(gateway.platforms):
        return False
    return (
        not gateway.files
        or gateway.pci_vendor in on_bus
        or any((place.top / name).exists() for name in gateway.files)
        or any(place.find_tool(name) for name in gateway.tools)
        or any(_has_library(place, name) for name in gateway.libraries)
    )


def _has_library(place: Surroundings, name: str) -> bool:
    given = (Path(folder) for folder in place.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)
    return any((folder / name).exists() for folder in (*given, *(place.top / usual for usual in LIBRARY_FOLDERS)))


def _ask(gateway: Gateway, place: Surroundings) -> list[VendorReport]:
    module = importlib.import_module(f"planner.detect.{gateway.module}")
    report: VendorReport = module.detect(place)
    return [report]


def _node(reports: list[VendorReport], place: Surroundings) -> Node:
    """One node of all reports; versions and links are those of the first that has devices."""
    host = read_host(place)
    with_devices = [report for report in reports if report.devices]
    first = with_devices[0] if with_devices else VendorReport()
    virtual = any(device.virtualization == "vgpu" for report in reports for device in report.devices)
    environment = tuple(sorted({*host.environment, *(("vgpu",) if virtual else ())}))
    return Node(
        host=replace(host, environment=environment),
        devices=tuple(device for report in with_devices for device in report.devices),
        link=first.link if len(with_devices) == 1 else None,
        topology=first.topology if len(with_devices) == 1 else (),
        driver_version=first.driver_version,
        runtime_version=first.runtime_version,
    )


def with_this_host(inventory: Inventory, db: Database) -> Inventory:
    """The same; where it is simulated and says nothing of a machine ("cpu"), with the host of this one."""
    node = inventory.nodes[0]
    if inventory.origin != "simulated" or node.devices or node.host.ram_bytes is not None:
        return inventory
    host = detect_machine(db).nodes[0].host
    return replace(inventory, nodes=(replace(node, host=host), *inventory.nodes[1:]))
