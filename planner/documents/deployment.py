"""The deployment: the one document that everything turns around, as it enters and leaves.

Every table but ``model`` may be absent; what is absent is defaulted by ``planner.resolve`` and listed as assumed.
Field names are stable. The classes are plain and check nothing: text that enters is checked against their
annotations (``planner.documents.table``), which refuses unknown keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from planner.documents.bounds import Bounds
from planner.documents.table import Table

SCHEMA: Literal["deploy-planner/deployment/1"] = "deploy-planner/deployment/1"

Count = Annotated[int, Bounds(ge=1, le=1_000_000)]
Tokens = Annotated[int, Bounds(ge=1, le=2**50)]
Length = Annotated[float, Bounds(ge=0, le=2**50, allow_inf_nan=False)]
Bytes = Annotated[float, Bounds(ge=0, le=2**60, allow_inf_nan=False)]
Rate = Annotated[float, Bounds(gt=0, le=1e18, allow_inf_nan=False)]
Share = Annotated[float, Bounds(ge=0, le=1, allow_inf_nan=False)]
Variation = Annotated[float, Bounds(ge=0, le=20, allow_inf_nan=False)]
Name = Annotated[str, Bounds(min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufTable(Table):
    """What is known of a GGUF file without reading it."""

    file_bytes: Bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationTable(Table):
    """A weight scheme named by hand; wins over the config's own."""

    scheme: Name
    bits: Annotated[float, Bounds(gt=0, le=32)] | None = None
    group: Count | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTable(Table):
    """Which model, in which weights."""

    id: Name | None = None
    weights: Name | None = None
    """bf16 fp16 fp32 fp8 nvfp4 mxfp4 awq-int4 gptq-int4 w8a8-int8 bnb-nf4 gguf:Q4_K_M …"""
    path: str | None = None
    """A local directory with config.json (and safetensors), a config.json, or a .gguf file."""
    checkpoint: str | None = None
    """The published repack, a hint to its scheme."""
    config: dict[str, Any] | str | None = None
    """A Hugging Face config.json inline, or a path to one; the catalogue is then not consulted."""
    gguf: GgufTable | None = None
    quantization: QuantizationTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTable(Table):
    """The machine around the accelerators."""

    cpu: str | None = None
    sockets: Count | None = None
    cores: Count | None = None
    ram_bytes: Bytes | None = None
    memory_bandwidth_bytes_s: Rate | None = None
    disk_bytes_s: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareTable(Table):
    """On what it runs."""

    accelerator: Name | None = None
    """hwdb id or alias; "cpu" for none."""
    per_node: Count = 1
    nodes: Count = 1
    memory_bytes: Bytes | None = None
    """Overrides the memory of one device."""
    slice: Name | None = None
    """MIG profile ("1g.18gb") when each device is a slice of a card; ``memory_bytes`` is then the slice's."""
    interconnect: Name | None = None
    """Link between the devices of a node: a hwdb link id ("nvlink4", "pcie5-x16", "xgmi3" …)."""
    fabric: Name | None = None
    """Network between nodes: a hwdb fabric id ("infiniband-ndr", "roce-400g" …)."""
    host: HostTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTable(Table):
    """Which engine, at which version."""

    name: Name = "vllm"
    version: str | None = None
    backend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculativeTable(Table):
    """Speculative decoding."""

    method: Name
    tokens: Count = 1
    draft: str | None = None
    acceptance: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraTable(Table):
    """Adapters kept resident beside the base."""

    max_rank: Count = 16
    adapters: Count = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefillTable(Table):
    """Workers that compute prompts and hand their KV cache over."""

    replicas: Count = 1
    tp: Count | None = None
    """This and the next four: absent, as the decode workers'."""
    attention_dp: Count | None = None
    pp: Count | None = None
    ep: Count | None = None
    max_num_batched_tokens: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisaggregationTable(Table):
    """Prompts and answers on devices of their own; the rest of ``[serving]`` are the decode workers, ``dp`` of them."""

    prefill: PrefillTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingTable(Table):
    """How the model is laid out and how much it may take."""

    tp: Count = 1
    attention_dp: Count = 1
    pp: Count = 1
    dp: Count = 1
    ep: Count = 1
    dcp: Count = 1
    max_model_len: Tokens | None = None
    max_num_seqs: Tokens | None = None
    max_num_batched_tokens: Tokens | None = None
    gpu_memory_utilization: Annotated[float, Bounds(gt=0, le=1)] | None = None
    kv_cache_dtype: Name = "auto"
    enforce_eager: bool = False
    block_size: Count | None = None
    cpu_offload_bytes: Bytes | None = None
    kv_offload_bytes: Bytes | None = None
    """Host memory for evicted KV blocks, per device."""
    prefix_caching: bool | None = None
    speculative: SpeculativeTable | None = None
    disaggregation: DisaggregationTable | None = None
    lora: LoraTable | None = None
    n_gpu_layers: Annotated[int, Bounds(ge=0, le=100_000)] | Literal["all"] | None = None
    experts_on_cpu: bool | Annotated[int, Bounds(ge=0, le=100_000)] | None = None
    ubatch: Tokens | None = None
    parallel: Count | None = None
    flash_attention: bool | None = None
    split_mode: Literal["none", "layer", "row"] | None = None
    mla: bool | None = None
    attention_max_bytes: Annotated[float, Bounds(gt=0, le=2**60, allow_inf_nan=False)] | None = None
    """Attention scores at once (``-amb`` of ik_llama.cpp)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevelTable(Table):
    """What users were promised."""

    ttft_s: Rate | None = None
    tpot_s: Rate | None = None
    percentile: Annotated[float, Bounds(gt=0, lt=100)] = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadTable(Table):
    """What is asked of the deployment."""

    isl: Length | None = None
    osl: Length | None = None
    concurrency: Annotated[float, Bounds(gt=0, le=1e9)] | None = None
    request_rate: Rate | None = None
    saturated: bool = False
    requests: Tokens | None = None
    """How many a measured run sent; short runs start and end with a part of the load."""
    context: Length = 0.0
    prefix_hit_rate: Share = 0.0
    images: Annotated[float, Bounds(ge=0, le=10_000, allow_inf_nan=False)] | None = None
    """Per request, beside the text of isl."""
    image_tokens: Length | None = None
    """Of one image in the prompt; absent: the model's own number, or 1,024."""
    isl_cv: Variation | None = None
    """Coefficient of variation (standard deviation over mean) of the prompts' lengths; absent: all alike."""
    osl_cv: Variation | None = None
    """The same of the answers'."""
    arrival_cv: Variation | None = None
    """Of the gaps between arrivals at a request_rate: 1, the default, is Poisson; more is bursty, 0 regular."""
    service_level: ServiceLevelTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelTable(Table):
    """Parallelism of a training run."""

    tp: Count = 1
    pp: Count = 1
    cp: Count = 1
    ep: Count = 1
    vp: Count = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneTable(Table):
    """A training job, instead of serving."""

    method: Name = "lora"
    trainer: Name | None = None
    objective: Name = "sft"
    seq_len: Tokens = 4096
    micro_batch: Count = 1
    grad_accum: Count = 1
    gradient_checkpointing: bool | Literal["selective", "offloaded"] | None = None
    optimizer: Name | None = None
    precision: Name = "bf16"
    sharding: Name | None = None
    parallel: ParallelTable | None = None
    global_batch: Tokens | None = None
    offload: Name = "none"
    lora_rank: Count | None = None
    lora_targets: str | tuple[str, ...] | None = None
    fused_cross_entropy: bool = False
    fused_kernels: bool = False
    compile: bool = False
    packing: bool = False
    attention: Literal["flash", "sdpa", "eager"] = "flash"
    tokens: Length | None = None
    sample_tokens: Tokens | None = None
    epochs: Annotated[float, Bounds(gt=0, le=1e6)] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance(Table):
    """Where an exported document came from."""

    planner: str = ""
    catalogue: str = ""
    hwdb: str = ""
    date: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Table):
    """The whole document."""

    schema: Literal["deploy-planner/deployment/1"] = SCHEMA
    id: str | None = None
    model: ModelTable
    hardware: HardwareTable | None = None
    engine: EngineTable | None = None
    serving: ServingTable | None = None
    workload: WorkloadTable | None = None
    finetune: FinetuneTable | None = None
    estimate: dict[str, Any] | None = None
    """Written by the planner: the figures as exported, with their ranges."""
    provenance: Provenance | None = None
