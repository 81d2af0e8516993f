"""What ``estimate`` and ``plan`` answer. Plain frozen dataclasses; JSON Schemas are generated from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from planner.estimate import Estimate

Verdict = Literal["fits", "tight", "does-not-fit", "illegal", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule or a warning, with the nearest fix. ``change`` maps dotted deployment keys to the fixing values."""

    rule: str
    message: str
    fix: str = ""
    severity: Literal["error", "warning"] = "error"
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelParameters:
    """Counts; each tensor once, vision included, MTP not."""

    total: int
    active: int
    embedding: int
    routed_experts: int
    vision: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model of the answer."""

    parameters: ModelParameters
    weight_bytes: float
    """Of the whole checkpoint in the given format, MTP excluded."""


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Bytes on the worst rank.

    ``kv_cache`` is the pool the engine would allocate, ``kv_needed`` what the workload uses.
    """

    weights: Estimate
    kv_cache: Estimate
    kv_needed: Estimate
    activations: Estimate
    cuda_graphs: Estimate
    non_torch: Estimate
    total: Estimate
    capacity: Estimate


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Buffers as llama.cpp lists them."""

    device: str
    weights: Estimate
    kv_cache: Estimate
    compute: Estimate
    recurrent: Estimate | None = None
    """State of recurrent layers; None for models without any."""


@dataclass(frozen=True, slots=True)
class HostMemory:
    """RAM of one node, in bytes, beside ``host_ram``, which is what stays while it serves."""

    loading: Estimate
    """While the weights are read; its high end holds the whole checkpoint in the page cache."""
    pinned: Estimate
    """Locked for the devices: offloaded weights, offloaded KV blocks."""
    page_cache: Estimate
    """Of the checkpoint's files, as far as RAM is left; taken back when others need it."""
    kv_tokens: Estimate | None = None
    """Context tokens of one replica that offloaded KV blocks hold; None without offload."""


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds of a start."""

    load_s: Estimate
    """Reading the weights."""
    start_s: Estimate
    """To the first answer."""
    probe_s: Estimate
    """That a start-up probe should wait."""


@dataclass(frozen=True, slots=True)
class ServingMemory:
    """Memory of a serving deployment."""

    per_gpu: GpuMemory
    kv_bytes_per_token: float
    """Of one context token on one GPU, all layers that keep every token."""
    kv_tokens: Estimate
    """True capacity in tokens of context of one replica."""
    max_concurrency: Estimate
    """Requests of ``max_model_len`` that the pool of one replica holds."""
    kv_tokens_printed: Estimate | None = None
    max_context: Estimate | None = None
    """The longest max_model_len at which the pools hold as many requests as the load has in flight."""
    host_ram: Estimate | None = None
    disk: float | None = None
    host: HostMemory | None = None
    startup: Startup | None = None
    devices: tuple[DeviceMemory, ...] = ()


@dataclass(frozen=True, slots=True)
class Performance:
    """Speed; means at the stated load. None where the workload does not define the figure."""

    ttft_s: Estimate | None = None
    tpot_s: Estimate | None = None
    decode_tok_s: Estimate | None = None
    prefill_tok_s: Estimate | None = None
    output_tok_s: Estimate | None = None
    total_tok_s: Estimate | None = None
    request_s: Estimate | None = None
    ttft_p50_s: Estimate | None = None
    """Percentiles over requests of an engine that has been running for a while; None for an offline run."""
    ttft_p95_s: Estimate | None = None
    ttft_p99_s: Estimate | None = None
    itl_p50_s: Estimate | None = None
    """Percentiles over all gaps between two tokens of a request."""
    itl_p95_s: Estimate | None = None
    itl_p99_s: Estimate | None = None
    ttft_level_s: Estimate | None = None
    """At the percentile of the service level, not below the mean; None without a service level."""
    tpot_level_s: Estimate | None = None
    """The same of a request's mean time per token."""
    stable_request_s: Estimate | None = None
    """Of a load at a request rate: the largest at which the queue does not grow without bound, whole deployment."""
    utilisation: Estimate | None = None
    """The request rate as a share of it."""
    bound: dict[str, str] = field(default_factory=dict)
    """Phase → what limits it."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """The same point by another predictor: seconds, and tokens per second of the whole deployment."""

    source: str
    tables: str
    """Which of its tables: its engine, release and system may differ from the deployment's."""
    ttft_s: float
    tpot_s: float
    output_tok_s: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """Speed at one load of a curve; one of the two says which."""

    performance: Performance
    concurrency: float | None = None
    request_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing changed, and by what share it makes each figure better (0.1 = 10 % faster); None: not defined."""

    name: str
    kind: Literal["hardware", "setting"]
    ttft: float | None = None
    tpot: float | None = None
    throughput: float | None = None
    stable_rate: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """What surrounds a training run on disk and in host memory, in bytes."""

    base: float
    """The checkpoint that is trained from, as published."""
    checkpoint: float
    """One saved state of what is trained."""
    resume: float
    """Optimizer states beside it, needed to go on."""
    disk: float
    """Base, its conversion, two checkpoints with their states, and the merged model."""
    save_ram: Estimate
    """On the node that writes: whole weights gathered there, or adapters only."""
    converted: float | None = None
    """16-bit copy of a base that is published in a lower format; None where none is needed."""
    conversion_ram: Estimate | None = None
    merged: float | None = None
    """Adapters merged into a 16-bit base; None for full fine-tuning."""
    merge_ram: Estimate | None = None


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """A training step: peaks per GPU by counter, speed, time."""

    peak: Estimate
    allocated: Estimate
    reserved: Estimate
    driver: Estimate
    resident: Estimate
    max_seq_len: int | None = None
    tok_s: Estimate | None = None
    tok_s_per_gpu: Estimate | None = None
    step_s: Estimate | None = None
    mfu: Estimate | None = None
    hours: Estimate | None = None
    host_ram: Estimate | None = None
    """Per node, at its peak."""
    max_micro_batch: int | None = None
    """The largest that fits at this sequence length."""
    capacity: float | None = None
    """Bytes of one device; None where the document names none."""
    moment: str = ""
    """Of a step, at which memory peaks: loss layers end step."""
    bound: str = ""
    """What limits the speed: compute communication rollout processors."""
    gpu_hours: Estimate | None = None
    energy_wh: Estimate | None = None
    money: Estimate | None = None
    """Rent, or depreciation and electricity, of the whole run."""
    currency: str = "USD"
    files: TrainingFiles | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Power and money; None where a price or a load is missing."""

    power_w: Estimate | None = None
    wh_per_mtok: Estimate | None = None
    per_mtok: Estimate | None = None
    per_month: Estimate | None = None
    """Of the devices in use: rent on demand, or depreciation and electricity where no rent is known."""
    currency: str = "USD"
    basis: Literal["", "rented", "owned"] = ""
    """What ``per_month`` and ``per_mtok`` are."""
    purchase: Estimate | None = None
    """Price of the devices in use, servers apart."""
    owned_per_month: Estimate | None = None
    """Depreciation of the devices and electricity; the ``cost`` verb has the whole account."""
    owned_per_mtok: Estimate | None = None
    per_mtok_all: Estimate | None = None
    """Of input and output tokens together."""
    wh_per_mtok_all: Estimate | None = None
    as_of: dict[str, str] = field(default_factory=dict)
    """Figure → date and source of its prices: none of them is implied to be current."""
    problems: tuple[Finding, ...] = ()
    """What is missing for a figure, with a next step."""


@dataclass(frozen=True, slots=True)
class EstimateDocument:
    """The answer for one deployment."""

    verdict: Verdict
    id: str | None = None
    model: ModelFacts | None = None
    problems: tuple[Finding, ...] = ()
    memory: ServingMemory | None = None
    performance: Performance | None = None
    finetune: FinetuneResult | None = None
    cost: Cost | None = None
    prefill_memory: ServingMemory | None = None
    """Of a prefill worker, where prefill and decode are apart; ``memory`` is then a decode worker's."""
    curve: tuple[LoadPoint, ...] = ()
    """Speed over load, where asked for."""
    levers: tuple[Lever, ...] = ()
    """What would make it faster, most helpful first, where asked for."""
    cross_check: CrossCheck | None = None
    """Another predictor's figures, where asked for and to be had."""
    assumed: dict[str, Any] = field(default_factory=dict)
    """Dotted key → default that was taken."""
    schema: Literal["deploy-planner/estimate/1"] = "deploy-planner/estimate/1"


@dataclass(frozen=True, slots=True)
class PlannedDeployment:
    """One ranked proposal."""

    rank: int
    deployment: dict[str, Any]
    """The deployment document, ready to export."""
    estimate: EstimateDocument
    reasons: tuple[str, ...] = ()
    """Why it stands here, most important first."""
    pareto: bool = False
    """No other proposal is better in every respect."""
    gpus_used: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """Configurations that were ruled out by one rule, counted."""

    rule: str
    message: str
    count: int
    example: str
    """One of them, in short words."""
    fix: str = ""
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One step of a plan that has several: generation by a teacher, training of a student."""

    name: str
    about: str
    deployment: dict[str, Any]
    """Ready to export."""
    hours: Estimate | None = None
    gpu_hours: Estimate | None = None
    energy_wh: Estimate | None = None
    money: Estimate | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Flip:
    """An input of the load, and the value at which another proposal comes first."""

    input: str
    value: float
    at: float
    """Where the choice flips; where it does not, the farthest value that was tried."""
    instead: str | None = None
    """What comes first there; None: still the same."""


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """Ranked proposals and everything that was ruled out."""

    verdict: Verdict
    request: dict[str, Any]
    """The question as understood: hardware, models, workload, goal; defaults included."""
    inventory: dict[str, Any]
    candidates: tuple[PlannedDeployment, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    considered: int = 0
    assumed: dict[str, Any] = field(default_factory=dict)
    stages: tuple[PlannedStage, ...] = ()
    """Steps of a plan that has several, in order; empty where one deployment is all."""
    sensitivity: tuple[Flip, ...] = ()
    """Inputs of the load that flip the first proposal, where asked for."""
    schema: Literal["deploy-planner/plan/1"] = "deploy-planner/plan/1"
