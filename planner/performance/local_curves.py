"""Efficiency of llama.cpp-family engines as data, typed: ``curves/local.toml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hwdb.schema import Accelerator
from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo

_FILE = "performance/curves/local.toml"


class DeviceCurve(NamedTuple):
    """What one class of device reaches of its data sheet; see the head of the file for the fields."""

    name: str
    share: float
    experts_share: float
    layer_s: float
    experts_layer_s: float
    kv_share: float
    latent_kv_share: float
    prefill_share: float
    experts_prefill_share: float
    attention_prefill_share: float
    latent_prefill_share: float
    hop_s: float
    half_tokens: float
    spread: tuple[float, float]
    vendors: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    unified: bool | None = None
    fast_accumulate: bool | None = None
    """fp16 products summed in fp32 at full rate, as workstation and data-centre cards do: peak above 3 × plain fp32."""

    def holds(self, device: Accelerator) -> bool:
        """Whether a device belongs to this class; what the row does not name does not matter."""
        capability = ".".join(map(str, device.compute_capability or ()))
        return (
            (not self.vendors or device.vendor in self.vendors)
            and (not self.architectures or (device.architecture or "") in self.architectures)
            and (not self.capabilities or capability in self.capabilities)
            and (self.unified is None or device.unified_memory == self.unified)
            and (self.fast_accumulate is None or _fast_accumulate(device) == self.fast_accumulate)
        )


class HostCurve(NamedTuple):
    """What a CPU reaches of its memory bandwidth, and its matrix products."""

    share: float
    experts_share: float
    layer_s: float
    experts_layer_s: float
    reference_cores: float
    unknown_core_bytes_s: float
    kv_share: float
    latent_kv_share: float
    prefill_flop_s: float
    prefill_exponent: float
    attention_prefill_share: float
    latent_prefill_share: float
    core_bytes_s: float
    core_flop_s: float
    """One core's matrix rate at most, whatever the curve over cores says."""
    socket_share: float
    unknown_bytes_s: float
    many_gpus: int
    unified_share: float
    """Of a shared memory's bandwidth that the CPU alone reaches."""
    unknown_many_gpus_bytes_s: float
    unknown_spread: float
    stream_share: float
    stream_bytes_s: float
    spread: tuple[float, float]


class EngineCurve(NamedTuple):
    """Speed against llama.cpp."""

    decode: float
    prefill: float
    host_decode: float
    host_prefill: float


class BackendCurve(NamedTuple):
    """Speed of a portable backend against the vendor's own."""

    vendors: tuple[str, ...]
    decode: float
    prefill: float


_classes: IdentityMemo[DeviceCurve] = IdentityMemo()


@dataclass(frozen=True, slots=True)
class LocalCurves:
    """All of it."""

    devices: tuple[DeviceCurve, ...]
    host: HostCurve
    gpu_types: Mapping[str, float]
    cpu_types: Mapping[str, float]
    prefill_types: Mapping[str, float]
    """Speed of matrix products with unpacked weights against F16, on GPUs."""
    cpu_prefill_types: Mapping[str, float]
    """The same on CPUs."""
    engines: Mapping[str, EngineCurve]
    backends: Mapping[str, BackendCurve]
    flop_per_byte: Mapping[str, float]

    def device(self, device: Accelerator) -> DeviceCurve:
        """The first class that a device belongs to."""
        return _classes.get(
            self, device, None, lambda: next((c for c in self.devices if c.holds(device)), self.devices[-1])
        )

    def engine(self, profile: EngineProfile) -> EngineCurve:
        """The engine's factors."""
        return self.engines.get(profile.name) or self.engines["default"]

    def backend(self, name: str | None, vendor: str) -> BackendCurve | None:
        """The portable backend's factors, where it is not the vendor's own."""
        found = self.backends.get(name or "")
        return found if found and vendor in found.vendors else None


def load_local_curves(read_toml: Callable[[str], Mapping[str, Any]]) -> LocalCurves:
    """The curves from the package's data."""
    return local_curves(read_toml(_FILE))


def local_curves(data: Mapping[str, Any]) -> LocalCurves:
    """The curves from the parsed file."""
    return LocalCurves(
        devices=tuple(DeviceCurve(**_typed(DeviceCurve._fields, row)) for row in data["devices"]),
        host=HostCurve(**_typed(HostCurve._fields, data["host"])),
        gpu_types=dict(data["types"]["gpu"]),
        cpu_types=dict(data["types"]["cpu"]),
        prefill_types=dict(data["types"]["prefill"]),
        cpu_prefill_types=dict(data["types"]["cpu_prefill"]),
        engines={name: EngineCurve(**row) for name, row in data["engines"].items()},
        backends={name: BackendCurve(**_typed(BackendCurve._fields, row)) for name, row in data["backends"].items()},
        flop_per_byte=dict(data["flop_per_byte"]),
    )


def _typed(known: tuple[str, ...], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's known fields, lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key in known}


def _fast_accumulate(device: Accelerator) -> bool:
    peak, plain = device.peak_flop_s.get("fp16", 0.0), device.peak_flop_s.get("fp32", 0.0)
    return bool(plain) and peak > 3 * plain
