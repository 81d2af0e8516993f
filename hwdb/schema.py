"""Typed rows of the hardware database. Bytes, bytes per second, FLOP per second, watts; peaks are dense.

A field is None (or absent from its mapping) when nobody here knows the figure. Every number of a row has an
entry in ``sources``; what is doubtful or contradicted stands in ``doubts`` under the same dotted field.

Rows compare and hash by identity: a database hands out the same object each time, so that results can be cached by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BUILT_IN = "built-in"
"""``origin`` of rows that come with the package; overlay rows carry the path of their file."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number was read, and when."""

    text: str
    date: str = ""
    verified: bool = True
    """False: general knowledge or a guess that nobody checked against a publication."""


@dataclass(frozen=True, slots=True)
class MigProfile:
    """One way to slice a device."""

    memory_bytes: int | None = None
    compute_share: float | None = None
    """Of the whole device's compute units."""
    memory_share: float | None = None
    """Of the whole device's memory and bandwidth."""


@dataclass(frozen=True, slots=True, eq=False)
class Accelerator:
    """One device as the driver lists it (an MI250X is two)."""

    id: str
    vendor: str
    """Lower case: nvidia amd intel huawei apple google …"""
    name: str
    architecture: str | None = None
    """Lower case generation: ampere ada hopper blackwell cdna3 rdna4 …"""
    aliases: tuple[str, ...] = ()
    driver_names: tuple[str, ...] = ()
    pci_device_ids: tuple[str, ...] = ()
    """Four lower-case hex digits."""
    vgpu_boards: tuple[str, ...] = ()
    """Board part of vGPU profile names (``A100D`` of ``GRID A100D-10C``)."""
    memory_bytes: int | None = None
    """What to plan with: the runtime's or driver's figure, else marketed GB taken as GiB. None: unknown."""
    memory_is_reported: bool = False
    """``memory_bytes`` is a runtime's or driver's figure, not marketing."""
    marketed_memory_bytes: int | None = None
    """The product's figure, its GB taken as GiB."""
    driver_memory_bytes: int | None = None
    """Total as the driver lists it (nvidia-smi, rocm-smi, npu-smi)."""
    runtime_memory_bytes: int | None = None
    """Total as CUDA or ROCm hands it to programs (torch's total)."""
    usable_memory_bytes: int | None = None
    """What the vendor says is usable of the marketed memory."""
    max_memory_bytes: int | None = None
    """Unified memory: the largest configuration sold."""
    unified_memory: bool = False
    memory_type: str | None = None
    memory_bus_bits: int | None = None
    bandwidth_bytes_s: float | None = None
    achieved_bandwidth_bytes_s: float | None = None
    """Best that a public measurement reached."""
    peak_flop_s: Mapping[str, float] = field(default_factory=dict)
    """Dense, by format: fp32 tf32 fp16 bf16 fp8 int8 fp4 int4. Absent: not supported, or not known."""
    peak_flop_s_fp16_accumulate: Mapping[str, float] = field(default_factory=dict)
    """Dense, accumulating in fp16, where that is faster (GeForce); engines accumulate in fp32."""
    achieved_flop_s: Mapping[str, float] = field(default_factory=dict)
    """Best matrix-product rate that a public measurement reached, by format."""
    supports: Mapping[str, bool] = field(default_factory=dict)
    """Formats the tensor units take natively: bf16 fp8 fp4 int8."""
    compute_capability: tuple[int, int] | None = None
    gfx_arch: str | None = None
    link: str | None = None
    """Scale-up link id of ``links/`` (nvlink4 …); None: only PCIe, or a bridge that few machines have."""
    link_bytes_s: float | None = None
    """One direction, per device, all links together."""
    link_peer_bytes_s: float | None = None
    """One direction to one peer, where the devices form a mesh."""
    link_switched: bool = False
    link_domain: int | None = None
    """Devices that one link domain reaches (8 on a board, 72 in a rack)."""
    bridge: str | None = None
    """Link id of an optional bridge between ``bridge_devices`` cards; not to be assumed."""
    bridge_bytes_s: float | None = None
    bridge_devices: int | None = None
    c2c_bytes_s: float | None = None
    """One direction, to the host processor in the same package."""
    network_bytes_s: float | None = None
    """One direction, built-in network ports."""
    pcie_gen: int | None = None
    pcie_lanes: int | None = None
    pcie_bytes_s: float | None = None
    """One direction."""
    tdp_w: float | None = None
    tdp_range_w: tuple[float, float] | None = None
    boost_hz: float | None = None
    sm_count: int | None = None
    """Streaming multiprocessors, compute units or AI cores."""
    tensor_cores: int | None = None
    devices_per_package: int = 1
    form_factor: str | None = None
    mig_profiles: tuple[str, ...] = ()
    mig: Mapping[str, MigProfile] = field(default_factory=dict)
    """By profile, for those whose share is known."""
    launch: str | None = None
    """ISO date."""
    announced: bool = False
    """Not shipping when the row was written; figures are promises."""
    notes: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Dotted field → what is doubtful or in conflict."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Dotted field → source."""
    origin: str = BUILT_IN


@dataclass(frozen=True, slots=True, eq=False)
class Processor:
    """A family of host CPUs that share a memory system. Figures are per socket."""

    id: str
    vendor: str
    name: str
    patterns: tuple[str, ...] = ()
    """What its names look like: words, ``#`` a digit, ``?`` a letter or digit, ``*`` any rest of the word."""
    memory_channels: float | None = None
    """64-bit channels per socket; a fraction when a text names an odd number for two sockets."""
    memory_mt_s: float | None = None
    """Mega-transfers per second with one DIMM per channel."""
    memory_type: str | None = None
    bandwidth_bytes_s: float | None = None
    """Per socket: channels × MT/s × 8 B, or the vendor's figure."""
    sockets: int | None = None
    """Named in the text that was looked up; None otherwise."""
    max_sockets: int | None = None
    features: tuple[str, ...] = ()
    """Instruction sets that matter: avx2 avx512f avx512_bf16 amx_tile sve …"""
    launch: str | None = None
    notes: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    origin: str = BUILT_IN


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """A link between the devices of a node, or a network between nodes: one direction, per device or port."""

    id: str
    name: str
    bytes_s: float
    latency_s: float
    kind: str = ""
    """nvlink xgmi pcie hccs … infiniband ethernet"""
    aliases: tuple[str, ...] = ()
    switched: bool = False
    """All-to-all at full speed (NVSwitch); an XGMI mesh is not."""
    peer_bytes_s: float | None = None
    """One direction between two devices of a mesh."""
    achieved_bytes_s: float | None = None
    """Best that a public measurement reached."""
    announced: bool = False
    notes: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    origin: str = BUILT_IN


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A kind of disk."""

    id: str
    name: str
    read_bytes_s: float
    """Sequential."""
    aliases: tuple[str, ...] = ()
    achieved_read_bytes_s: float | None = None
    notes: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    origin: str = BUILT_IN


Row = Accelerator | Processor | Connection | Storage
