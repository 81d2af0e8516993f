"""``nvidia-smi -q -x``, of every driver since 340."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from planner.detect.recorded.xml import FIX, parse_xml
from planner.detect.report import VendorReport
from planner.detect.values import clean, hex_id, number, positive, said, size, whole
from planner.documents.inventory import GpuDevice, MigSlice, Notice, ProcessUse
from planner.errors import BadInput

VENDOR = "nvidia"
MAX_DEVICES = 1024
_BROKEN = {
    "gpu is lost": "GPU is lost: the driver no longer reaches it",
    "gpu requires reset": "GPU requires a reset",
    "gpu requires restart": "GPU requires a restart",
    "err!": "the driver reports an error instead of its name",
    "unknown error": "the driver reports an unknown error instead of its name",
}
_VIRTUALIZATION = {"pass-through": "pass-through", "vgpu": "vgpu", "host vgpu": "vgpu-host", "host vsga": "vsga-host"}


def read_nvidia_xml(content: bytes, where: str) -> VendorReport:
    """All devices of a log. Raises BadInput when it is none."""
    root = parse_xml(content, where)
    if root.tag != "nvidia_smi_log":
        raise BadInput(where, f"is XML of another kind (<{clean(root.tag, 40)}>), not <nvidia_smi_log>", FIX)
    gpus = root.findall("gpu")[:MAX_DEVICES]
    attached = whole(root.findtext("attached_gpus"))
    if not gpus and attached != 0:
        raise BadInput(where, "lists no <gpu>: the log is incomplete", FIX)
    return VendorReport(
        VENDOR,
        tuple(_device(index, gpu) for index, gpu in enumerate(gpus)),
        driver_version=said(root.findtext("driver_version")),
        runtime_version=said(root.findtext("cuda_version")),
        warnings=_missing(len(gpus), attached, where) + _fabric(gpus),
    )


def _device(index: int, gpu: Element) -> GpuDevice:
    memory = gpu.find("fb_memory_usage")
    total = positive(_size(memory, "total"))
    mig = said(gpu.findtext("mig_mode/current_mig"))
    return GpuDevice(
        index=index,
        vendor=VENDOR,
        name=said(gpu.findtext("product_name")),
        uuid=said(gpu.findtext("uuid")),
        pci_bus_id=said(gpu.get("id")) or said(gpu.findtext("pci/pci_bus_id")),
        pci_device_id=_device_id(gpu),
        total_bytes=total,
        used_bytes=_size(memory, "used") if total else None,
        free_bytes=_size(memory, "free") if total else None,
        ecc=_enabled(gpu.findtext("ecc_mode/current_ecc")),
        mig_enabled=_enabled(mig),
        slices=tuple(_slice(part) for part in gpu.findall("mig_devices/mig_device")),
        processes=_processes(gpu),
        error=_BROKEN.get(clean(gpu.findtext("product_name") or "").strip("[]").lower()),
        virtualization=_VIRTUALIZATION.get(
            (said(gpu.findtext("gpu_virtualization_mode/virtualization_mode")) or "").lower()
        ),
        temperature_c=number(gpu.findtext("temperature/gpu_temp")),
        **_pcie(gpu),
        **_power(gpu),
    )


def _size(memory: Element | None, name: str) -> int | None:
    return size(memory.findtext(name), "MiB") if memory is not None else None


def _device_id(gpu: Element) -> str | None:
    """``20B210DE`` is device 20b2 of vendor 10de."""
    return hex_id((said(gpu.findtext("pci/pci_device_id")) or "").removeprefix("0x")[:-4])


def _enabled(text: str | None) -> bool | None:
    return {"enabled": True, "disabled": False}.get((text or "").lower())


def _pcie(gpu: Element) -> dict[str, Any]:
    link = "pci/pci_gpu_link_info"
    names = {
        "pcie_gen": f"{link}/pcie_gen/current_link_gen",
        "pcie_gen_max": f"{link}/pcie_gen/max_link_gen",
        "pcie_width": f"{link}/link_widths/current_link_width",
        "pcie_width_max": f"{link}/link_widths/max_link_width",
    }
    return {key: positive(whole(gpu.findtext(path))) for key, path in names.items()}


def _power(gpu: Element) -> dict[str, Any]:
    """The block and its fields were renamed twice; the newest spelling is tried first."""
    block = gpu.find("gpu_power_readings")
    if block is None:
        block = gpu.find("power_readings")

    def first_of(*names: str) -> float | None:
        values = (number(block.findtext(name)) if block is not None else None for name in names)
        return next((value for value in values if value is not None), None)

    return {
        "power_limit_w": first_of("current_power_limit", "enforced_power_limit", "power_limit"),
        "power_limit_default_w": first_of("default_power_limit"),
        "power_draw_w": first_of("instant_power_draw", "power_draw", "average_power_draw"),
    }


def _slice(part: Element) -> MigSlice:
    memory = part.find("fb_memory_usage")
    return MigSlice(
        profile=said(part.findtext("profile_name")) or "",
        uuid=said(part.findtext("uuid")),
        total_bytes=positive(_size(memory, "total")),
        used_bytes=_size(memory, "used"),
        sm_count=positive(whole(part.findtext("device_attributes/shared/multiprocessor_count"))),
    )


def _processes(gpu: Element) -> tuple[ProcessUse, ...]:
    found = [
        ProcessUse(
            whole(item.findtext("pid")),
            said(item.findtext("process_name")),
            size(item.findtext("used_memory"), "MiB"),
        )
        for item in gpu.findall("processes/process_info")[:64]
    ]
    return tuple(sorted(found, key=lambda use: (-(use.used_bytes or 0), use.pid or 0)))


def _missing(listed: int, attached: int | None, where: str) -> tuple[Notice, ...]:
    if attached is None or attached == listed:
        return ()
    message = f"{attached} GPUs are attached but {listed} are described"
    return (Notice(where, message, "save the output of all of them: nvidia-smi -q -x without -i", "part-of-machine"),)


def _fabric(gpus: list[Element]) -> tuple[Notice, ...]:
    states = {clean(gpu.findtext("fabric/state") or "").lower() for gpu in gpus}
    if not states & {"not started", "in progress"}:
        return ()
    message = "NVSwitch is not initialised: nothing runs on these devices yet"
    fix = "start nvidia-fabricmanager in the driver's own version"
    return (Notice("nvidia fabric", message, fix, "fabric-not-ready"),)
