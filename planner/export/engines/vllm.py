"""vLLM and its plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.documents.result import Finding
from planner.engines.speculation import method_name
from planner.export.engines.caching import prefix_options, read_prefix, read_vllm_offload, vllm_offload
from planner.export.engines.common import additions, limits, more_than_one
from planner.export.node import Node

if TYPE_CHECKING:
    from planner.export.flags.table import FlagTable
    from planner.export.target import Context

RAY_PORT = 6379


def options(context: Context, table: FlagTable) -> dict[str, Any]:
    """The serving table in vLLM's terms."""
    serving, layout = context.resolved.serving, context.layout
    return {
        "tp": more_than_one(serving.tp),
        "pp": more_than_one(serving.pp),
        "engine_dp": more_than_one(layout.engine_dp),
        "attention_dp": more_than_one(serving.attention_dp),
        "expert_parallel": serving.ep > 1,
        "dcp": more_than_one(serving.dcp),
        **limits(serving),
        **additions(serving),
        **prefix_options(context),
        **vllm_offload(context, table),
        **_speculative(context, table),
    }


def _speculative(context: Context, table: FlagTable) -> dict[str, Any]:
    spec = context.resolved.serving.speculative
    if spec is None:
        return {}
    if table.has("speculative"):
        return {"speculative": speculative_json(spec.method, spec.tokens, spec.draft, table)}
    if spec.draft is not None:
        return {"speculative_draft": spec.draft, "speculative_tokens": spec.tokens}
    return {"speculative": spec.method}


def speculative_json(method: str, tokens: int, draft: str | None, table: FlagTable) -> dict[str, Any] | str:
    """The JSON of ``--speculative-config``; the bare method where this version does not have it."""
    row = table.rows["speculative"]
    name = row.values.get(method_name(method))
    return method if name is None else {"method": name, "tokens": tokens, "draft": draft}


def node_options(context: Context, table: FlagTable, node: Node) -> dict[str, Any]:
    """Flags of one node of several: the engine's own launcher where it has one, else a Ray cluster."""
    serving, layout = context.resolved.serving, context.layout
    if table.has("nodes"):
        return {
            "executor": "mp",
            "nodes": layout.nodes_per_instance,
            "node_rank": node.rank,
            "head_address": node.head,
            "head_port": node.port,
            "follower": node.follower,
        }
    replicas = max(serving.attention_dp, layout.engine_dp)
    if serving.tp * serving.pp > layout.gpus_per_node or replicas == 1:
        return {"executor": "ray"}
    return {"data_parallel_backend": "ray", "data_parallel_local": replicas // layout.nodes_per_instance}


def needs_ray(context: Context, table: FlagTable) -> bool:
    """Whether several nodes of one instance are joined by Ray before the engine starts."""
    return context.layout.multi_node and not table.has("nodes")


def findings(context: Context) -> list[Finding]:
    """Layouts that vLLM cannot be told."""
    serving = context.resolved.serving
    spread = serving.tp * serving.attention_dp
    if serving.ep in (1, spread) or not context.resolved.architecture.has_experts:
        return []
    message = (
        f"vLLM spreads experts over all tp × attention_dp = {spread} devices or none; ep = {serving.ep} is neither"
    )
    return [Finding("export-ep", message, f"set serving.ep to {spread}", change={"serving.ep": spread})]


def serving(read: Mapping[str, Any], experts: bool) -> dict[str, Any]:
    """The serving table that these options mean."""
    tp, attention = read.get("tp", 1), read.get("attention_dp", 1) if experts else 1
    return {
        "tp": tp,
        "pp": read.get("pp", 1),
        "attention_dp": attention,
        "dp": 1 if experts else read.get("engine_dp", 1),
        "ep": tp * attention if read.get("expert_parallel") else 1,
        "dcp": read.get("dcp", 1),
        "kv_offload_bytes": read_vllm_offload(read),
        "prefix_caching": read_prefix(read),
        "speculative": _read_speculative(read),
    }


def _read_speculative(read: Mapping[str, Any]) -> dict[str, Any] | None:
    if "speculative" in read:
        return dict(read["speculative"])
    if "speculative_draft" in read:
        return {"method": "draft_model", "tokens": read["speculative_tokens"], "draft": read["speculative_draft"]}
    return None
