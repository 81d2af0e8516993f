"""TensorRT-LLM's server: flags, and an extra YAML for what has no flag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.engines.speculation import method_name
from planner.export.emit.yaml import yaml_text
from planner.export.engines.common import limits, more_than_one
from planner.export.node import Node

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context

_KV_DTYPES = {"auto": "auto", "fp8": "fp8", "nvfp4": "nvfp4"}
_METHODS = {"mtp": "MTP", "eagle": "Eagle", "eagle3": "Eagle", "ngram": "NGram", "draft_model": "DraftTarget"}


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """The serving table in trtllm-serve's terms: tp counts all ranks of a pipeline stage."""
    serving = context.resolved.serving
    world = serving.tp * serving.attention_dp
    return {
        "backend": "pytorch",
        "world_tp": more_than_one(world),
        "pp": more_than_one(serving.pp),
        "ep": more_than_one(serving.ep),
        "dcp": more_than_one(serving.dcp),
        **limits(serving),
        "cpu_offload_bytes": serving.cpu_offload_bytes or None,
    }


def extra_yaml(context: Context) -> str:
    """What trtllm-serve takes by file."""
    return yaml_text(extra(context), comment="For trtllm-serve --extra_llm_api_options")


def extra(context: Context) -> dict[str, Any]:
    """The keys of the extra YAML (llm_args.py: LlmArgs, KvCacheConfig, CudaGraphConfig, DecodingBaseConfig)."""
    serving, asked = context.resolved.serving, context.deployment.serving
    kv: dict[str, Any] = {"enable_block_reuse": True, "free_gpu_memory_fraction": serving.gpu_memory_utilization}
    kv["dtype"] = _KV_DTYPES.get(asked.kv_cache_dtype if asked else "auto", "auto")
    if asked and asked.block_size:
        kv["tokens_per_block"] = asked.block_size
    if asked and asked.kv_offload_bytes:
        kv["host_cache_size"] = int(asked.kv_offload_bytes)
    if asked and asked.prefix_caching is False:
        kv["enable_block_reuse"] = False
    keys: dict[str, Any] = {"kv_cache_config": kv}
    if serving.attention_dp > 1:
        keys["enable_attention_dp"] = True
    if not serving.enforce_eager:
        keys["cuda_graph_config"] = {"enable_padding": True, "max_batch_size": min(serving.max_num_seqs, 1024)}
    if (kernels := _experts_kernels(context)) is not None:
        keys["moe_config"] = {"backend": kernels}
    if serving.speculative:
        keys["speculative_config"] = _speculative(context)
    if serving.lora_rank:
        keys["lora_config"] = {"max_lora_rank": serving.lora_rank, "max_loras": serving.lora_adapters}
    return {key: value for key, value in keys.items() if context.runtime.knows_key(key)}


def _experts_kernels(context: Context) -> str | None:
    """Kernels that must be named for these weights on this chip; None where the engine's own choice runs."""
    resolved = context.resolved
    row = resolved.cluster.device.accelerator
    if not resolved.architecture.has_experts or row is None or row.compute_capability is None:
        return None
    capability = float(".".join(map(str, row.compute_capability)))
    for rule in context.runtime.facts.get("experts_kernels", ()):
        low, high = rule["capability"]
        if resolved.quantization.scheme in rule["schemes"] and low <= capability < high:
            return str(rule["backend"])
    return None


def _speculative(context: Context) -> dict[str, Any]:
    spec = context.resolved.serving.speculative
    if spec is None:
        return {}
    kind = _METHODS.get(method_name(spec.method), "MTP")
    if kind == "MTP":
        return {"decoding_type": kind, "num_nextn_predict_layers": spec.tokens}
    return {
        "decoding_type": kind,
        "max_draft_len": spec.tokens,
        **({"speculative_model_dir": spec.draft} if spec.draft else {}),
    }


def node_options(context: Context, table: FlagTable, node: Node) -> dict[str, Any]:
    """Nodes are joined by MPI, outside the command."""
    return {}


def findings(context: Context) -> list[Finding]:
    """Layouts and formats that TensorRT-LLM cannot be told."""
    serving, asked = context.resolved.serving, context.deployment.serving
    found: list[Finding] = []
    if serving.attention_dp > 1 and serving.tp > 1:
        message = "TensorRT-LLM runs the attention on each device alone or cut over all; not in groups of devices"
        fix = f"set serving.tp to 1 and attention_dp to {serving.tp * serving.attention_dp}"
        found.append(Finding("export-attention-dp", message, fix))
    kind = asked.kv_cache_dtype if asked else "auto"
    if kind not in _KV_DTYPES and kind != context.resolved.architecture.dtype:
        message = f"TensorRT-LLM takes no kv_cache_dtype = {kind}"
        found.append(Finding("export-value-missing", message, f"one of: {', '.join(_KV_DTYPES)}"))
    if serving.speculative and method_name(serving.speculative.method) not in _METHODS:
        message = f"TensorRT-LLM has no speculative method {serving.speculative.method!r}"
        found.append(Finding("export-value-missing", message, f"one of: {', '.join(_METHODS)}"))
    return found + _without_file(context)


def _without_file(context: Context) -> list[Finding]:
    """What only the extra YAML can say, at releases that read none."""
    engine, serving = context.resolved.engine, context.resolved.serving
    if context.runtime.extra_file:
        return []
    only = {
        "attention_dp": serving.attention_dp > 1,
        "speculative": serving.speculative is not None,
        "lora": serving.lora_rank > 0,
        "kv_cache_dtype": extra(context)["kv_cache_config"]["dtype"] != "auto",
    }
    fix = "use TensorRT-LLM 0.19 or later, or remove it from the deployment"
    return [
        Finding("export-option-missing", f"{engine.name} {engine.version} cannot be told {name} by trtllm-serve", fix)
        for name, asked in only.items()
        if asked
    ]


def serving(read: Mapping[str, Any], experts: bool) -> dict[str, Any]:
    """The serving table that these flags mean, as far as flags go."""
    return {"tp": read.get("world_tp", 1), "pp": read.get("pp", 1), "ep": read.get("ep", 1)}
