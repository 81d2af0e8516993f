"""Why NVIDIA's driver cannot be asked, and what to do: one notice of a stable kind for each cause."""

from __future__ import annotations

from planner.documents.inventory import Notice

WHERE = "nvidia driver"
_TROUBLES: dict[str, tuple[str, str, str]] = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": (
        "library-missing",
        "the management library libnvidia-ml.so.1 is not installed here",
        "install the driver's user-space package, or start the container with --gpus all (NVIDIA container toolkit)",
    ),
    "NVML_ERROR_DRIVER_NOT_LOADED": (
        "driver-not-loaded",
        "the kernel module is not loaded",
        "modprobe nvidia; after a kernel update rebuild it (dkms autoinstall), with Secure Boot enrol its key",
    ),
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": (
        "driver-library-mismatch",
        "the loaded kernel module and the installed library are of different versions (an update without a restart)",
        "reboot, or stop all users of the GPU and reload the nvidia modules",
    ),
    "NVML_ERROR_NO_PERMISSION": (
        "no-permission",
        "this user may not talk to the driver",
        "give access to /dev/nvidiactl and /dev/nvidia* (group, udev rule or device cgroup), or run as another user",
    ),
    "NVML_ERROR_OPERATING_SYSTEM": (
        "blocked",
        "the operating system or a container blocks the request",
        "check the device cgroup and the security profile of the container",
    ),
}
_SPOKEN = {
    "version mismatch": "NVML_ERROR_LIB_RM_VERSION_MISMATCH",
    "couldn't communicate with the nvidia driver": "NVML_ERROR_DRIVER_NOT_LOADED",
    "driver not loaded": "NVML_ERROR_DRIVER_NOT_LOADED",
    "insufficient permissions": "NVML_ERROR_NO_PERMISSION",
    "couldn't find libnvidia-ml": "NVML_ERROR_LIBRARY_NOT_FOUND",
    "blocked by the operating system": "NVML_ERROR_OPERATING_SYSTEM",
}


def trouble(code: str, words: str = "") -> Notice:
    """The notice for an NVML error code; ``words`` is what the driver itself says."""
    if code in _TROUBLES:
        kind, message, fix = _TROUBLES[code]
        return Notice(WHERE, message, fix, kind)
    return Notice(WHERE, f"cannot be asked: {words or code}", "see dmesg and nvidia-smi for the reason", "driver-error")


def spoken_trouble(text: str) -> Notice | None:
    """The notice for an error message that nvidia-smi printed instead of its output; None if it is not one."""
    lowered = text[:4000].lower()
    return next((trouble(code) for words, code in _SPOKEN.items() if words in lowered), None)


def no_devices() -> Notice:
    """The driver works and lists nothing."""
    return Notice(
        WHERE,
        "is loaded but lists no device",
        "check lspci -d 10de: and dmesg; in a container pass devices in with --gpus all",
        "no-devices",
    )
