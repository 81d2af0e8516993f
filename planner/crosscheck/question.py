"""A deployment in the words of aiconfigurator-core, or why it cannot be said in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.resolved import Resolved


class CannotSay(Exception):
    """The other predictor has no word for something of the deployment."""


def question_of(resolved: Resolved, config: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker takes. Raises CannotSay with the reason."""
    device, serving, load = resolved.cluster.device.accelerator, resolved.serving, resolved.workload
    if load.concurrency is None:
        raise CannotSay("it answers for requests in flight, not for a rate or an offline run")
    if serving.prefill is not None or serving.speculative is not None or load.images:
        raise CannotSay("its single point knows no prefill workers, speculation or images here")
    scheme, kv = resolved.quantization.scheme, words["kv"].get(serving.kv_cache_dtype)
    gemm = words["gemm"].get(scheme)
    if gemm is None or kv is None:
        raise CannotSay(f"it has no mode for {scheme} weights with a {serving.kv_cache_dtype} cache")
    layout = {
        "tp_size": serving.tp,
        "pp_size": serving.pp,
        "attention_dp_size": serving.attention_dp,
        "moe_tp_size": 1,
        "moe_ep_size": 1,
        "gemm_quant_mode": gemm,
        "kvcache_quant_mode": kv,
    }
    if resolved.architecture.has_experts:
        ranks = serving.tp * serving.attention_dp
        layout |= {"moe_tp_size": max(ranks // serving.ep, 1), "moe_ep_size": serving.ep}
        layout["moe_quant_mode"] = words["moe"].get(scheme, gemm)
    each = load.concurrency / (max(serving.dp, 1) * serving.attention_dp)
    return {
        "system": _word(words["systems"], device.id if device else "cpu", "tables for"),
        "engine": _word(words["engines"], resolved.engine.name, "tables for"),
        "config": dict(config),
        "layout": layout,
        "load": {
            "batch_size": max(round(each), 1),
            "isl": max(round(load.isl), 1),
            "osl": max(round(load.osl), 2),
            "prefix": round(load.isl * load.prefix_hit_rate),
        },
        "budget": serving.max_num_batched_tokens,
    }


def _word(table: Mapping[str, str], name: str, what: str) -> str:
    word = table.get(name)
    if word is None:
        raise CannotSay(f"it has no {what} {name}")
    return word
