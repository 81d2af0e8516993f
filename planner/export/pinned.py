"""The serving table that an exported command carries: every default written out that the engine takes a flag for."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from planner.documents.deployment import LoraTable, ServingTable
from planner.engines.speculation import method_name
from planner.export.command import kv_word
from planner.export.engines.caching import offload_asked
from planner.export.engines.llamacpp import attention_max_mib, device_layers, whole_context
from planner.export.flags.table import flag_table
from planner.units import GIB, GIGA, MIB

if TYPE_CHECKING:
    from planner.export.target import Context


def pinned_serving(context: Context) -> ServingTable:
    """What reading the exported flags back must give, instance by instance."""
    return _local(context) if context.resolved.engine.family == "llama.cpp" else _pooled(context)


def _pooled(context: Context) -> ServingTable:
    serving, asked = context.resolved.serving, context.deployment.serving or ServingTable()
    table = flag_table(context.resolved.engine)
    spec = serving.speculative
    if spec is not None:
        spec = spec.model_copy(update={"method": method_name(spec.method), "acceptance": None})
    offload = serving.cpu_offload_bytes or None
    whole = offload is not None and table.rows["cpu_offload_bytes"].kind == "whole_gib"
    return ServingTable(
        tp=serving.tp,
        attention_dp=serving.attention_dp,
        pp=serving.pp,
        dp=context.layout.engine_dp,
        ep=serving.ep,
        dcp=serving.dcp,
        max_model_len=serving.max_model_len,
        max_num_seqs=serving.max_num_seqs,
        max_num_batched_tokens=serving.max_num_batched_tokens,
        gpu_memory_utilization=serving.gpu_memory_utilization,
        kv_cache_dtype=kv_word(context, table) or "auto",
        enforce_eager=serving.enforce_eager,
        block_size=asked.block_size,
        cpu_offload_bytes=float(-(-offload // GIB) * GIB) if whole and offload else offload,
        kv_offload_bytes=_offload(context),
        prefix_caching=asked.prefix_caching,
        speculative=spec,
        lora=LoraTable(max_rank=serving.lora_rank, adapters=serving.lora_adapters) if serving.lora_rank else None,
    )


def _offload(context: Context) -> float | None:
    """In the engine's own steps."""
    size, in_gb = offload_asked(context), flag_table(context.resolved.engine).has("kv_offload_gb")
    return ceil(size / GIGA) * GIGA if size and in_gb else size


def _local(context: Context) -> ServingTable:
    serving = context.resolved.serving
    table = flag_table(context.resolved.engine)
    layers, experts = device_layers(context, table)
    most = attention_max_mib(context)
    spec = serving.speculative
    if spec is not None:
        spec = spec.model_copy(update={"method": method_name(spec.method), "acceptance": None})
    return ServingTable.model_validate(
        {
            "max_model_len": whole_context(context),
            "max_num_batched_tokens": serving.max_num_batched_tokens,
            "kv_cache_dtype": serving.kv_cache_dtype,
            "speculative": spec,
            "n_gpu_layers": layers,
            "experts_on_cpu": experts or None,
            "ubatch": serving.ubatch,
            "parallel": serving.parallel,
            "flash_attention": serving.flash_attention,
            "split_mode": serving.split_mode if serving.split_mode != "layer" else None,
            "attention_max_bytes": most * float(MIB) if most else None,
        }
    )
