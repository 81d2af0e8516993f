"""A deployment with nothing left open: every fact looked up, every default filled in and remembered as assumed.

Made by ``planner.resolve``; what ``memory``, ``performance``, ``cost`` and ``legality`` take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hwdb.schema import Accelerator
from planner.documents.deployment import Deployment, FinetuneTable, ServiceLevelTable, SpeculativeTable
from planner.engines.profile import EngineProfile
from planner.engines.trainer import TrainerProfile
from planner.models.architecture import Architecture, Quantization
from planner.models.gguf_layout import GgufLayout


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator as its runtime sees it. For CPU-only machines ``accelerator`` is None."""

    accelerator: Accelerator | None
    memory_bytes: float
    """Total that the runtime reports (CUDA, ROCm); utilisation is a share of it."""
    memory_spread: float = 0.0
    """How uncertain that is, as a share: 0 when reported, more when marketed GB was taken as GiB."""
    used_bytes: float = 0.0
    """Held by others (display, other processes)."""
    slice: str | None = None
    """MIG profile when the device is a slice of a card."""

    @property
    def vendor(self) -> str:
        return self.accelerator.vendor if self.accelerator else "cpu"


@dataclass(frozen=True, slots=True)
class Host:
    """The machine around the devices; None is "not reported"."""

    cpu: str | None = None
    sockets: int | None = None
    cores: int | None = None
    ram_bytes: float | None = None
    memory_bandwidth_bytes_s: float | None = None
    """Of all sockets together."""
    disk_bytes_s: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A connection: one direction, per device."""

    id: str
    bytes_s: float
    latency_s: float
    switched: bool = False
    """All-to-all at full speed (NVSwitch, XGMI mesh counts as not switched)."""

    @property
    def over_bus(self) -> bool:
        """PCI Express: devices reach each other through the host's root complex or a switch only."""
        return self.id.startswith("pcie")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Equal nodes of equal devices."""

    device: Device
    per_node: int
    nodes: int
    link: Link | None
    """Between the devices of a node; None for one device."""
    fabric: Link | None
    """Between nodes, per device; None for one node or unknown."""
    host: Host

    @property
    def num_devices(self) -> int:
        return self.per_node * self.nodes

    @property
    def over_bus(self) -> bool:
        """Devices reach each other over PCIe or a network alone."""
        return self.per_node == 1 or (self.link is not None and self.link.over_bus)


@dataclass(frozen=True, slots=True)
class PrefillWorkers:
    """Workers that compute prompts only, where prefill and decode are apart."""

    replicas: int
    tp: int
    attention_dp: int
    pp: int
    ep: int
    max_num_batched_tokens: int

    @property
    def gpus(self) -> int:
        return self.replicas * self.tp * self.attention_dp * self.pp


@dataclass(frozen=True, slots=True)
class Serving:
    """Layout and limits with every default filled in."""

    tp: int
    attention_dp: int
    pp: int
    dp: int
    ep: int
    dcp: int
    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    gpu_memory_utilization: float
    kv_cache_dtype: str
    """Never "auto": bf16 fp16 fp8 q8_0 q4_0 …"""
    block_size: int
    enforce_eager: bool = False
    cpu_offload_bytes: float = 0.0
    kv_offload_bytes: float = 0.0
    """Pinned host memory for KV blocks that leave the device, per device."""
    prefix_caching: bool = True
    """Blocks of finished requests stay for later ones with the same beginning."""
    speculative: SpeculativeTable | None = None
    lora_rank: int = 0
    lora_adapters: int = 0
    n_gpu_layers: int | None = None
    """llama.cpp: layers on the GPUs; None as many as fit. "all" is num_layers + 1."""
    experts_on_cpu: bool | int = False
    ubatch: int = 512
    parallel: int = 1
    flash_attention: bool = True
    split_mode: str = "layer"
    mla: bool = True
    attention_max_bytes: float | None = None
    """llama.cpp forks: attention scores held at once; None: those of a whole micro-batch."""
    draft_layers: float = 1.0
    """Layers of the model that drafting one speculated token takes."""
    prefill: PrefillWorkers | None = None
    """Beside the layout above, which then only decodes."""

    @property
    def gpus(self) -> int:
        """Devices that the layout uses."""
        own = self.tp * self.attention_dp * self.pp * self.dp
        return own + (self.prefill.gpus if self.prefill else 0)


@dataclass(frozen=True, slots=True)
class Workload:
    """Load with every default filled in."""

    isl: float
    """Of images too."""
    osl: float
    concurrency: float | None
    request_rate: float | None
    saturated: bool
    context: float = 0.0
    prefix_hit_rate: float = 0.0
    service_level: ServiceLevelTable | None = None
    images: float = 0.0
    image_tokens: float = 0.0
    requests: float | None = None
    """Of a finite run: how many it sends."""
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    arrival_cv: float = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """The model that proposes tokens for speculation, beside the one that serves."""

    architecture: Architecture
    quantization: Quantization
    assumed: bool = False
    """A usual head for the target stands for one whose config nobody gave."""


@dataclass(frozen=True, slots=True)
class SiteRow:
    """Overheads as measured on this machine, against the built-in profile of an engine."""

    engine: str
    release: tuple[int, ...]
    """Major and minor."""
    accelerator: str
    ranks: int
    date: str = ""
    source: str = ""
    activations_ratio: float = 1.0
    graphs_ratio: float = 1.0
    non_torch_bytes: float = 0.0
    """On top of the profile's, per rank."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that the arithmetic needs."""

    deployment: Deployment
    model_id: str
    architecture: Architecture
    quantization: Quantization
    """Effective scheme of the weights as loaded."""
    cluster: Cluster
    engine: EngineProfile
    serving: Serving
    workload: Workload
    draft: Draft | None = None
    """Loaded for speculation; None where the model's own prediction layers or n-grams propose."""
    finetune: FinetuneTable | None = None
    trainer: TrainerProfile | None = None
    """Beside ``finetune``: how its trainer behaves."""
    gguf_file_bytes: float | None = None
    gguf_layout: GgufLayout | None = None
    """Exact bytes by layer, when a GGUF file was read and its mix is the one asked for."""
    exact_weight_bytes: float | None = None
    """From safetensors headers, when the files were read."""
    assumed: Mapping[str, object] = field(default_factory=dict)
    """Dotted key → default that was taken."""
    site: tuple[SiteRow, ...] = ()
    """Everything measured on this machine; the row that fits is chosen where it is used."""


def prefill_side(resolved: Resolved) -> Resolved | None:
    """The prefill workers of a disaggregated deployment as a deployment of their own, whose answers are one token."""
    workers = resolved.serving.prefill
    if workers is None:
        return None
    serving = replace(
        resolved.serving,
        tp=workers.tp,
        attention_dp=workers.attention_dp,
        pp=workers.pp,
        ep=workers.ep,
        dp=workers.replicas,
        max_num_batched_tokens=workers.max_num_batched_tokens,
        speculative=None,
        prefill=None,
    )
    return replace(resolved, serving=serving, workload=replace(resolved.workload, osl=1.0))
