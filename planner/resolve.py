"""A deployment document made complete: facts looked up, defaults filled in and remembered as assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from planner.cluster import CPU, cluster_of
from planner.documents.deployment import (
    Deployment,
    EngineTable,
    HardwareTable,
    ServingTable,
    WorkloadTable,
)
from planner.draft import draft_of
from planner.drafts import with_drafts
from planner.engines.defaults import Placement, keeps_states, own_settings, serving_defaults
from planner.engines.profile import EngineProfile
from planner.engines.registry import backend_of, engine_profile
from planner.engines.trainer import trainer_profile
from planner.models.architecture import Architecture, Quantization
from planner.models.formats import weight_scheme
from planner.models.gguf_layout import GgufLayout
from planner.models.intake import ModelSource, open_model
from planner.models.quantization import stated_scheme
from planner.resolved import Cluster, Device, PrefillWorkers, Resolved, Serving, Workload

if TYPE_CHECKING:
    from planner.library import Library


def resolve(deployment: Deployment, library: Library, source: ModelSource | None = None) -> Resolved:
    """Everything the arithmetic needs.

    Raises BadInput (UnknownName) for names that no data file has, UnknownArchitecture for models not understood.
    """
    assumed: dict[str, Any] = {}
    source = source or open_model(deployment.model, library)
    architecture = source.architecture
    quantization = _weights(deployment, source)
    hardware = deployment.hardware or HardwareTable()
    cluster = cluster_of(hardware, library)
    engine = _engine(deployment, cluster.device, assumed)
    table = deployment.serving or ServingTable()
    serving = _serving(table, _Setting(engine, cluster, architecture, quantization), assumed)
    draft = draft_of(table.speculative, architecture, library)
    serving = with_drafts(serving, architecture, draft, assumed)
    gguf = deployment.model.gguf
    return Resolved(
        deployment=deployment,
        model_id=source.id,
        architecture=architecture,
        quantization=quantization,
        cluster=cluster,
        engine=engine,
        serving=serving,
        workload=_workload(deployment.workload or WorkloadTable(), architecture, assumed),
        draft=draft,
        finetune=deployment.finetune,
        trainer=trainer_profile(deployment.finetune.trainer) if deployment.finetune else None,
        gguf_file_bytes=gguf.file_bytes if gguf else None,
        gguf_layout=_gguf_layout(deployment, source),
        exact_weight_bytes=source.exact_bytes,
        assumed=assumed,
        site=library.site,
    )


def _weights(deployment: Deployment, source: ModelSource) -> Quantization:
    table = deployment.model
    if table.quantization is not None:
        stated = table.quantization
        base = weight_scheme(stated.scheme, source.architecture, table.checkpoint)
        return stated_scheme(base, bits=stated.bits, group=stated.group, ignore=stated.ignore)
    if table.weights is not None:
        return weight_scheme(table.weights, source.architecture, table.checkpoint or _published(table.weights, source))
    own = source.quantization or source.architecture.quantization
    return own or weight_scheme(source.architecture.dtype, source.architecture, table.checkpoint)


def _published(weights: str, source: ModelSource) -> str | None:
    """The repository in which the catalogue knows this format of the model: a hint to its scheme."""
    known = source.row.checkpoint(weights) if source.row else None
    return known.repo if known else None


def _gguf_layout(deployment: Deployment, source: ModelSource) -> GgufLayout | None:
    """Exact, unless the document asks for other weights than those of the file."""
    if source.gguf is None or deployment.model.weights not in (None, f"gguf:{source.gguf.mix}"):
        return None
    from planner.models.gguf_exact import exact_layout

    return exact_layout(source.gguf, source.architecture.num_layers)


def _engine(deployment: Deployment, device: Device, assumed: dict[str, Any]) -> EngineProfile:
    table = deployment.engine
    if table is None:
        local = (deployment.model.weights or "").startswith("gguf") or device.accelerator is None
        table = EngineTable(name="llama.cpp" if local else "vllm")
        assumed["engine.name"] = table.name
    row = device.accelerator
    backend = table.backend or (backend_of(row.vendor, row.architecture) if row else CPU)
    profile = engine_profile(table.name, table.version, backend)
    if table.version is None:
        assumed["engine.version"] = profile.version
    return profile


class _Setting(NamedTuple):
    """What decides the defaults of ``[serving]``."""

    engine: EngineProfile
    cluster: Cluster
    architecture: Architecture
    quantization: Quantization

    def defaults(self, table: ServingTable, max_model_len: int | None) -> dict[str, Any]:
        row = self.cluster.device.accelerator
        placement = Placement(
            accelerator=row.id if row else None,
            tp=table.tp,
            pp=table.pp,
            attention_dp=table.attention_dp,
            max_model_len=max_model_len,
            speculative=table.speculative is not None,
        )
        return serving_defaults(self.engine, self.cluster.device.memory_bytes, self.architecture, placement)


def _serving(table: ServingTable, setting: _Setting, assumed: dict[str, Any]) -> Serving:
    max_model_len = table.max_model_len
    if max_model_len is None:
        max_model_len = assumed["serving.max_model_len"] = setting.architecture.max_position or 4096
    defaults, own = setting.defaults(table, max_model_len), own_settings(setting.engine)

    def take(key: str, told: bool | None = None) -> Any:
        """What was said, else the default; it is told where the engine has such a setting, unless ``told`` says."""
        value = getattr(table, key)
        if value is None:
            value = defaults[key]
            if key in own if told is None else told:
                assumed[f"serving.{key}"] = value
        return value

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
        kv_cache_dtype=_kv_dtype(table, defaults, setting, assumed),
        block_size=take("block_size"),
        enforce_eager=table.enforce_eager,
        cpu_offload_bytes=table.cpu_offload_bytes or 0.0,
        kv_offload_bytes=take("kv_offload_bytes", told=defaults["kv_offload_bytes"] > 0),
        prefix_caching=take("prefix_caching", told=keeps_states(setting.architecture)),
        speculative=table.speculative,
        lora_rank=lora.max_rank if lora else 0,
        lora_adapters=lora.adapters if lora else 0,
        n_gpu_layers=_gpu_layers(table, setting.cluster, setting.architecture),
        experts_on_cpu=table.experts_on_cpu or False,
        ubatch=take("ubatch"),
        parallel=take("parallel"),
        flash_attention=take("flash_attention"),
        split_mode=table.split_mode or "layer",
        mla=table.mla is not False,
        attention_max_bytes=table.attention_max_bytes,
        prefill=_prefill(table, take("max_num_batched_tokens")),
    )


def _prefill(table: ServingTable, budget: int) -> PrefillWorkers | None:
    """The workers that compute prompts; what they do not say is as with those that decode."""
    if table.disaggregation is None:
        return None
    own = table.disaggregation.prefill
    return PrefillWorkers(
        replicas=own.replicas,
        tp=own.tp or table.tp,
        attention_dp=own.attention_dp or table.attention_dp,
        pp=own.pp or table.pp,
        ep=own.ep or table.ep,
        max_num_batched_tokens=own.max_num_batched_tokens or budget,
    )


def _kv_dtype(table: ServingTable, defaults: dict[str, Any], setting: _Setting, assumed: dict[str, Any]) -> str:
    if table.kv_cache_dtype != "auto":
        return table.kv_cache_dtype
    published: dict[str, str] = setting.engine.fact("defaults.kv_cache_dtype_of_scheme", {})
    kind = setting.quantization.kv_cache or published.get(setting.quantization.scheme, defaults["kv_cache_dtype"])
    if kind == "auto":
        dtype = setting.architecture.dtype
        kind = dtype if dtype in ("bf16", "fp16") else "bf16"
    assumed["serving.kv_cache_dtype"] = kind
    return str(kind)


def _gpu_layers(table: ServingTable, cluster: Cluster, architecture: Architecture) -> int | None:
    if cluster.device.accelerator is None:
        return 0
    if table.n_gpu_layers == "all":
        return architecture.num_layers + 1
    return table.n_gpu_layers


def _workload(table: WorkloadTable, architecture: Architecture, assumed: dict[str, Any]) -> Workload:
    open_values: dict[str, Any] = {}
    if table.isl is None:
        open_values["isl"] = 512.0
    if table.osl is None:
        open_values["osl"] = 128.0
    if table.concurrency is None and table.request_rate is None and not table.saturated:
        open_values["concurrency"] = 1.0
    if table.images and table.image_tokens is None:
        tower = architecture.vision_tower
        open_values["image_tokens"] = float((tower and tower.tokens_per_image) or IMAGE_TOKENS)
    assumed.update({f"workload.{key}": value for key, value in open_values.items()})
    return workload_of(replace(table, **open_values) if open_values else table)


IMAGE_TOKENS = 1024.0
"""Of an image of about a megapixel where the model takes images of any size (28×28 pixels a token)."""


def workload_of(table: WorkloadTable) -> Workload:
    """The load of a table whose lengths are filled in; images count as prompt tokens."""
    images, image_tokens = table.images or 0.0, table.image_tokens or IMAGE_TOKENS
    return Workload(
        isl=(table.isl or 0.0) + images * image_tokens,
        osl=table.osl or 0.0,
        concurrency=table.concurrency,
        request_rate=table.request_rate,
        saturated=table.saturated,
        context=table.context,
        prefix_hit_rate=table.prefix_hit_rate,
        service_level=table.service_level,
        images=images,
        image_tokens=image_tokens,
        requests=table.requests,
        isl_cv=table.isl_cv or 0.0,
        osl_cv=table.osl_cv or 0.0,
        arrival_cv=1.0 if table.arrival_cv is None else table.arrival_cv,
    )
