"""llama.cpp's server and its forks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.export.node import Node
from planner.units import MIB

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context


_NOTICEABLE = 0.1
"""Of the file: the table of input tokens alone always stays on the host."""


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """The serving table in llama-server's terms; max_model_len is the whole context, shared by the slots."""
    serving, spec = context.resolved.serving, context.resolved.serving.speculative
    layers, experts = device_layers(context, table)
    return {
        "max_model_len": whole_context(context),
        "parallel": serving.parallel,
        "max_num_batched_tokens": serving.max_num_batched_tokens,
        "ubatch": serving.ubatch,
        "n_gpu_layers": layers,
        "experts_on_cpu": experts is True,
        "expert_layers_on_cpu": (experts or None) if not isinstance(experts, bool) else None,
        "split_mode": serving.split_mode if serving.split_mode != "layer" else None,
        "attention_max_mib": attention_max_mib(context),
        "flash_attention": "on" if serving.flash_attention else "off",
        "kv_cache_dtype": serving.kv_cache_dtype,
        "kv_cache_dtype_v": serving.kv_cache_dtype,
        "speculative_method": spec.method if spec and (table.has("speculative_method") or not spec.draft) else None,
        "speculative_draft": spec.draft if spec else None,
        "speculative_tokens": spec.tokens if spec else None,
        "lora_rank": serving.lora_rank or None,
        "numa": "distribute" if weights_over_sockets(context) else None,
        "offline": table.has("offline"),
        "metrics": table.has("metrics"),
        "jinja": table.has("jinja"),
    }


def weights_over_sockets(context: Context) -> bool:
    """Whether a noticeable part of the weights is read by the processors of several sockets."""
    memory, sockets = context.estimate.memory, context.resolved.cluster.host.sockets or 1
    if sockets < 2 or memory is None or not memory.devices:
        return False
    return memory.devices[-1].weights.value > _NOTICEABLE * (memory.disk or 0.0)


def whole_context(context: Context) -> int:
    """Tokens of the whole context: as asked for, else what fits."""
    from planner.memory.gguf_buffers import with_context

    return with_context(context.resolved).serving.max_model_len


def attention_max_mib(context: Context) -> int | None:
    """Of attention scores at once: as asked for, or as the estimate assumed it where whole ones do not fit."""
    from planner.memory.gguf_buffers import laid

    most = laid(context.resolved).resolved.serving.attention_max_bytes
    return max(1, int(most // MIB)) if most else None


def device_layers(context: Context, table: FlagTable) -> tuple[int | str | None, bool | int]:
    """Layers on the devices and expert layers off them.

    As the deployment says; where it leaves them open, left to the server's own fit, counted for builds without one.
    """
    asked = context.deployment.serving
    wanted, experts = (asked.n_gpu_layers if asked else None), context.resolved.serving.experts_on_cpu
    if context.resolved.cluster.device.accelerator is None:
        return None, False
    if wanted is not None or table.has("fit"):
        return wanted, experts
    from planner.memory.gguf_buffers import placement_of, sizes_of, with_context

    resolved = with_context(context.resolved)
    placed = placement_of(resolved, sizes_of(resolved))
    layers = "all" if placed.gpu_layers > resolved.architecture.num_layers else placed.gpu_layers
    return layers, experts or placed.host_experts


def node_options(context: Context, table: FlagTable, node: Node) -> dict[str, Any]:
    """llama.cpp runs on one node; its RPC back-end is not rendered."""
    return {}


def findings(context: Context) -> list[Finding]:
    """What the server cannot be told."""
    if context.layout.multi_node:
        message = "llama.cpp over several nodes needs an rpc-server on each; that is not rendered"
        return [Finding("export-multi-node", message, "plan for one node")]
    return []


def serving(read: Mapping[str, Any], experts: bool) -> dict[str, Any]:
    """The serving table that these options mean."""
    table = {
        "n_gpu_layers": read.get("n_gpu_layers"),
        "ubatch": read.get("ubatch"),
        "parallel": read.get("parallel"),
        "split_mode": read.get("split_mode"),
        "attention_max_bytes": read["attention_max_mib"] * float(MIB) if "attention_max_mib" in read else None,
        "flash_attention": _flash(read.get("flash_attention", False)),
        "experts_on_cpu": True if read.get("experts_on_cpu") else read.get("expert_layers_on_cpu"),
    }
    if "speculative_tokens" in read:
        method = read.get("speculative_method", "draft_model")
        draft = read.get("speculative_draft")
        table["speculative"] = {"method": method, "tokens": read["speculative_tokens"], "draft": draft}
    return table


def _flash(value: Any) -> bool:
    return value in (True, "on")
