"""SGLang, and KTransformers on top of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.engines.speculation import method_name
from planner.export.emit.words import parts_of
from planner.export.engines.caching import prefix_options, read_prefix, read_sglang_offload, sglang_offload
from planner.export.engines.common import additions, limits, more_than_one
from planner.export.node import Node

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context

_DEVICES = {"gaudi": "hpu", "intel": "xpu", "ascend": "npu", "cpu": "cpu"}
"""Platforms that ``--device`` names; CUDA and ROCm are found by themselves."""


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """The serving table in SGLang's terms: tp counts all ranks of the attention groups."""
    serving, layout = context.resolved.serving, context.layout
    groups = serving.attention_dp * layout.engine_dp
    world = serving.tp * serving.attention_dp
    return {
        "device": _DEVICES.get(context.platform.id),
        "world_tp": more_than_one(world),
        "pp": more_than_one(serving.pp),
        "engine_dp": more_than_one(groups),
        "attention_dp": serving.attention_dp > 1,
        "ep": more_than_one(serving.ep),
        "expert_parallel": serving.ep > 1 and table.has("expert_parallel"),
        "dcp": more_than_one(serving.dcp),
        **limits(serving),
        **additions(serving),
        "no_prefix_caching": prefix_options(context)["no_prefix_caching"],
        **sglang_offload(context),
        **_speculative(context),
    }


def _speculative(context: Context) -> dict[str, Any]:
    """A chain of drafts: as many steps as drafted tokens, one more verified (sglang docs, speculative decoding)."""
    spec = context.resolved.serving.speculative
    if spec is None:
        return {}
    model_drafts = method_name(spec.method) != "ngram"
    return {
        "speculative_method": spec.method,
        "speculative_steps": spec.tokens if model_drafts else None,
        "speculative_topk": 1 if model_drafts else None,
        "speculative_tokens": spec.tokens + 1,
        "speculative_draft": spec.draft,
    }


def node_options(context: Context, table: FlagTable, node: Node) -> dict[str, Any]:
    """Flags of one node of several."""
    return {
        "nodes": context.layout.nodes_per_instance,
        "node_rank": node.rank,
        "head_endpoint": (*parts_of(node.head), f":{node.port}"),
    }


def findings(context: Context) -> list[Finding]:
    """Layouts that SGLang cannot be told."""
    serving = context.resolved.serving
    if serving.attention_dp > 1 and serving.dp > 1 and context.layout.instances == 1:
        return [Finding("export-dp", "SGLang has one --dp-size for replicas and DP attention", "set serving.dp to 1")]
    return []


def serving(read: Mapping[str, Any], experts: bool) -> dict[str, Any]:
    """The serving table that these options mean."""
    world, groups = read.get("world_tp", 1), read.get("engine_dp", 1)
    attention = groups if read.get("attention_dp") else 1
    return {
        "tp": world // attention,
        "pp": read.get("pp", 1),
        "attention_dp": attention,
        "dp": 1 if attention > 1 else groups,
        "ep": read.get("ep", 1),
        "dcp": read.get("dcp", 1),
        "kv_offload_bytes": read_sglang_offload(read),
        "prefix_caching": read_prefix(read),
        "speculative": _read_speculative(read),
    }


def _read_speculative(read: Mapping[str, Any]) -> dict[str, Any] | None:
    if "speculative_method" not in read:
        return None
    tokens = read.get("speculative_tokens", 2) - 1
    return {"method": read["speculative_method"], "tokens": tokens, "draft": read.get("speculative_draft")}
