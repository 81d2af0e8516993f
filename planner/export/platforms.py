"""Vendors as containers and clusters see them: devices, variables, resources. Facts from ``platforms.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from planner.data import read_toml
from planner.errors import BadInput

if TYPE_CHECKING:
    from planner.export.target import Options
    from planner.resolved import Resolved

_FILE = "export/platforms.toml"
_BY_VENDOR = {"huawei": "ascend"}


@dataclass(frozen=True, slots=True)
class Platform:
    """One vendor's kind of device."""

    id: str
    name: str
    sources: tuple[str, ...]
    look: str
    """Command that shows the devices."""
    visible: str = ""
    """Variable that picks devices by index."""
    reservation_driver: str = ""
    """Compose device reservations (``driver: nvidia``)."""
    container_runtime: str = ""
    devices: tuple[str, ...] = ()
    numbered_device: str = ""
    binds: tuple[str, ...] = ()
    """Files of the driver that containers need, read-only."""
    groups: tuple[str, ...] = ()
    group_variables: tuple[str, ...] = ()
    """Variables of the compose file that hold further numeric groups."""
    unit_groups: tuple[str, ...] = ()
    """Groups of the host that may open the device files, for services outside containers."""
    setup: tuple[str, ...] = ()
    """Scripts of the vendor that set a shell's variables, where its software lies on the machine itself."""
    capabilities: tuple[str, ...] = ()
    seccomp: str = ""
    resource: str = ""
    """Kubernetes extended resource."""
    product_label: str = ""
    huge_pages: str = ""
    huge_pages_per_device_bytes: int = 0
    socket_variables: tuple[str, ...] = ()
    """Variables that name the network interface between nodes."""
    rdma_variable: str = ""
    host_units: tuple[str, ...] = ()
    power_cap: tuple[str, ...] = ()
    power_cap_after: str = ""
    non_root: bool = True
    root_reason: str = ""
    shared_memory: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def device_files(self, indices: Sequence[int]) -> tuple[str, ...]:
        """Device files for the given devices."""
        own = tuple(self.numbered_device.format(index=i) for i in indices) if self.numbered_device else ()
        return own + self.devices


def platform_id(resolved: Resolved) -> str:
    """``nvidia`` ``amd`` ``intel`` ``gaudi`` ``ascend`` ``apple`` ``cpu`` or another vendor's name."""
    row = resolved.cluster.device.accelerator
    if row is None:
        return "cpu"
    if row.vendor == "intel" and "gaudi" in (row.architecture or row.id):
        return "gaudi"
    return _BY_VENDOR.get(row.vendor, row.vendor)


def platform_of(resolved: Resolved) -> Platform:
    """The platform of a deployment. Raises BadInput for vendors that nothing is known of."""
    name = platform_id(resolved)
    known = platforms()
    if name not in known:
        message = f"nothing is known of how {name} devices are passed to containers and clusters"
        raise BadInput("hardware.accelerator", message, f"known: {', '.join(known)}; --target toml always works")
    return known[name]


@lru_cache(maxsize=1)
def platforms() -> Mapping[str, Platform]:
    """All platforms by id."""
    return {name: _platform(name, table) for name, table in read_toml(_FILE).items()}


def _platform(name: str, table: Mapping[str, object]) -> Platform:
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Platform(id=name, **fields)  # type: ignore[arg-type]


def network_environment(platform: Platform, options: Options) -> dict[str, str]:
    """Variables that name interfaces and RDMA devices between nodes, where the options give them."""
    from planner.export.emit.words import env_value

    variables: dict[str, str] = {}
    if options.interface:
        value = env_value(options.interface, "interface")
        variables.update(dict.fromkeys(platform.socket_variables, value))
    if options.ib_devices and platform.rdma_variable:
        variables[platform.rdma_variable] = env_value(options.ib_devices, "ib devices")
    return variables
