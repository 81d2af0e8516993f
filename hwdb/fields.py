"""Which fields a data file may hold, of which type and within which bounds; the schema's dataclasses name the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "slug", "texts", "flag", "integer", "number", "integers", "numbers", "rates", "flags", "mig"]

FORMATS = frozenset(("fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp6", "fp4", "int8", "int4"))
"""Names of number formats in ``peak_flop_s``, ``achieved_flop_s`` and ``supports``."""
NOT_A_FIGURE = frozenset(("text", "slug", "texts", "flag", "flags"))
"""Types that may stand without a source."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: numbers must lie within ``low`` and ``high``; lists of numbers have ``length`` entries."""

    type: Type
    low: float = 0
    high: float = 0
    length: int = 0
    required: bool = False


def _bytes() -> Field:
    return Field("integer", 1 << 20, 1 << 50)


def _rate() -> Field:
    return Field("number", 1e6, 1e15)


def _flops() -> Field:
    return Field("rates", 1e9, 1e18)


_NAMED = {
    "id": Field("slug", required=True),
    "name": Field("text", required=True),
    "notes": Field("texts"),
}
_ACCELERATOR = {
    **_NAMED,
    "vendor": Field("slug", required=True),
    "architecture": Field("slug"),
    "aliases": Field("texts"),
    "driver_names": Field("texts"),
    "pci_device_ids": Field("texts"),
    "vgpu_boards": Field("texts"),
    "memory_bytes": _bytes(),
    "memory_is_reported": Field("flag"),
    "marketed_memory_bytes": _bytes(),
    "driver_memory_bytes": _bytes(),
    "runtime_memory_bytes": _bytes(),
    "usable_memory_bytes": _bytes(),
    "max_memory_bytes": _bytes(),
    "unified_memory": Field("flag"),
    "memory_type": Field("text"),
    "memory_bus_bits": Field("integer", 8, 1 << 20),
    "bandwidth_bytes_s": _rate(),
    "achieved_bandwidth_bytes_s": _rate(),
    "peak_flop_s": _flops(),
    "peak_flop_s_fp16_accumulate": _flops(),
    "achieved_flop_s": _flops(),
    "supports": Field("flags"),
    "compute_capability": Field("integers", 0, 99, length=2),
    "gfx_arch": Field("slug"),
    "link": Field("slug"),
    "link_bytes_s": _rate(),
    "link_peer_bytes_s": _rate(),
    "link_switched": Field("flag"),
    "link_domain": Field("integer", 1, 1 << 20),
    "bridge": Field("slug"),
    "bridge_bytes_s": _rate(),
    "bridge_devices": Field("integer", 2, 64),
    "c2c_bytes_s": _rate(),
    "network_bytes_s": _rate(),
    "pcie_gen": Field("integer", 1, 9),
    "pcie_lanes": Field("integer", 1, 32),
    "pcie_bytes_s": _rate(),
    "tdp_w": Field("number", 0.1, 1e5),
    "tdp_range_w": Field("numbers", 0.1, 1e5, length=2),
    "boost_hz": Field("number", 1e6, 1e11),
    "sm_count": Field("integer", 1, 1 << 20),
    "tensor_cores": Field("integer", 1, 1 << 20),
    "devices_per_package": Field("integer", 1, 64),
    "form_factor": Field("text"),
    "mig_profiles": Field("texts"),
    "mig": Field("mig", 1 << 20, 1 << 50),
    "launch": Field("text"),
    "announced": Field("flag"),
}
_PROCESSOR = {
    **_NAMED,
    "vendor": Field("slug", required=True),
    "patterns": Field("texts"),
    "memory_channels": Field("integer", 1, 64),
    "memory_mt_s": Field("number", 100, 1e5),
    "memory_type": Field("text"),
    "bandwidth_bytes_s": _rate(),
    "max_sockets": Field("integer", 1, 64),
    "features": Field("texts"),
    "launch": Field("text"),
}
_CONNECTION = {
    **_NAMED,
    "bytes_s": Field("number", 1e6, 1e15, required=True),
    "latency_s": Field("number", 1e-9, 1, required=True),
    "kind": Field("slug"),
    "aliases": Field("texts"),
    "switched": Field("flag"),
    "peer_bytes_s": _rate(),
    "achieved_bytes_s": _rate(),
    "announced": Field("flag"),
}
_STORAGE = {
    **_NAMED,
    "read_bytes_s": Field("number", 1e6, 1e15, required=True),
    "aliases": Field("texts"),
    "achieved_read_bytes_s": _rate(),
}
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "accelerators": _ACCELERATOR,
    "hosts": _PROCESSOR,
    "links": _CONNECTION,
    "fabrics": _CONNECTION,
    "storage": _STORAGE,
}
"""By kind of row. Every row also has ``sources`` and may have ``doubts``."""
DERIVED = frozenset(("origin", "sources", "doubts", "sockets"))
"""Schema fields that no data file sets as a plain field."""
