"""What a layout of ranks is: its groups, whether they fit a model's shape, and the nearest layout that does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from planner.documents.result import Finding
from planner.legality.shape import ModelShape
from planner.resolved import Serving

MOST_TRIED = 1024
"""Ranks of a group from which a smaller one is looked for: none is wider, whatever a document says."""


def ranks(serving: Serving) -> int:
    """Devices of one pipeline stage: experts are spread over all of them."""
    return serving.tp * serving.attention_dp


def expert_tp(serving: Serving) -> int:
    """Ranks that share one expert."""
    return max(ranks(serving) // serving.ep, 1)


def heads_fit(shape: ModelShape, tp: int) -> bool:
    """Every rank gets whole heads; fewer KV heads than ranks are copied in equal numbers."""
    return all(h % tp == 0 for h in shape.q_heads + shape.state_heads) and all(
        max(h, tp) % min(h, tp) == 0 for h in shape.kv_heads
    )


def widths_fit(shape: ModelShape, serving: Serving) -> bool:
    tp, shared = serving.tp, expert_tp(serving)
    return all(width.legal(tp, shared) for width in shape.widths)


def layout_fits(shape: ModelShape, serving: Serving) -> bool:
    """All rules of tensor parallelism together."""
    vision = not shape.vision_heads or shape.vision_heads % serving.tp == 0
    return heads_fit(shape, serving.tp) and vision and widths_fit(shape, serving)


def kv_copies(shape: ModelShape, serving: Serving) -> int:
    """How many ranks of a tensor-parallel group keep the same KV entries; 1: none twice."""
    if shape.replicated_kv:
        return max(serving.tp // serving.dcp, 1)
    if not shape.kv_heads:
        return 1
    return max(serving.tp // min(shape.kv_heads), 1)


def nearest_layout(shape: ModelShape, serving: Serving) -> dict[str, Any]:
    """The smallest legal change: expert parallelism over all ranks, else fewer tensor ranks and more stages."""
    if shape.experts and serving.ep != ranks(serving):
        spread = replace(serving, ep=ranks(serving))
        if layout_fits(shape, spread) and all(e % spread.ep == 0 for e in shape.experts):
            return {"serving.ep": spread.ep}
    for tp in range(min(serving.tp - 1, *shape.q_heads, *shape.state_heads, MOST_TRIED), 0, -1):
        smaller = replace(serving, tp=tp, ep=_ep_for(serving, tp))
        if layout_fits(shape, smaller):
            return _change(serving, smaller, shape.num_layers)
    for groups in range(min(serving.attention_dp - 1, MOST_TRIED), 0, -1):
        fewer = replace(serving, attention_dp=groups, ep=_ep_for(replace(serving, attention_dp=groups), serving.tp))
        if layout_fits(shape, fewer):
            return {"serving.attention_dp": groups, "serving.ep": fewer.ep}
    return {"serving.tp": 1, "serving.attention_dp": 1, "serving.ep": 1}


def _ep_for(serving: Serving, tp: int) -> int:
    """Expert parallelism of a smaller group: all of it where it was all, else what still divides."""
    total = tp * serving.attention_dp
    return math.gcd(serving.ep, total)


def _change(serving: Serving, smaller: Serving, num_layers: int) -> dict[str, Any]:
    change: dict[str, Any] = {"serving.tp": smaller.tp}
    if smaller.ep != serving.ep:
        change["serving.ep"] = smaller.ep
    spare = serving.tp // smaller.tp
    if serving.tp % smaller.tp == 0 and serving.pp * spare <= num_layers:
        change["serving.pp"] = serving.pp * spare
    return change


def in_words(change: dict[str, Any]) -> str:
    """A change as a sentence fragment: "tp 16 and pp 2"."""
    return " and ".join(f"{key.rpartition('.')[2]} {value}" for key, value in change.items())


def layout_finding(rule: str, message: str, shape: ModelShape, serving: Serving) -> Finding:
    change = nearest_layout(shape, serving)
    return Finding(rule, message, f"set {in_words(change)}", "error", change)
