"""A deployment document made complete: facts looked up, defaults filled in and remembered as assumed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hwdb.errors import LookupProblem
from hwdb.schema import Accelerator
from planner.documents.deployment import Deployment, EngineTable, HardwareTable, HostTable, ServingTable, WorkloadTable
from planner.engines.defaults import serving_defaults
from planner.engines.profile import EngineProfile
from planner.engines.registry import engine_profile
from planner.errors import BadInput, UnknownName
from planner.models.architecture import Architecture, Quantization
from planner.models.formats import weight_scheme
from planner.models.intake import ModelSource, open_model
from planner.resolved import Cluster, Device, Host, Link, Resolved, Serving, Workload
from planner.units import GIB

if TYPE_CHECKING:
    from planner.library import Library

CPU = "cpu"
UNNAMED = Accelerator(id="unnamed", vendor="unknown", name="unnamed accelerator")
"""Stands for a card that the document does not name; its memory has no known end."""
_MARKETED_SPREAD = 0.03
"""Marketing GB taken as GiB: cards report up to 3 % less."""


def resolve(deployment: Deployment, library: Library, source: ModelSource | None = None) -> Resolved:
    """Everything the arithmetic needs.

    Raises BadInput (UnknownName) for names that no data file has, UnknownArchitecture for models not understood.
    """
    assumed: dict[str, Any] = {}
    source = source or open_model(deployment.model, library)
    architecture = source.architecture
    quantization = _weights(deployment, source)
    hardware = deployment.hardware or HardwareTable()
    engine = _engine(deployment, hardware, assumed)
    cluster = _cluster(hardware, library)
    serving = _serving(deployment.serving or ServingTable(), engine, cluster, source, quantization, assumed)
    gguf = deployment.model.gguf
    return Resolved(
        deployment=deployment,
        model_id=source.id,
        architecture=architecture,
        quantization=quantization,
        cluster=cluster,
        engine=engine,
        serving=serving,
        workload=_workload(deployment.workload or WorkloadTable(), assumed),
        finetune=deployment.finetune,
        gguf_file_bytes=gguf.file_bytes if gguf else None,
        exact_weight_bytes=source.exact_bytes,
        assumed=assumed,
    )


def _weights(deployment: Deployment, source: ModelSource) -> Quantization:
    table = deployment.model
    if table.quantization is not None:
        return weight_scheme(table.quantization.scheme, source.architecture, table.checkpoint)
    if table.weights is not None:
        return weight_scheme(table.weights, source.architecture, table.checkpoint)
    own = source.quantization or source.architecture.quantization
    return own or weight_scheme(source.architecture.dtype, source.architecture, table.checkpoint)


def _engine(deployment: Deployment, hardware: HardwareTable, assumed: dict[str, Any]) -> EngineProfile:
    table = deployment.engine
    if table is None:
        local = (deployment.model.weights or "").startswith("gguf") or hardware.accelerator == CPU
        table = EngineTable(name="llama.cpp" if local else "vllm")
        assumed["engine.name"] = table.name
    profile = engine_profile(table.name, table.version, table.backend)
    if table.version is None:
        assumed["engine.version"] = profile.version
    return profile


def _cluster(table: HardwareTable, library: Library) -> Cluster:
    host = _host(table.host or HostTable(), library)
    device = _device(table, host, library)
    link = _link(table, device, library) if table.per_node > 1 else None
    return Cluster(device, table.per_node, table.nodes, link, _fabric(table, library), host)


def _device(table: HardwareTable, host: Host, library: Library) -> Device:
    if table.accelerator == CPU:
        return Device(None, table.memory_bytes or host.ram_bytes or math.inf)
    if table.accelerator is None:
        return Device(UNNAMED, table.memory_bytes or math.inf)
    row = _look_up(lambda: library.database.accelerator(table.accelerator or ""))
    if table.memory_bytes:
        return Device(row, table.memory_bytes)
    if row.memory_bytes is None:
        return Device(row, host.ram_bytes or math.inf, memory_spread=_MARKETED_SPREAD)
    return Device(row, row.memory_bytes, 0.0 if row.memory_is_reported else _MARKETED_SPREAD)


def _host(table: HostTable, library: Library) -> Host:
    row = library.database.host(table.cpu) if table.cpu else None
    bandwidth = table.memory_bandwidth_bytes_s
    sockets = table.sockets or (row.sockets if row else None)
    if bandwidth is None and row is not None and row.bandwidth_bytes_s:
        bandwidth = row.bandwidth_bytes_s * (sockets or 1)
    return Host(
        cpu=table.cpu,
        sockets=sockets,
        cores=table.cores,
        ram_bytes=table.ram_bytes,
        memory_bandwidth_bytes_s=bandwidth,
        disk_bytes_s=table.disk_bytes_s,
    )


def _link(table: HardwareTable, device: Device, library: Library) -> Link | None:
    row = device.accelerator
    if table.interconnect is not None:
        link = _look_up(lambda: library.database.link(table.interconnect or ""))
        return Link(link.id, link.bytes_s, link.latency_s, link.switched)
    if row is None:
        return None
    if row.link_bytes_s:
        known = library.database.find_link(row.link) if row.link else None
        return Link(row.link or "scale-up", row.link_bytes_s, known.latency_s if known else 5e-6, row.link_switched)
    if row.pcie_bytes_s:
        return Link("pcie", row.pcie_bytes_s, 1e-5)
    return None


def _fabric(table: HardwareTable, library: Library) -> Link | None:
    if table.nodes == 1 or table.fabric is None:
        return None
    row = _look_up(lambda: library.database.fabric(table.fabric or ""))
    return Link(row.id, row.bytes_s, row.latency_s)


def _look_up(find: Any) -> Any:
    """The row, or hwdb's miss as the planner's typed problem."""
    try:
        return find()
    except LookupProblem as miss:
        raise UnknownName(miss.kind, miss.name, miss.nearest) from None


def _serving(
    table: ServingTable,
    engine: EngineProfile,
    cluster: Cluster,
    source: ModelSource,
    quantization: Quantization,
    assumed: dict[str, Any],
) -> Serving:
    architecture = source.architecture
    defaults = serving_defaults(engine, cluster.device.memory_bytes, architecture)

    def take(key: str) -> Any:
        value = getattr(table, key)
        if value is None:
            value = defaults[key]
            assumed[f"serving.{key}"] = value
        return value

    max_model_len = table.max_model_len
    if max_model_len is None:
        max_model_len = assumed["serving.max_model_len"] = _default_length(defaults, architecture)
    lora = table.lora
    return Serving(
        tp=table.tp,
        attention_dp=table.attention_dp,
        pp=table.pp,
        dp=table.dp,
        ep=table.ep,
        dcp=table.dcp,
        max_model_len=max_model_len,
        max_num_seqs=take("max_num_seqs"),
        max_num_batched_tokens=take("max_num_batched_tokens"),
        gpu_memory_utilization=take("gpu_memory_utilization"),
        kv_cache_dtype=_kv_dtype(table, defaults, quantization, architecture, assumed),
        block_size=take("block_size"),
        enforce_eager=table.enforce_eager,
        cpu_offload_bytes=table.cpu_offload_bytes or 0.0,
        speculative=table.speculative,
        lora_rank=lora.max_rank if lora else 0,
        lora_adapters=lora.adapters if lora else 0,
        n_gpu_layers=_gpu_layers(table, cluster, architecture),
        experts_on_cpu=table.experts_on_cpu or False,
        ubatch=take("ubatch"),
        parallel=take("parallel"),
        flash_attention=take("flash_attention"),
        split_mode=table.split_mode or "layer",
        mla=table.mla is not False,
    )


def _default_length(defaults: Any, architecture: Architecture) -> int:
    return int(defaults.get("max_model_len") or architecture.max_position or 4096)


def _kv_dtype(
    table: ServingTable,
    defaults: Any,
    quantization: Quantization,
    architecture: Architecture,
    assumed: dict[str, Any],
) -> str:
    if table.kv_cache_dtype != "auto":
        return table.kv_cache_dtype
    kind = quantization.kv_cache or defaults.get("kv_cache_dtype") or "auto"
    if kind == "auto":
        kind = architecture.dtype if architecture.dtype in ("bf16", "fp16") else "bf16"
    assumed["serving.kv_cache_dtype"] = kind
    return str(kind)


def _gpu_layers(table: ServingTable, cluster: Cluster, architecture: Architecture) -> int | None:
    if cluster.device.accelerator is None:
        return 0
    if table.n_gpu_layers == "all":
        return architecture.num_layers + 1
    return table.n_gpu_layers


def _workload(table: WorkloadTable, assumed: dict[str, Any]) -> Workload:
    isl, osl, concurrency = table.isl, table.osl, table.concurrency
    if isl is None:
        isl = assumed["workload.isl"] = 512.0
    if osl is None:
        osl = assumed["workload.osl"] = 128.0
    if concurrency is None and table.request_rate is None and not table.saturated:
        concurrency = assumed["workload.concurrency"] = 1.0
    return Workload(
        isl=isl,
        osl=osl,
        concurrency=concurrency,
        request_rate=table.request_rate,
        saturated=table.saturated,
        context=table.context,
        prefix_hit_rate=table.prefix_hit_rate,
        service_level=table.service_level,
    )
