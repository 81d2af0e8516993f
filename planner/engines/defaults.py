"""What an engine takes when a deployment leaves a serving value open: by version, card memory and layout."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from planner.engines.profile import EngineProfile
from planner.memo import IdentityMemo
from planner.models.architecture import Architecture, LatentAttention

_KEYS = (
    "gpu_memory_utilization", "max_num_seqs", "max_num_batched_tokens", "block_size",
    "ubatch", "parallel", "flash_attention", "kv_cache_dtype", "kv_offload_bytes", "prefix_caching",
)  # fmt: skip
_FALLBACK: Mapping[str, Any] = {
    "gpu_memory_utilization": 0.90,
    "max_num_seqs": 256,
    "max_num_batched_tokens": 2048,
    "block_size": 16,
    "ubatch": 512,
    "parallel": 1,
    "flash_attention": True,
    "kv_cache_dtype": "auto",
    "kv_offload_bytes": 0.0,
    "prefix_caching": True,
}


class Placement(NamedTuple):
    """What of a deployment decides defaults."""

    accelerator: str | None = None
    """hwdb id; some engines except cards from their memory class."""
    tp: int = 1
    pp: int = 1
    attention_dp: int = 1
    max_model_len: int | None = None
    speculative: bool = False


def serving_defaults(
    profile: EngineProfile,
    memory_bytes: float | None,
    architecture: Architecture | None = None,
    placement: Placement | None = None,
) -> dict[str, Any]:
    """Values for everything in ``[serving]`` that has an engine default, except max_model_len (the model's own)."""
    placement = placement or Placement()
    table: Mapping[str, Any] = profile.fact("defaults", {})
    chosen = {**_FALLBACK, **table, **_card_class(table, memory_bytes, placement)}
    if architecture is not None and _is_latent(architecture):
        chosen.update(table.get("latent", {}))
    if architecture is not None and keeps_states(architecture):
        chosen.update(table.get("recurrent", {}))
    if chosen.get("max_num_batched_tokens_rule") == "whole-context":
        chosen["max_num_batched_tokens"] = _whole_context(chosen, architecture, placement.max_model_len or 0)
    if rule := table.get("static_fraction"):
        share = static_fraction(rule, chosen, memory_bytes, placement)
        chosen["gpu_memory_utilization"] = round(share * vision_share(rule, architecture), 4)
    return {key: chosen[key] for key in _KEYS}


_own: IdentityMemo[frozenset[str]] = IdentityMemo()


def own_settings(profile: EngineProfile) -> frozenset[str]:
    """Those of them that the engine has a setting for: its profile states a default or a rule, and does not call it
    our own (``no_setting``: what only the arithmetic needs)."""
    return _own.get(profile, None, None, lambda: _stated(profile))


def _stated(profile: EngineProfile) -> frozenset[str]:
    table: Mapping[str, Any] = profile.fact("defaults", {})
    ruled = {"gpu_memory_utilization"} if "static_fraction" in table else set()
    return frozenset({*table, *ruled} & {*_KEYS}) - {*table.get("no_setting", ())}


def static_fraction(
    rule: Mapping[str, float], chosen: Mapping[str, Any], memory_bytes: float | None, placement: Placement
) -> float:
    """SGLang's ``mem_fraction_static`` when not given: (memory − reserve) / memory.

    reserve = constant + per prefill token · max(chunk, 2048) + per graph request · largest graph batch
    + per GPU · tp · attention groups · pp, at least ``floor_bytes`` on cards above ``floor_memory_bytes``
    (sglang server_args.py, _handle_gpu_memory_settings).
    """
    if not memory_bytes or not isfinite(memory_bytes):
        return float(rule["fallback"])
    graphs, ranks = float(chosen.get("cuda_graph_max_bs", 160)), placement.tp * placement.attention_dp
    if ranks >= rule["large_tp"]:
        graphs = float(chosen.get("cuda_graph_max_bs_large_tp", graphs))
    reserve = rule["constant_bytes"] + rule["prefill_token_bytes"] * max(chosen["max_num_batched_tokens"], 2048)
    reserve += rule["graph_request_bytes"] * graphs + rule["gpu_bytes"] * ranks * placement.pp
    if placement.attention_dp > 1:
        padding = rule["attention_dp_request_bytes"] * (1.5 if graphs > rule["large_graphs"] else 1.0)
        reserve += padding * graphs * placement.attention_dp
    if memory_bytes > rule["floor_memory_bytes"]:
        reserve = max(reserve, rule["floor_bytes"])
    if placement.speculative:
        reserve += rule["speculative_bytes"]
    share: float = (memory_bytes - reserve) / memory_bytes
    return round(min(max(share, 0.1), 0.99), 3)


def vision_share(rule: Mapping[str, float], architecture: Architecture | None) -> float:
    """By how much SGLang lowers its static fraction for a vision tower, after the tower's size.

    factor = base · clamp(1 − sensitivity · (layers · hidden² / reference − 1)) (sglang adjust_mem_fraction_for_vlm).
    """
    tower = architecture.vision_tower if architecture is not None else None
    if tower is None or "vision_base" not in rule:
        return 1.0
    size = tower.num_layers * tower.hidden_size**2 / rule["vision_reference"]
    scaled = 1.0 - rule["vision_sensitivity"] * (size - 1.0)
    return rule["vision_base"] * max(rule["vision_least"], min(rule["vision_most"], scaled))


def _whole_context(chosen: Mapping[str, Any], architecture: Architecture | None, length: int) -> int:
    """Tokens of a step that takes whole prompts; longer contexts are cut into chunks where the model can be."""
    step = int(chosen["max_num_batched_tokens"])
    chunked = length > chosen.get("chunked_from", length) and not (architecture is not None and _is_whole(architecture))
    return int(chosen.get("chunked_tokens", step)) if chunked else max(length, step)


def _is_whole(architecture: Architecture) -> bool:
    """Models whose prompts old engines did not cut: latent or sliding attention, images."""
    caches = (cache for layer in architecture.layer_kinds for cache in layer.caches)
    return architecture.vision_tower is not None or _is_latent(architecture) or any(c.window for c in caches)


def _card_class(table: Mapping[str, Any], memory_bytes: float | None, placement: Placement) -> Mapping[str, Any]:
    """The last class whose memory limit the card reaches and that does not except it."""
    found: Mapping[str, Any] = {}
    for row in table.get("classes", ()):
        name = placement.accelerator or ""
        excepted = any(word in name for word in row.get("except_accelerators", ()))
        if (memory_bytes or 0) >= row["min_memory_bytes"] and not excepted:
            found = row
    return found


def keeps_states(architecture: Architecture) -> bool:
    """Whether some layer keeps a recurrent state."""
    return any(cache.kind == "state" for layer in architecture.layer_kinds for cache in layer.caches)


def _is_latent(architecture: Architecture) -> bool:
    return any(isinstance(m, LatentAttention) for layer in architecture.layer_kinds for m in layer.mixers)
