"""Checks of driver, CUDA, switches and containers."""

from __future__ import annotations

from collections.abc import Iterator

from planner.data import read_toml
from planner.doctor.facts import Facts
from planner.doctor.result import Check
from planner.doctor.wants import Wants


def _nvidia(facts: Facts) -> bool:
    return any(device.vendor == "nvidia" for device in facts.node.devices)


def devices(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Enough devices, and those of the plan."""
    usable = [d for d in facts.node.devices if not d.error and d.visible]
    if not wants.gpus_per_node:
        said = f"{len(usable)} accelerators" if usable else "none, and none is needed"
        yield Check("devices", "ok" if usable else "not-applicable", said)
        return
    if len(usable) < wants.gpus_per_node:
        message = f"{len(usable)} usable accelerators, the deployment wants {wants.gpus_per_node} on a node"
        fix = "deploy-planner detect says what is seen; check CUDA_VISIBLE_DEVICES, the container's devices, the driver"
        yield Check("devices", "problem", message, fix)
        return
    other = sorted({d.accelerator or d.name or "unknown" for d in usable if d.accelerator != wants.accelerator})
    if other:
        message = f"the plan is for {wants.accelerator}, this machine has {', '.join(other)}"
        yield Check("devices", "warning", message, "plan again with this machine's cards")
    else:
        yield Check("devices", "ok", f"{len(usable)} × {wants.accelerator}")


def driver_cuda(facts: Facts, wants: Wants) -> Iterator[Check]:
    """The driver is recent enough for the CUDA of the engine's image."""
    if not _nvidia(facts):
        return
    version = facts.node.driver_version
    major = _number(version)
    if version is None or major is None:
        yield Check("driver-cuda", "not-readable", "the driver's version is not readable")
        return
    if wants.cuda is None:
        offered = facts.node.runtime_version
        message = f"driver {version}" + (f", CUDA up to {offered}" if offered else "")
        yield Check("driver-cuda", "ok", message)
        return
    need = next(
        (row for row in read_toml("doctor/drivers.toml")["cuda"] if row["major"] == int(_number(wants.cuda) or 0)), None
    )
    if need is None or major >= need["driver"]:
        yield Check("driver-cuda", "ok", f"driver {version} runs CUDA {wants.cuda} of {wants.engine}")
        return
    message = (
        f"driver {version} is too old for CUDA {wants.cuda} of {wants.engine}: it needs {need['driver']:g} or later"
    )
    fix = f"update the driver, or take an image for an older CUDA (this driver: up to {facts.node.runtime_version})"
    yield Check("driver-cuda", "problem", message, fix)


def driver_module(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Kernel module and library of the driver are of one version."""
    if not _nvidia(facts) or facts.node.driver_version is None:
        return
    if facts.module_version is None:
        yield Check("driver-module", "not-readable", "the kernel module's version is not readable from here")
    elif facts.module_version != facts.node.driver_version:
        message = f"kernel module {facts.module_version}, library {facts.node.driver_version}"
        yield Check("driver-module", "problem", message, "reboot, or unload and load the nvidia modules")
    else:
        yield Check("driver-module", "ok", f"kernel module and library are {facts.module_version}")


def compat_libraries(facts: Facts, wants: Wants) -> Iterator[Check]:
    """No stale CUDA compat libraries on the path (CUDA errors 803 and 804)."""
    if not _nvidia(facts):
        return
    if facts.compat_folder:
        message = f"{facts.compat_folder} is on LD_LIBRARY_PATH: CUDA errors 803 and 804 come from there"
        yield Check(
            "compat-libraries", "warning", message, "take it out unless the driver is older than the image's CUDA"
        )
    else:
        yield Check("compat-libraries", "ok", "no CUDA compat libraries on LD_LIBRARY_PATH")


def fabric_manager(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Where NVSwitches are, their service runs, in the driver's version."""
    if not facts.nvswitches:
        switched = (facts.node.link or "").startswith("nvlink") and len(facts.node.devices) >= 8
        if switched and facts.nvswitches is None:
            yield Check(
                "fabric-manager", "not-readable", "the PCI bus is not readable: unknown whether there are NVSwitches"
            )
        else:
            yield Check("fabric-manager", "not-applicable", "no NVSwitches on the PCI bus")
        return
    if facts.processes is None or "container" in facts.node.host.environment:
        yield Check("fabric-manager", "not-readable", "processes of the host are not visible from here")
    elif not any(name.startswith("nv-fabricmanage") for name in facts.processes):
        message = f"{facts.nvswitches} NVSwitches, but nvidia-fabricmanager does not run: CUDA error 802"
        fix = "systemctl enable --now nvidia-fabricmanager (of exactly the driver's version)"
        yield Check("fabric-manager", "problem", message, fix)
    elif facts.fabric_manager and facts.node.driver_version and facts.fabric_manager != facts.node.driver_version:
        message = f"fabric manager {facts.fabric_manager}, driver {facts.node.driver_version}: they must be equal"
        yield Check("fabric-manager", "problem", message, "install the fabric manager of the driver's version")
    else:
        yield Check("fabric-manager", "ok", f"runs, for {facts.nvswitches} NVSwitches")


def container_toolkit(facts: Facts, wants: Wants) -> Iterator[Check]:
    """Containers can be given the devices."""
    if not _nvidia(facts) or "container" in facts.node.host.environment:
        return
    if facts.container_toolkit is None:
        yield Check("container-toolkit", "not-applicable", "no docker or podman here")
    elif facts.container_toolkit:
        yield Check("container-toolkit", "ok", "NVIDIA container toolkit is there")
    else:
        fix = "install nvidia-container-toolkit; nvidia-ctk runtime configure; restart docker"
        yield Check("container-toolkit", "warning", "a container engine without the NVIDIA container toolkit", fix)


def kernel_drivers(facts: Facts, wants: Wants) -> Iterator[Check]:
    """No driver that holds the card away; AMD's compute device may be opened."""
    if facts.modules and "nouveau" in facts.modules:
        fix = "blacklist nouveau, rebuild the initramfs, install NVIDIA's driver, reboot"
        yield Check("nouveau", "problem", "the nouveau driver is loaded and holds the cards", fix)
    if any(device.vendor == "amd" for device in facts.node.devices) and facts.kfd_writable is not None:
        if facts.kfd_writable:
            yield Check("kfd", "ok", "/dev/kfd may be opened")
        else:
            fix = "add the user to the groups render and video; containers: --device /dev/kfd --device /dev/dri"
            yield Check("kfd", "problem", "/dev/kfd may not be opened by this user", fix)


def _number(version: str | None) -> float | None:
    """Major and minor as a number: 535.129.03 → 535.129."""
    parts = (version or "").split(".")
    try:
        return float(".".join(parts[:2]))
    except ValueError:
        return None
