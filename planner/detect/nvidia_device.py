"""One NVIDIA device as its driver reports it."""

from __future__ import annotations

from typing import Any

from planner.detect.nvml import DeviceLost, Driver
from planner.detect.surroundings import Surroundings, read_text
from planner.detect.values import MAX_BYTES, clean, positive
from planner.documents.inventory import GpuDevice, MigSlice, ProcessUse
from planner.units import MIB, MILLI

MAX_PROCESSES = 64
MAX_SLICES = 64
VENDOR = "nvidia"
_VIRTUALIZATION = {1: "pass-through", 2: "vgpu", 3: "vgpu-host", 4: "vsga-host"}


def read_device(driver: Driver, index: int, handle: Any, place: Surroundings) -> GpuDevice:
    """Everything the driver tells about one device; one that is lost midway keeps what was told before."""
    known: dict[str, Any] = {"name": None}
    error = None
    try:
        for part in (_identity, _memory, _state, _pcie, _power):
            known |= part(driver, handle)
        known["slices"] = _slices(driver, handle) if known.get("mig_enabled") else ()
        known["processes"] = _processes(driver, handle, place)
    except DeviceLost as lost:
        error = f"{lost}: the driver no longer reaches it"
    return GpuDevice(index=index, vendor=VENDOR, error=error, **known)


def lost_device(index: int, reason: str) -> GpuDevice:
    """A device that has an index and nothing else."""
    return GpuDevice(index=index, vendor=VENDOR, name=None, error=clean(reason))


def _text(value: Any) -> str | None:
    return clean(value) or None if value is not None else None


def _identity(driver: Driver, handle: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"name": _text(driver.ask("nvmlDeviceGetName", handle))}
    pci = driver.ask("nvmlDeviceGetPciInfo", handle)
    if pci is not None:
        bus = pci.busId
        known["pci_bus_id"] = clean(bus.decode("ascii", "replace") if isinstance(bus, bytes) else bus) or None
        known["pci_device_id"] = f"{(pci.pciDeviceId >> 16) & 0xFFFF:04x}"
    known["uuid"] = _text(driver.ask("nvmlDeviceGetUUID", handle))
    capability = driver.ask("nvmlDeviceGetCudaComputeCapability", handle)
    known["compute_capability"] = f"{capability[0]}.{capability[1]}" if capability else None
    return known


def _memory(driver: Driver, handle: Any) -> dict[str, Any]:
    """Total, used and free; the newer call keeps what the driver reserves apart from what is used."""
    info = None
    if hasattr(driver.library, "nvmlMemory_v2"):
        info = driver.ask("nvmlDeviceGetMemoryInfo", handle, driver.library.nvmlMemory_v2)
    if info is None:
        driver.lacking.pop("nvmlDeviceGetMemoryInfo", None)
        info = driver.ask("nvmlDeviceGetMemoryInfo", handle)
    total = positive(_plausible(info.total)) if info is not None else None
    if total is None:
        return {}
    return {"total_bytes": total, "used_bytes": _plausible(info.used), "free_bytes": _plausible(info.free)}


def _plausible(count: int) -> int | None:
    return int(count) if 0 <= count < MAX_BYTES else None


def _state(driver: Driver, handle: Any) -> dict[str, Any]:
    ecc = driver.ask("nvmlDeviceGetEccMode", handle)
    mig = driver.ask("nvmlDeviceGetMigMode", handle)
    temperature = driver.ask("nvmlDeviceGetTemperature", handle, driver.library.NVML_TEMPERATURE_GPU)
    mode = driver.ask("nvmlDeviceGetVirtualizationMode", handle)
    return {
        "ecc": bool(ecc[0]) if ecc else None,
        "mig_enabled": bool(mig[0]) if mig else None,
        "temperature_c": float(temperature) if temperature is not None else None,
        "virtualization": _VIRTUALIZATION.get(mode) if mode is not None else None,
    }


def _pcie(driver: Driver, handle: Any) -> dict[str, Any]:
    calls = {
        "pcie_gen": "nvmlDeviceGetCurrPcieLinkGeneration",
        "pcie_width": "nvmlDeviceGetCurrPcieLinkWidth",
        "pcie_gen_max": "nvmlDeviceGetMaxPcieLinkGeneration",
        "pcie_width_max": "nvmlDeviceGetMaxPcieLinkWidth",
    }
    return {key: positive(driver.ask(call, handle)) for key, call in calls.items()}


def _power(driver: Driver, handle: Any) -> dict[str, Any]:
    calls = {
        "power_limit_w": "nvmlDeviceGetEnforcedPowerLimit",
        "power_limit_default_w": "nvmlDeviceGetPowerManagementDefaultLimit",
        "power_draw_w": "nvmlDeviceGetPowerUsage",
    }
    milliwatts = {key: driver.ask(call, handle) for key, call in calls.items()}
    return {key: value * MILLI if value is not None else None for key, value in milliwatts.items()}


def _slices(driver: Driver, handle: Any) -> tuple[MigSlice, ...]:
    count = min(driver.ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0, MAX_SLICES)
    found = []
    for index in range(count):
        part = driver.ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
        if part is not None:
            found.append(_slice(driver, part))
    return tuple(found)


def _slice(driver: Driver, handle: Any) -> MigSlice:
    """Its profile is the end of its name: ``NVIDIA A100-SXM4-80GB MIG 1g.20gb``."""
    name = _text(driver.ask("nvmlDeviceGetName", handle)) or ""
    memory = _memory(driver, handle)
    attributes = driver.ask("nvmlDeviceGetAttributes", handle)
    total = memory.get("total_bytes")
    if total is None and attributes is not None:
        total = positive(_plausible(attributes.memorySizeMB * MIB))
    return MigSlice(
        profile=name.rpartition(" MIG ")[2] if " MIG " in name else "",
        uuid=_text(driver.ask("nvmlDeviceGetUUID", handle)),
        total_bytes=total,
        used_bytes=memory.get("used_bytes"),
        sm_count=positive(attributes.multiprocessorCount) if attributes is not None else None,
    )


def _processes(driver: Driver, handle: Any, place: Surroundings) -> tuple[ProcessUse, ...]:
    """Processes that hold memory, largest first; a process that both computes and draws counts once."""
    found: dict[int, ProcessUse] = {}
    for call in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        for item in driver.ask(call, handle) or ():
            used = item.usedGpuMemory
            held = _plausible(used) if used is not None else None
            found.setdefault(item.pid, ProcessUse(item.pid, _process_name(driver, item.pid, place), held))
    ranked = sorted(found.values(), key=lambda use: (-(use.used_bytes or 0), use.pid or 0))
    return tuple(ranked[:MAX_PROCESSES])


def _process_name(driver: Driver, pid: int, place: Surroundings) -> str | None:
    """The command, from ``/proc`` or else from the driver; a process of another container has none."""
    command = read_text(place.proc / str(pid) / "comm", 256)
    return clean(command) if command else _text(driver.ask("nvmlSystemGetProcessName", pid))
